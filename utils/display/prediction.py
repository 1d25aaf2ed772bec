"""A guess before the measurement, and both side by side afterwards."""

from __future__ import annotations

import math
from typing import Any

from utils.display.controls import Controls, ratios
from utils.display.units import format_ratio


def predict(question: str, guess: float | None = None) -> Prediction:
    """Ask for a ratio, such as how many times longer a loop takes than its batch.

    The reader moves the slider (from 1/100 to 1,000), or whoever has no slider gives the
    ``guess``; both may be left out. Afterwards `Prediction.outcome` shows guess and measurement
    side by side. Raises `ValueError` for a guess that is no ratio above 0.
    """
    return Prediction(question, guess)


class Prediction:
    """What `predict` returns. Show it by making it the last line of a cell."""

    def __init__(self, question: str, guess: float | None) -> None:
        if guess is not None and not (isinstance(guess, int | float) and 0 < guess < math.inf):
            raise ValueError(f"A guess is a ratio above 0, such as 2.5, but got {guess!r}.")
        self.question, self.guess = question, guess
        start = min(max(guess or 1.0, 0.01), 1000.0)
        self.widget = Controls([ratios("my guess", 0.01, 1000, start)], question)
        self.widget.observe(self._on_move, "values")

    def outcome(self, measured: float) -> str:
        """Guess and measurement in one sentence; ``measured`` is a ratio above 0."""
        if not 0 < measured < math.inf:
            raise ValueError(f"The outcome is a ratio above 0, such as 2.5, but got {measured!r}.")
        if self.guess is None:
            return f"You did not guess. Measured: {format_ratio(measured)}."
        ratio = self.guess / measured
        off = "within a tenth of it"
        if not 0.9 <= ratio <= 1.1:
            word = "too high" if ratio > 1 else "too low"
            off = f"your guess was {format_ratio(max(ratio, 1 / ratio))} {word}"
        return f"You guessed {format_ratio(self.guess)}. Measured: {format_ratio(measured)}, {off}."

    def _on_move(self, change: dict) -> None:
        self.guess = change["new"]["my guess"]

    def __repr__(self) -> str:
        said = "not made yet" if self.guess is None else format_ratio(self.guess)
        return f"{self.question}\nYour guess: {said}."

    def _repr_mimebundle_(self, **kwargs: Any) -> dict:
        live = self.widget._repr_mimebundle_(**kwargs)
        data = live[0] if isinstance(live, tuple) else live
        return {**(data or {}), "text/plain": repr(self)}
