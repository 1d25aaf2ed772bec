"""nbgrader's own steps: the student version, the marks of a notebook, the page of feedback."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades, LimitOutput, NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import capture_log, setenv
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from utils.classroom.interrupts import LONGEST, postponed, within
from utils.classroom.records import CourseError
from utils.classroom.safe_outputs import safe_text

COURSE_ID = "batches"
CONFIG = f"""# Written by python -m utils.classroom, for commands of nbgrader and its formgrader.
c = get_config()
c.CourseDirectory.course_id = "{COURSE_ID}"
c.CourseDirectory.submitted_directory = "repaired"
c.HTMLExporter.sanitize_html = True  # so that nothing in a submission runs in the formgrader
"""


def database(root: Path) -> str:
    """Where the marks are, as nbgrader's `Gradebook` wants it."""
    return f"sqlite:///{root / 'gradebook.db'}"


def generate_assignment(root: Path, assignment: str) -> None:
    """Make the student version, in release/."""
    _run(GenerateAssignment(**_place(root, assignment, "*")), force=True, create_assignment=True)


def autograde(
    root: Path, assignment: str, student: str, cells: Sequence[tuple[str, Sequence[NotebookNode]]]
) -> None:
    """Let nbgrader give the marks for a notebook in repaired/; ``cells`` are source and outputs."""
    converter = _Autograde(**_place(root, assignment, student))
    converter.cells = cells
    _run(converter, force=True, create_student=True)


def generate_feedback(root: Path, assignment: str, student: str) -> None:
    """Write the page for one student, in feedback/."""
    _run(GenerateFeedback(**_place(root, assignment, student)), force=True)


class _Autograde(Autograde):
    """nbgrader's own, but that what the cells printed is known already."""

    cells: Sequence[tuple[str, Sequence[NotebookNode]]] = ()

    def init_single_notebook_resources(self, notebook_filename: str) -> dict:
        resources = super().init_single_notebook_resources(notebook_filename)
        return resources | {"judged": self.cells}


class _PutOutputs(NbGraderPreprocessor):
    """In the place of nbgrader's `Execute`."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        for cell, (source, outputs) in zip(nb.cells, resources["judged"], strict=True):
            cell.source = (
                source if cell.cell_type == "code" else safe_text(source)
            )  # nbgrader restores the course's seed, not the student's
            if cell.cell_type == "code":
                cell.outputs = list(outputs)
        return nb, resources


def _place(root: Path, assignment: str, student: str) -> dict[str, object]:
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.submitted_directory = "repaired"
    config.CourseDirectory.db_url = database(root)
    config.Autograde.autograde_preprocessors = [_PutOutputs, LimitOutput, SaveAutoGrades]
    config.GenerateFeedback.preprocessors = [GetGrades, CSSHTMLHeaderPreprocessor]
    config.HTMLExporter.sanitize_html = True
    folders = CourseDirectory(config=config)
    folders.assignment_id, folders.student_id = assignment, student
    return {"coursedir": folders, "config": config}


def _run(converter: object, **options: object) -> None:
    """Run a converter to its end; raises `CourseError` with what it says went wrong."""
    for name, value in options.items():
        setattr(converter, name, value)
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    # nbgrader swallows an interruption, and calls alembic, also where no environment is active
    try:
        with postponed(), setenv(PATH=tools), warnings.catch_warnings(), within(LONGEST):
            warnings.simplefilter("ignore", SAWarning)
            result = capture_log(converter)
    except TimeoutError as error:
        raise CourseError(str(error)) from None
    if not result["success"]:
        lines = f"{result.get('error', '')}\n{result.get('log', '')}".strip().splitlines()
        causes = [line.strip() for line in lines if re.match(r"\s*[\w.]*(Error|Exit)\b", line)]
        raise CourseError((causes or lines or ["nbgrader does not say why"])[-1])
