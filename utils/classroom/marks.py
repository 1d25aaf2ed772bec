"""What each student has got, from nbgrader's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nbgrader.api import Gradebook, MissingEntry

from utils.classroom.conversion import COURSE_ID, database
from utils.classroom.course import Course
from utils.classroom.names import folder_name
from utils.classroom.records import COLLECTED, GRADED, MISSING, TO_READ


@dataclass(frozen=True)
class Marks:
    """The points of one submission."""

    tasks: dict[str, float]
    automatic: float
    total: float
    of: float
    to_read: list[str]  # the tasks that a person has not read yet


@contextmanager
def _gradebook(course: Course) -> Iterator[Gradebook]:
    with Gradebook(database(course.root), COURSE_ID) as gradebook:
        yield gradebook


def of(course: Course, assignment: str, student: str) -> Marks:
    """The marks in the database; raises nbgrader's `MissingEntry` where there are none."""
    with _gradebook(course) as gradebook:
        notebook = gradebook.find_submission_notebook(assignment, assignment, folder_name(student))
        return Marks(
            tasks={grade.name: grade.score for grade in notebook.grades},
            automatic=sum(grade.auto_score or 0 for grade in notebook.grades),
            total=notebook.score,
            of=notebook.max_score,
            to_read=[grade.name for grade in notebook.grades if grade.needs_manual_grade],
        )


def marks_of(course: Course, assignment: str, student: str) -> Marks | None:
    """What a student has got, or None where nothing could be graded, which is not the same as 0."""
    record = course.state.record(assignment, student)
    if record is None or not record.digest or record.status not in (GRADED, TO_READ):
        return None
    try:
        return of(course, assignment, student)
    except MissingEntry:
        return None


def keep_read(course: Course, assignment: str, student: str, tasks: set[str]) -> None:
    """Say that these tasks need not be read again, where a person has given points for them."""
    with _gradebook(course) as gradebook:
        name = folder_name(student)
        for task in tasks:
            grade = gradebook.find_grade(task, assignment, assignment, name)
            if grade.manual_score is not None:
                grade.needs_manual_grade = False
        gradebook.db.commit()


def status(course: Course, assignment: str, student: str, found: Marks | None) -> str:
    """How it stands with a submission."""
    record = course.state.record(assignment, student)
    if record is None or not record.digest:
        return COLLECTED if course.submitted(assignment, student).is_dir() else MISSING
    if record.status == TO_READ and found and not found.to_read:  # a person has read it since
        return GRADED
    return record.status
