"""A guess before the measurement, and both side by side afterwards."""

from __future__ import annotations

import html
import math

import ipywidgets as widgets

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
        self.question, self._given = question, guess
        self._moved = False
        self._slider = widgets.FloatLogSlider(
            min=-2, max=3, step=0.05, value=min(max(guess or 1, 0.01), 1000), description="my guess"
        )
        self._slider.readout_format = ".2f"
        self._slider.layout.width = "480px"
        self._slider.observe(self._on_move, "value")
        asked = widgets.HTML(f"<strong>{html.escape(question)}</strong>")
        self.widget = widgets.VBox([asked, self._slider])

    @property
    def guess(self) -> float | None:
        """The guess, or None if none was made."""
        return self._slider.value if self._moved else self._given

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

    def _on_move(self, change: object) -> None:
        self._moved = True

    def __repr__(self) -> str:
        said = "not made yet" if self.guess is None else format_ratio(self.guess)
        return f"{self.question}\nYour guess: {said}."

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": repr(self)}
