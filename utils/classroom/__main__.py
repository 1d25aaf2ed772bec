"""The commands of a course: ``python -m utils.classroom COMMAND COURSE``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

try:
    from utils.classroom.collecting import collect
    from utils.classroom.course import Course
    from utils.classroom.exporting import export, export_for
    from utils.classroom.feedback import pack, write_feedback
    from utils.classroom.grading import grade
    from utils.classroom.likeness import alike
    from utils.classroom.names import printable
    from utils.classroom.records import CourseError
    from utils.classroom.sandbox import Limits, protections
except ModuleNotFoundError as error:
    sys.exit(
        f"{error}. Activate the environment of this collection first: .venv/bin/python -m "
        "utils.classroom … after `make lab`, or `conda activate pytorch-in-batches`. For "
        "nbgrader alone: python -m pip install -e '.[class]'"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0, or another number after a message that says what to do."""
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

    def command(name: str, function: Callable, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.add_argument("course", type=Path, help="the folder of the course")
        sub.set_defaults(command=function)
        return sub

    seed = command("build", _build, "make the student versions, to hand out")
    seed.add_argument("--seed", type=int, default=1, help="changes data, shapes and constants")
    seed.add_argument(
        "--seed-per-student", action="store_true", help="a variant for each in students.txt"
    )
    taken = command("collect", _collect, "copy what students have handed in into the course")
    taken.add_argument("assignment")
    taken.add_argument("downloads", type=Path, help="a folder or zip, as platforms export it")
    graded = command("grade", _grade, "grade what is new or has changed")
    graded.add_argument("assignments", nargs="*", help="all, unless some are named")
    graded.add_argument("--student", action="append", help="only this one; can be repeated")
    graded.add_argument("--again", action="store_true", help="also what has not changed")
    graded.add_argument("--seconds", type=int, default=Limits.seconds, help="for each cell")
    told = command("feedback", _feedback, "write a page for each student who was graded")
    told.add_argument("assignments", nargs="*", help="all, unless some are named")
    told.add_argument("--pack", action="store_true", help="and a zip that platforms take back")
    table = command("export", _export, "write the marks as CSV, with a status for each student")
    table.add_argument("file", type=Path, nargs="?", help="marks.csv in the course, unless named")
    table.add_argument("--for", dest="platform", choices=["moodle", "canvas"])
    hints = command("report", _report, "tell what a person may want to look at; hints, no proof")
    hints.add_argument("assignments", nargs="*", help="all, unless some are named")
    return parser


def _build(course: Course, options: argparse.Namespace) -> None:
    for path in course.build(options.seed, for_each=options.seed_per_student):
        print(f"to hand out: {path}")


def _collect(course: Course, options: argparse.Namespace) -> None:
    lines = collect(course, options.assignment, options.downloads)
    for line in lines:
        what = "taken" if line.taken else "left out"
        told = "  ".join([what.ljust(8), line.student.ljust(24), line.file, line.why])
        print(printable(told).rstrip())
    students = {line.student for line in lines if line.taken}
    print(f"{len(students)} submissions of {options.assignment}")


def _grade(course: Course, options: argparse.Namespace) -> None:
    if sys.platform == "win32":
        raise CourseError("grading needs Linux or macOS: Windows has no limits for submissions.")
    assignments = _chosen(course, options)
    kept = protections()
    missing = ", ".join(name for name, there in kept.items() if not there)
    if missing:
        print(f"This system does not let us keep submissions from: {missing}. See the guide.")
    limits = replace(Limits(), seconds=options.seconds)
    for assignment in assignments:
        records = grade(course, assignment, options.student, again=options.again, limits=limits)
        counts = Counter(record.status for record in records.values())
        print(f"{assignment}: " + ", ".join(f"{n} {status}" for status, n in counts.items()))


def _feedback(course: Course, options: argparse.Namespace) -> None:
    for assignment in _chosen(course, options):
        pages, without = write_feedback(course, assignment)
        print(f"{assignment}: {len(pages)} pages in {course.root / 'feedback'}")
        for student, why in without.items():
            print(f"{student}, {assignment}: no page, since {why}")
        if options.pack:
            path = course.root / f"feedback-{assignment}.zip"
            print(f"{assignment}: {pack(course, assignment, path)} pages in {path}")


def _export(course: Course, options: argparse.Namespace) -> None:
    if options.platform:
        path = options.file or course.root / f"{options.platform}.csv"
        print(f"{export_for(course, options.platform, path)} rows in {path}")
    else:
        path = options.file or course.root / "marks.csv"
        print(f"{export(course, path)} rows in {path}")


def _report(course: Course, options: argparse.Namespace) -> None:
    for assignment in _chosen(course, options):
        for student in course.students():
            record = course.state.record(assignment, student)
            for line in record.signs if record else []:
                print(f"{student}, {assignment}: {line}")
        for share, one, other in alike(course, assignment):
            print(f"{one} and {other}, {assignment}: {share:.0%} of the program is the same")


def _chosen(course: Course, options: argparse.Namespace) -> list[str]:
    return [course.check(name) for name in options.assignments or course.assignments()]


if __name__ == "__main__":
    sys.exit(main())
