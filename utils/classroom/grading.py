"""Grade every student on their own: what one of them hands in stops nobody else."""

from __future__ import annotations

import csv
import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from tqdm.auto import tqdm

from utils.classroom.course import ASSIGNMENTS, Course, CourseError
from utils.classroom.execution import execute
from utils.classroom.repair import grade_id, repair
from utils.classroom.sandbox import Limits

GRADED, TO_READ = "graded", "graded, to be read"
FAILED, MISSING = "could not be graded", "missing"
COLUMNS = ["student", "assignment", "status", "automatic points", "points", "of", "notes"]
LARGEST = 2**24  # bytes of a submitted notebook


@dataclass
class Record:
    """How grading one submission went."""

    status: str
    notes: list[str] = field(default_factory=list)
    digest: str = ""  # of what was graded


class RunInSandbox(NbGraderPreprocessor):
    """In the place of nbgrader's own `Execute`: runs the cells of a submission in the sandbox."""

    limits = Limits()
    hidden: Sequence[Path] = ()
    problems: Sequence[str] = ()

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run all cells; of a graded cell keep nothing but its error, without hidden tests."""
        type(self).problems = execute(nb, self.limits, self.hidden)
        for cell in nb.cells:
            if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
                cell.outputs = [_told(o) for o in cell.outputs if o.output_type == "error"][:1]
        return nb, resources


def _told(error: NotebookNode) -> NotebookNode:
    """An error in one line: a traceback would show the hidden tests."""
    error.evalue = error.evalue.partition("\n")[0][:500]
    error.traceback = [f"{error.ename}: {error.evalue}"]
    return error


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] | None = None,
    *,
    again: bool = False,
    limits: Limits | None = None,
) -> dict[str, Record]:
    """Grade what is new or has changed, or with ``again`` everything; student -> how it went.

    A submission that was graded before keeps its marks, also those that a person gave.
    """
    RunInSandbox.limits = limits or Limits()
    RunInSandbox.hidden = [course.root, ASSIGNMENTS]
    graded = {}
    for student in tqdm(students or course.students(), desc=assignment, unit="student"):
        before = Record(**course.records.get(assignment, {}).get(student, {"status": MISSING}))
        digest = _digest(course, assignment, student)
        if before.status != MISSING and before.digest == digest and not again:
            graded[student] = before
            continue
        read = _already_read(course, assignment, student) if before.digest == digest else set()
        record = _grade(course, assignment, student, read)
        record.digest = digest
        course.record(assignment, student, asdict(record))
        graded[student] = record
        for note in record.notes:
            tqdm.write(f"{student}, {assignment}: {note}")
    return graded


def _grade(course: Course, assignment: str, student: str, read: set[str]) -> Record:
    try:
        submitted, notes = _find(course, assignment, student)
        if submitted is None:
            return Record(MISSING)
        repaired, more = repair(submitted, course.released(assignment))
        target = course.root / "repaired" / student / assignment / f"{assignment}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(repaired, target)
        course.run(Autograde, assignment, student, force=True, create_student=True)
        with Gradebook(course.database, "batches") as gradebook:
            for task in read:  # nbgrader would want them read again
                grade = gradebook.find_grade(task, assignment, assignment, student)
                grade.needs_manual_grade = False
            gradebook.db.commit()
    except CourseError as error:
        return Record(FAILED, [str(error)])
    except Exception as error:  # whatever it is, the others are graded
        return Record(FAILED, [f"{type(error).__name__}: {error}".partition("\n")[0]])
    status = TO_READ if _marks(course, assignment, student)["to read"] else GRADED
    return Record(status, [*notes, *more, *RunInSandbox.problems])


def _already_read(course: Course, assignment: str, student: str) -> set[str]:
    """The tasks that a person has given points for."""
    with Gradebook(course.database, "batches") as gradebook:
        try:
            notebook = gradebook.find_submission_notebook(assignment, assignment, student)
        except MissingEntry:
            return set()
        given = [grade for grade in notebook.grades if grade.manual_score is not None]
        return {grade.name for grade in given if not grade.needs_manual_grade}


def _find(course: Course, assignment: str, student: str) -> tuple[NotebookNode | None, list[str]]:
    """The notebook that a student has handed in, and what is odd about it."""
    if not re.fullmatch(r"[\w@-][\w.@ -]*", student):
        raise CourseError(
            f"the folder name {student!r} holds characters that nbgrader cannot take. Rename it."
        )
    folder = course.root / "submitted" / student / assignment
    paths = sorted(path for path in folder.glob("**/*.ipynb") if ".ipynb" not in path.parent.name)
    if not paths:
        others = sorted(path.name for path in folder.glob("*")) if folder.exists() else []
        if others:
            raise CourseError(f"no notebook among the files: {', '.join(others[:5])}")
        return None, []
    named = [path for path in paths if path.name == f"{assignment}.ipynb"]
    if len(named or paths) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in paths)
        raise CourseError(f"several notebooks, and which one counts is not clear: {names}")
    path = (named or paths)[0]
    notes = [] if named else [f"{path.name} was taken, since there is no {assignment}.ipynb"]
    return _read(path, course, assignment), notes


def _read(path: Path, course: Course, assignment: str) -> NotebookNode:
    if path.stat().st_size > LARGEST:
        raise CourseError(f"{path.name} has {path.stat().st_size / 2**20:.0f} MiB")
    try:
        with warnings.catch_warnings():  # of cells without ids, or with the same: repaired later
            warnings.simplefilter("ignore")
            notebook = nbformat.read(path, as_version=4)
            names = {grade_id(cell) for cell in notebook.cells} - {None}
            nbformat.validate(notebook)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        what = "is empty" if not path.read_bytes().strip() else "is no valid notebook"
        raise CourseError(f"{path.name} {what} ({type(error).__name__})") from None
    for other in course.assignments():
        wanted = {grade_id(cell) for cell in course.released(other).cells} - {None}
        if names and names <= wanted and other != assignment:
            raise CourseError(f"{path.name} is a notebook of {other!r}")
    wanted = {grade_id(cell) for cell in course.released(assignment).cells} - {None}
    if not names & wanted:
        raise CourseError(f"{path.name} holds no cell of {assignment!r}")
    return notebook


def _digest(course: Course, assignment: str, student: str) -> str:
    """What a mark depends on: the files handed in, and the assignment."""
    digest = hashlib.sha256()
    folders = [
        course.root / "submitted" / student / assignment,
        course.root / "source" / assignment,
    ]
    for path in sorted(path for folder in folders for path in folder.glob("**/*")):
        if path.is_file():
            digest.update(f"{path.relative_to(course.root)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _marks(course: Course, assignment: str, student: str) -> dict:
    with Gradebook(course.database, "batches") as gradebook:
        notebook = gradebook.find_submission_notebook(assignment, assignment, student)
        return {
            "tasks": {grade.name: grade.score for grade in notebook.grades},
            "automatic": sum(grade.auto_score or 0 for grade in notebook.grades),
            "total": notebook.score,
            "of": notebook.max_score,
            "to read": [grade.name for grade in notebook.grades if grade.needs_manual_grade],
        }


def marks(course: Course, assignment: str, student: str) -> dict | None:
    """What a student has got: points for each task, together, and which tasks are to be read.

    None where nothing could be graded, which is not the same as 0.
    """
    record = course.records.get(assignment, {}).get(student)
    if record is None or record["status"] not in (GRADED, TO_READ):
        return None
    return _marks(course, assignment, student)


def feedback(course: Course, assignment: str) -> list[Path]:
    """Write a page for each graded student, without the hidden tests; returns the pages."""
    pages = []
    for student in course.students():
        if marks(course, assignment, student):
            course.run(GenerateFeedback, assignment, student, force=True)
            pages += (course.root / "feedback" / student / assignment).glob("*.html")
    return pages


def rows(course: Course) -> Iterator[dict]:
    """A row for each student and assignment, as `export` writes it."""
    for assignment in course.assignments():
        for student in course.students():
            record = course.records.get(assignment, {}).get(student)
            found = marks(course, assignment, student) or {}
            complete = found and not found["to read"]
            yield {
                "student": student,
                "assignment": assignment,
                "status": _status(record, found),
                "automatic points": found.get("automatic", ""),
                "points": found["total"] if complete else "",
                "of": found.get("of", ""),
                "notes": "; ".join(record["notes"]) if record else "",
            }


def _status(record: dict | None, found: dict) -> str:
    if record is None:
        return MISSING
    if record["status"] == TO_READ and not found["to read"]:  # a person has read it since
        return GRADED
    return record["status"]


def export(course: Course, path: Path) -> int:
    """Write all marks as CSV; returns the number of rows."""
    found = list(rows(course))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    return len(found)
