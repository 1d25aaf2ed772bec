"""Sliders, menus and checkboxes that have a name for everybody, in any front end.

A control is made from the abbreviations of `ipywidgets.interact`: a pair is a range, a list a
choice, a bool a checkbox. It is drawn as the browser's own labelled control (``controls.js``), by
a widget that sends its value to the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anywidget
import traitlets

from utils.display.units import format_ratio

DECADES = 2  # a range of whole numbers wider than this steps in powers of two
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Control:
    """A named control, its possible values and the one that it starts with."""

    name: str
    kind: Literal["range", "choice", "check"]
    values: tuple[Any, ...]  # of a choice, or the steps of a range
    labels: tuple[str, ...]  # what a reader sees of each value
    start: Any
    typed: bool = False  # a range with a field into which any number between its ends can be typed

    def take(self, value: Any) -> Any:
        """``value`` as this control says it; raises `ValueError` for one out of its range."""
        if self.kind == "range":
            low, high = self.values[0], self.values[-1]
            whole = isinstance(low, int)
            number = isinstance(value, float) or hasattr(value, "__index__")
            if number and not isinstance(value, bool) and low <= value <= high:
                if not whole:
                    return float(value)
                if value == int(value):
                    return int(value)
            takes = f"{'whole numbers' if whole else 'numbers'} from {low:,} to {high:,}"
        else:
            for same_kind in (True, False):  # 0, False and 0.0 are equal, and may all be there
                for known in self.values:
                    if known == value and (type(known) is type(value) or not same_kind):
                        return known
            takes = ", ".join(map(str, self.values))
        raise ValueError(f"{self.name}={value!r} is out of range: this control takes {takes}.")

    def to_page(self, value: Any) -> Any:
        """A value as the page knows it: a number, a truth value, or the place of a choice."""
        if self.kind == "choice":
            return next(k for k, known in enumerate(self.values) if known is value)
        return value

    def from_page(self, sent: Any) -> Any:
        """A value from what the page sent; the nearest one, where that is out of range."""
        if self.kind == "choice":
            return self.values[int(sent)]
        if self.kind == "check":
            return bool(sent)
        low, high = self.values[0], self.values[-1]
        number = min(max(float(sent), low), high)
        return round(number) if isinstance(low, int) else number

    def described(self) -> dict[str, object]:
        """What the page has to know to draw it."""
        told: dict[str, object] = {"name": self.name, "kind": self.kind, "labels": self.labels}
        if self.kind == "range":
            told |= {"steps": self.values, "typed": self.typed}
        return told


def control(name: str, given: Any) -> Control:
    """A control for a pair (or a triple with a step), a list, a dict from labels, or a bool.

    A pair of whole numbers that lie more than two decades apart steps in powers of two. Raises
    `TypeError` for anything else.
    """
    if isinstance(given, bool):
        return Control(name, "check", (False, True), ("no", "yes"), given)
    if isinstance(given, Mapping) and given:
        return Control(
            name, "choice", tuple(given.values()), _texts(given), next(iter(given.values()))
        )
    if isinstance(given, list) and given:
        if all(isinstance(item, tuple) and len(item) == 2 for item in given):
            return control(name, dict(given))
        return choice(name, given)
    numbers = isinstance(given, tuple) and all(type(end) in (int, float) for end in given)
    if numbers and len(given) in (2, 3) and given[0] <= given[1]:
        steps = _steps(*given)
        if steps:
            labels = tuple(f"{value:,}" for value in steps)
            return Control(name, "range", steps, labels, steps[len(steps) // 2], typed=True)
    raise TypeError(
        f"{name}={given!r} is no range: give a pair of numbers for a slider, a list for a choice, "
        "or a bool for a checkbox."
    )


def choice(name: str, values: Sequence, start: object = None) -> Control:
    """A menu of ``values``; it starts with the first one unless told otherwise."""
    known = tuple(values)
    first = known[0] if start is None else start
    made = Control(name, "choice", known, _texts(known), first)
    return Control(name, "choice", known, made.labels, made.take(first))


def ratios(name: str, low: float, high: float, start: float) -> Control:
    """A slider for ratios from ``low`` to ``high``, with twenty steps for each factor of ten."""
    ends = [round(20 * math.log10(end)) for end in (low, high)]
    steps = tuple(10 ** (k / 20) for k in range(ends[0], ends[1] + 1))
    return Control(name, "range", steps, tuple(map(format_ratio, steps)), start)


class Controls(anywidget.AnyWidget):
    """Controls on a page. ``values`` is what they say, by name, as the page knows it."""

    _esm = "".join(
        (HERE / name).read_text("utf-8") for name in ("element.js", "controls.js", "guess.js")
    )
    _css = (HERE / "controls.css").read_text("utf-8")
    title = traitlets.Unicode().tag(sync=True)
    controls: traitlets.List = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init__(self, controls: Sequence[Control], title: str = "") -> None:
        described = [known.described() for known in controls]
        values = {known.name: known.to_page(known.start) for known in controls}
        super().__init__(controls=described, values=values, title=title)


def _steps(low: Any, high: Any, step: Any = None) -> tuple[Any, ...]:
    """The steps of a slider; none where they would be nonsense."""
    if step is not None and step <= 0:
        return ()
    if not all(type(n) is int for n in (low, high, step or 1)):
        step = (high - low) / 100 if step is None else step
        count = math.floor((high - low) / step + 1e-9) if step else 0
        return tuple(float(low + k * step) for k in range(count + 1))
    if step is None and 0 < low * 10**DECADES <= high:
        powers = (2**k for k in range(low.bit_length(), high.bit_length()))
        return tuple(sorted({low, high, *powers}))
    return tuple(range(low, high + 1, step or 1))


def _texts(values: Iterable) -> tuple[str, ...]:
    return tuple(map(str, values))
