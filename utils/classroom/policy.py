"""Deadlines and late work: what a course's ``settings.toml`` says about them.

    [stacking]
    deadline = 2027-05-03T23:59:00
    grace_minutes = 30
    penalty_per_day = 10        # percent of the points reached, for each day begun
    days_at_most = 5            # later work gets no points

    [stacking.extensions]
    "Zoë Müller" = 2027-05-10T23:59:00

All lines but the deadline can be left out: then there is no grace, no penalty, and no last day.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from utils.classroom.course import Course
from utils.classroom.names import composed
from utils.classroom.records import CourseError

_KNOWN = {"deadline", "grace_minutes", "penalty_per_day", "days_at_most", "extensions"}


@dataclass(frozen=True)
class Policy:
    """When an assignment is due, and what late work costs."""

    deadline: datetime | None = None
    grace_minutes: float = 0
    penalty_per_day: float = 0  # percent of the points reached
    days_at_most: float = math.inf
    extensions: dict[str, datetime] = field(default_factory=dict)

    def days_late(self, student: str, handed_in: datetime) -> int:
        """The number of days begun after the deadline; 0 if it was in time."""
        due = self.extensions.get(student, self.deadline)
        if due is None or handed_in <= due + timedelta(minutes=self.grace_minutes):
            return 0
        return math.ceil((handed_in - due) / timedelta(days=1))

    def points(self, reached: float, days_late: int) -> float:
        """What is left of the points reached, after so many days."""
        if days_late > self.days_at_most:
            return 0.0
        return reached * max(0.0, 1 - days_late * self.penalty_per_day / 100)


def read_policy(course: Course, assignment: str) -> Policy:
    """What ``settings.toml`` in the course says about an assignment."""
    path = course.root / "settings.toml"
    if not path.exists():
        return Policy()
    settings = _read(path)
    unknown = settings.keys() - set(course.assignments())
    if unknown:
        raise CourseError(
            f"{path.name} speaks of {', '.join(sorted(unknown))}; the assignments are "
            f"{', '.join(course.assignments())}."
        )
    given = settings.get(assignment, {})
    wrong = given.keys() - _KNOWN
    if wrong:
        raise CourseError(
            f"{path.name}: {assignment} has {', '.join(sorted(wrong))}; known are "
            f"{', '.join(sorted(_KNOWN))}."
        )
    moments = {"deadline": given.get("deadline"), **given.get("extensions", {})}
    for name, moment in moments.items():
        if moment is not None and not isinstance(moment, datetime):
            raise CourseError(
                f"{path.name}: {assignment}, {name} is {moment!r}; write a date and a time "
                "without quotes, such as 2027-05-03T23:59:00."
            )
    extensions = {
        composed(name): _local(moment) for name, moment in given.get("extensions", {}).items()
    }
    deadline = given.get("deadline")
    numbers = {
        name: float(given[name])
        for name in ("grace_minutes", "penalty_per_day", "days_at_most")
        if name in given
    }
    return Policy(_local(deadline) if deadline else None, extensions=extensions, **numbers)


def handed_in(course: Course, assignment: str, student: str) -> datetime | None:
    """When a submission came, by its platform's or its file's time; None where nothing is known."""
    moment = course.state.entries("handed in").get(assignment, {}).get(student)
    if moment:
        return datetime.fromisoformat(moment)
    folder = course.submitted(assignment, student)
    times = [path.stat().st_mtime for path in folder.glob("**/*.ipynb") if path.is_file()]
    return datetime.fromtimestamp(max(times)) if times else None


def _local(moment: datetime) -> datetime:
    """A moment in the time of this machine, without its zone."""
    return moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment


def _read(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{path.name} cannot be read: {error}") from None
