"""How grading each submission went, kept in the folder of the course."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

GRADED, TO_READ = "graded", "graded, to be read"
FAILED, MISSING = "could not be graded", "missing"
COLLECTED = "handed in, not yet graded"


class CourseError(Exception):
    """Something that a teacher can put right; the message says what."""


@dataclass(frozen=True)
class Record:
    """How grading one submission went."""

    status: str
    notes: list[str] = field(default_factory=list)
    signs: list[str] = field(default_factory=list)  # see `utils.classroom.signs`
    digest: str = ""  # of what was graded; "" while grading is under way
    read: dict[str, str] = field(default_factory=dict)
    # the tasks that a person reads -> a digest of the answer that was graded


class State:
    """What a course remembers, in one file that is always whole."""

    def __init__(self, path: Path):
        self._path = path

    def __getitem__(self, name: str) -> object:
        return self._read().get(name)

    def entries(self, name: str) -> dict:
        """The dict that is kept under this name, or an empty one."""
        return self._read().get(name, {})

    def update(self, **entries: object) -> None:
        """Keep these entries beside the others."""
        self._write(self._read() | entries)

    def record(self, assignment: str, student: str) -> Record | None:
        """How grading went, or None if this submission was never graded."""
        found = self._read().get("records", {}).get(assignment, {}).get(student)
        return None if found is None else Record(**found)

    def keep(self, assignment: str, student: str, record: Record) -> None:
        """Keep how grading went, at once, so that an interruption loses nothing."""
        state = self._read()
        entries = state.setdefault("records", {}).setdefault(assignment, {})
        entries[student] = asdict(record)
        self._write(state)

    def _read(self) -> dict:
        if not self._path.exists():
            return {}
        try:
            return json.loads(self._path.read_text("utf-8"))
        except ValueError as error:
            raise CourseError(
                f"{self._path} cannot be read ({error}). Put it aside; then build and grade again: "
                "the marks that a person gave are in gradebook.db and stay."
            ) from None

    def _write(self, state: dict) -> None:
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(state, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
