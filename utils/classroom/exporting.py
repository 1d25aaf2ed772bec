"""Marks as tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from utils.classroom.course import Course
from utils.classroom.marks import marks, status

COLUMNS = ["student", "assignment", "status", "automatic points", "points", "of", "notes"]


def rows(course: Course) -> Iterator[dict]:
    """A row for each student and assignment, as `export` writes it."""
    for assignment in course.assignments():
        for student in course.students():
            record = course.state.record(assignment, student)
            found = marks(course, assignment, student)
            yield {
                "student": student,
                "assignment": assignment,
                "status": status(course, assignment, student, found),
                "automatic points": found.automatic if found else "",
                "points": found.total if found and not found.to_read else "",
                "of": found.of if found else "",
                "notes": "; ".join(record.notes) if record else "",
            }


def export(course: Course, path: Path) -> int:
    """Write all marks as CSV; returns the number of rows."""
    found = list(rows(course))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    return len(found)
