"""What is said about an answer, and how it is decided."""

from __future__ import annotations

import html
from dataclasses import dataclass

from utils.exercises.notes import note


@dataclass(frozen=True)
class Verdict:
    """What `check` found: ``status`` is "right", "wrong" or "not attempted"."""

    exercise: str
    status: str
    message: str

    def __repr__(self) -> str:
        sign = {"right": "✓ ", "wrong": "✗ "}.get(self.status, "")
        return f"Exercise {self.exercise}: {sign}{self.message}"

    def _repr_html_(self) -> str:
        return note(html.escape(repr(self)), self.status)


class NotAttemptedError(Exception):
    """The answer is still the stub."""


class WrongError(Exception):
    """The first thing that is wrong with an answer."""
