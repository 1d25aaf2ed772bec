"""A page for each student: answers, points, and the first thing that is wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

from utils.classroom import conversion
from utils.classroom.course import Course
from utils.classroom.marks import marks_of
from utils.classroom.names import folder_name
from utils.classroom.records import CourseError


def write_feedback(course: Course, assignment: str) -> tuple[list[Path], dict[str, str]]:
    """Write a page for each graded student; returns the pages, and who got none, and why.

    What one student has handed in does not keep the others from their pages. Scripts in it do
    not reach them: nbconvert takes out all that could run.
    """
    course.check(assignment)
    pages: list[Path] = []
    without: dict[str, str] = {}
    for student in course.students():
        if marks_of(course, assignment, student) is None:
            continue
        name = folder_name(student)
        try:
            conversion.generate_feedback(course.root, assignment, name)
            pages += sorted((course.root / "feedback" / name / assignment).glob("*.html"))
        except CourseError as error:
            without[student] = str(error)
    return pages, without


def pack(course: Course, assignment: str, path: Path) -> int:
    """Put the pages into one zip, as platforms take them back: a folder for each student.

    Where the submissions came from Moodle, the folders have the names that it gave; so has each
    of them the student's own name. Returns the number of pages.
    """
    people, number = course.state.entries("people"), 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for student in course.students():
            folder = course.root / "feedback" / folder_name(student) / assignment
            ident = people.get(student, {}).get("id")
            place = f"{student}_{ident}_assignsubmission_file_" if ident else student
            for page in sorted(folder.glob("*.html")):
                packed.write(page, f"{place.replace('/', '-')}/{page.name}")
                number += 1
    return number
