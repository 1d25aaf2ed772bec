"""A page for each student: answers, points, and the first thing that is wrong."""

from __future__ import annotations

from pathlib import Path

from utils.classroom import conversion
from utils.classroom.course import Course
from utils.classroom.marks import marks
from utils.classroom.names import folder_name
from utils.classroom.records import CourseError


def feedback(course: Course, assignment: str) -> tuple[list[Path], dict[str, str]]:
    """Write a page for each graded student; returns the pages, and who got none, and why.

    What one student has handed in does not keep the others from their pages.
    """
    pages: list[Path] = []
    without: dict[str, str] = {}
    for student in course.students():
        if marks(course, assignment, student) is None:
            continue
        name = folder_name(student)
        try:
            conversion.generate_feedback(course.root, assignment, name)
            pages += sorted((course.root / "feedback" / name / assignment).glob("*.html"))
        except CourseError as error:
            without[student] = str(error)
    return pages, without
