"""Copy what platforms deliver into the course, one file after the other, and say what was taken."""

from __future__ import annotations

import shutil
from pathlib import Path

from utils.classroom.course import Course
from utils.classroom.records import CourseError


def collect(course: Course, assignment: str, downloads: Path) -> list[str]:
    """Copy submissions into the course: a folder or a notebook for each student."""
    course.check(assignment)
    if not downloads.is_dir():
        raise CourseError(f"There is no folder {downloads}.")
    students = []
    for path in sorted(downloads.iterdir()):
        if not path.is_dir() and path.suffix != ".ipynb":
            continue
        student = path.name if path.is_dir() else path.stem
        target = course.submitted(assignment, student)
        if target.exists():
            shutil.rmtree(target)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(path, target / f"{assignment}.ipynb")
        students.append(student)
    return students
