"""Marks as tables: for people, for Moodle and for Canvas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from utils.classroom.course import Course
from utils.classroom.marks import marks_of, status
from utils.classroom.policy import handed_in, read_policy
from utils.classroom.records import MISSING, CourseError

COLUMNS = ["student", "assignment", "status", "automatic points", "points", "of", "days late"]
COLUMNS += ["points after lateness", "notes"]


def table_rows(course: Course) -> Iterator[dict]:
    """A row for each student and assignment that was handed out or handed in."""
    for assignment in course.assignments():
        rules = read_policy(course, assignment)
        if not any((course.root / "submitted").glob(f"*/{assignment}")):
            continue  # nobody has handed it in, so it was not handed out, or not collected yet
        for student in course.students():
            record = course.state.record(assignment, student)
            found = marks_of(course, assignment, student)
            moment = handed_in(course, assignment, student)
            late = rules.days_late(student, moment) if moment else 0
            complete = found is not None and not found.to_read
            yield {
                "student": student,
                "assignment": assignment,
                "status": status(course, assignment, student, found),
                "automatic points": found.automatic if found else "",
                "points": found.total if found and complete else "",
                "of": found.of if found else "",
                "days late": late if moment else "",
                "points after lateness": (
                    round(rules.points(found.total, late), 2) if found and complete else ""
                ),
                "notes": "; ".join(record.notes) if record else "",
            }


def export(course: Course, path: Path) -> int:
    """Write all marks as CSV; returns the number of rows."""
    return _write(path, COLUMNS, list(table_rows(course)))


def export_for(course: Course, platform: str, path: Path) -> int:
    """Write the final marks as ``moodle`` or ``canvas`` imports them; returns the number of rows.

    One row a student, one column an assignment. A mark that is not final is left empty, and is
    never a zero. Raises `CourseError` where a platform needs a number that is not known.
    """
    found: dict[str, dict[str, object]] = {}
    for row in table_rows(course):
        if row["status"] != MISSING:
            marks_of = found.setdefault(row["student"], {})
            marks_of[row["assignment"]] = row["points after lateness"]
    people = course.state.entries("people")
    names = sorted({name for one in found.values() for name in one})
    if platform == "moodle":
        columns = ["Identifier", "Full name", *names]
        first = {s: {"Identifier": _participant(people, s), "Full name": s} for s in found}
    else:
        columns = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *names]
        lost = [student for student in found if student not in people]
        if lost:
            raise CourseError(
                f"Canvas's number is not known for {', '.join(lost[:5])}: collect the files as "
                "Canvas names them, such as mullerzoe_123_456_homework.ipynb."
            )
        first = {s: {"Student": s, "ID": people[s]["id"]} for s in found}
    return _write(path, columns, [first[student] | found[student] for student in sorted(found)])


def _participant(people: dict, student: str) -> str:
    return f"Participant {people[student]['id']}" if student in people else ""


def _write(path: Path, columns: list[str], found: list[dict]) -> int:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in found)
    return len(found)


def _plain(value: object) -> object:
    """The value, so that no spreadsheet takes what a student wrote for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
