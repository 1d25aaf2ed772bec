"""The commands of a course: ``python -m utils.classroom COMMAND COURSE``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from utils.classroom.collecting import collect
from utils.classroom.course import Course
from utils.classroom.exporting import export
from utils.classroom.feedback import feedback
from utils.classroom.grading import grade
from utils.classroom.records import CourseError
from utils.classroom.sandbox import Limits, protections


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0, or 1 after a message that says what a teacher can do."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        options.command(Course(options.course), options)
    except CourseError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped. What is done is kept; run it again.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m utils.classroom", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function: object, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(function.__name__.strip("_"), help=help, description=help)
        sub.add_argument("course", type=Path, help="the folder of the course")
        sub.set_defaults(command=function)
        return sub

    seed = command(_build, "make the student versions, to hand out")
    seed.add_argument("--seed", type=int, default=1, help="changes data, shapes and constants")
    taken = command(_collect, "copy what students have handed in into the course")
    taken.add_argument("assignment")
    taken.add_argument("downloads", type=Path, help="a folder or a notebook for each student")
    graded = command(_grade, "grade what is new or has changed")
    graded.add_argument("assignments", nargs="*", help="all, unless some are named")
    graded.add_argument("--student", action="append", help="only this one; can be repeated")
    graded.add_argument("--again", action="store_true", help="also what has not changed")
    graded.add_argument("--seconds", type=int, default=Limits.seconds, help="for each cell")
    told = command(_feedback, "write a page for each student who was graded")
    told.add_argument("assignments", nargs="*", help="all, unless some are named")
    table = command(_export, "write the marks as CSV, with a status for each student")
    table.add_argument("file", type=Path, nargs="?", help="marks.csv in the course, unless named")
    return parser


def _build(course: Course, options: argparse.Namespace) -> None:
    for path in course.build(options.seed):
        print(f"to hand out: {path}")


def _collect(course: Course, options: argparse.Namespace) -> None:
    lines = collect(course, options.assignment, options.downloads)
    for line in lines:
        what = "taken" if line.taken else "left out"
        print("  ".join([what.ljust(8), line.student.ljust(24), line.file, line.why]).rstrip())
    students = {line.student for line in lines if line.taken}
    print(f"{len(students)} submissions of {options.assignment}")


def _grade(course: Course, options: argparse.Namespace) -> None:
    if sys.platform == "win32":
        raise CourseError("grading needs Linux or macOS: Windows has no limits for submissions.")
    kept = protections()
    missing = ", ".join(name for name, there in kept.items() if not there)
    if missing:
        print(f"This system does not let us keep submissions from: {missing}. See the guide.")
    limits = replace(Limits(), seconds=options.seconds)
    for assignment in options.assignments or course.assignments():
        records = grade(course, assignment, options.student, again=options.again, limits=limits)
        counts = Counter(record.status for record in records.values())
        print(f"{assignment}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))


def _feedback(course: Course, options: argparse.Namespace) -> None:
    for assignment in options.assignments or course.assignments():
        pages, without = feedback(course, assignment)
        print(f"{assignment}: {len(pages)} pages in {course.root / 'feedback'}")
        for student, why in without.items():
            print(f"{student}, {assignment}: no page, since {why}")


def _export(course: Course, options: argparse.Namespace) -> None:
    path = options.file or course.root / "marks.csv"
    print(f"{export(course, path)} rows in {path}")


if __name__ == "__main__":
    sys.exit(main())
