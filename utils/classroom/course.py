"""The folder of a course: what is in it, how it is built and how submissions get there.

source/ASSIGNMENT/ASSIGNMENT.ipynb              with the answers and hidden tests, never given out
release/ASSIGNMENT/ASSIGNMENT.ipynb             what students get
submitted/STUDENT/ASSIGNMENT/….ipynb            what came back, never changed
repaired/, autograded/, feedback/, gradebook.db nbgrader's, made from these
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import warnings
from pathlib import Path

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, GetGrades, LimitOutput, SaveAutoGrades
from nbgrader.utils import capture_log, setenv
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

ASSIGNMENTS = Path(__file__).parents[2] / "notebooks" / "assignments"
_SEED = re.compile(r"^SEED = \d+$", flags=re.MULTILINE)
_CONFIG = """# Written by python -m utils.classroom, for commands of nbgrader and its formgrader.
c = get_config()
c.CourseDirectory.course_id = "batches"
c.CourseDirectory.submitted_directory = "repaired"
"""


class CourseError(Exception):
    """Something that a teacher can put right; the message says what."""


class Course:
    """A course in the folder ``root``."""

    def __init__(self, root: Path | str):
        self.root = Path(root).resolve()
        self._state = self.root / "course.json"

    def assignments(self) -> list[str]:
        """The names of the assignments that were built."""
        found = sorted(path.parent.name for path in self.root.glob("release/*/*.ipynb"))
        if not found:
            raise CourseError(f"{self.root} holds no course yet: build it first.")
        return found

    def released(self, assignment: str) -> nbformat.NotebookNode:
        """The notebook that students got."""
        path = self.root / "release" / assignment / f"{assignment}.ipynb"
        return nbformat.read(path, as_version=4)

    def students(self, assignment: str | None = None) -> list[str]:
        """Who is on the list (``students.txt``, if there is one), or has submitted anything."""
        roster = self.root / "students.txt"
        listed = roster.read_text(encoding="utf-8").split("\n") if roster.exists() else []
        folders = [path.name for path in self.root.glob("submitted/*") if path.is_dir()]
        return sorted({name.strip() for name in (*listed, *folders)} - {""})

    @property
    def records(self) -> dict[str, dict[str, dict]]:
        """Assignment -> student -> how grading went."""
        return self._read().get("records", {})

    def record(self, assignment: str, student: str, entry: dict) -> None:
        """Keep how grading went, at once, so that an interruption loses nothing."""
        state = self._read()
        state.setdefault("records", {}).setdefault(assignment, {})[student] = entry
        self._write(state)

    def build(self, seed: int, source: Path = ASSIGNMENTS / "source") -> list[Path]:
        """Make the student versions, with this seed; returns their paths.

        Building again with the same seed takes over what has changed in the assignments. Another
        seed is refused once there are submissions, which it would make wrong.
        """
        state = self._read()
        if state.get("seed", seed) != seed and any(self.root.glob("submitted/*/*")):
            raise CourseError(
                f"The course was built with seed {state['seed']} and has submissions; with seed "
                f"{seed} they would be wrong. Take another folder for another year."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "nbgrader_config.py").write_text(_CONFIG, encoding="utf-8")
        self._write(state | {"seed": seed})
        return [self._build(path, seed) for path in sorted(source.glob("*/*.ipynb"))]

    def _build(self, path: Path, seed: int) -> Path:
        name = path.stem
        notebook = nbformat.read(path, as_version=4)
        seeded = 0
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.source, count = _SEED.subn(f"SEED = {seed}", cell.source)
                seeded += count
        if seeded != 1:
            raise CourseError(f"{path} needs exactly one line such as SEED = 1, but has {seeded}.")
        target = self.root / "source" / name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        self.run(GenerateAssignment, name, force=True, create_assignment=True)
        return self.root / "release" / name / path.name

    def collect(self, assignment: str, downloads: Path) -> list[str]:
        """Copy submissions into the course: a folder or a notebook for each student.

        ``downloads`` holds folders that are named after the students, or files such as
        ``STUDENT.ipynb``. Returns the students.
        """
        if assignment not in self.assignments():
            raise CourseError(f"{assignment!r} is none of {', '.join(self.assignments())}.")
        if not downloads.is_dir():
            raise CourseError(f"There is no folder {downloads}.")
        students = []
        for path in sorted(downloads.iterdir()):
            if not path.is_dir() and path.suffix != ".ipynb":
                continue
            student = path.name if path.is_dir() else path.stem
            target = self.root / "submitted" / student / assignment
            if target.exists():
                shutil.rmtree(target)
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                target.mkdir(parents=True)
                shutil.copy(path, target / f"{assignment}.ipynb")
            students.append(student)
        return students

    def run(self, converter: type, assignment: str, student: str = "*", **options: object) -> None:
        """Run one of nbgrader's converters; raises `CourseError` with what it says went wrong."""
        config = self._config()
        folders = CourseDirectory(config=config)
        folders.assignment_id, folders.student_id = assignment, student
        app = converter(coursedir=folders, config=config)
        for name, value in options.items():
            setattr(app, name, value)
        tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        with setenv(PATH=tools), warnings.catch_warnings():
            # nbgrader calls alembic, also where no environment is active, and SQLAlchemy 2 warns
            warnings.simplefilter("ignore", SAWarning)
            result = capture_log(app)
        if not result["success"]:
            lines = f"{result.get('error', '')}\n{result.get('log', '')}".strip().splitlines()
            causes = [line.strip() for line in lines if re.match(r"\s*[\w.]*(Error|Exit)\b", line)]
            raise CourseError((causes or lines)[-1])

    @property
    def database(self) -> str:
        """Where the marks are, as nbgrader's `Gradebook` wants it."""
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def _config(self) -> Config:
        from utils.classroom.grading import RunInSandbox

        config = Config()
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.course_id = "batches"
        config.CourseDirectory.submitted_directory = "repaired"
        config.CourseDirectory.db_url = self.database
        config.Autograde.autograde_preprocessors = [RunInSandbox, LimitOutput, SaveAutoGrades]
        feedback = [ClearHiddenTests, GetGrades, CSSHTMLHeaderPreprocessor]
        config.GenerateFeedback.preprocessors = feedback
        return config

    def _read(self) -> dict:
        return json.loads(self._state.read_text("utf-8")) if self._state.exists() else {}

    def _write(self, state: dict) -> None:
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps(state, indent=1, ensure_ascii=False), encoding="utf-8")
        new.replace(self._state)
