"""What `utils.timing.sweep` returns: comparisons over a range of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from utils.display.tables import html_table, text_table, write_csv
from utils.display.units import format_ratio, format_seconds
from utils.measuring.results import Comparison


class Sweep(list[Comparison]):
    """Comparisons over a range of sizes, in their order: a list that prints as a table.

    Where a size failed, `failed_size` and `error` tell which and why, and the list holds the sizes
    before it.
    """

    def __init__(self, comparisons: Sequence[Comparison] = (), sizes: Sequence[int] = ()):
        super().__init__(comparisons)
        self.sizes = list(sizes)
        self.failed_size: int | None = None
        self.error: Exception | None = None

    @property
    def names(self) -> tuple[str, str]:
        """What the two sides are called."""
        return self[0].names if self else ("loop", "batch")

    @property
    def crossover(self) -> int | None:
        """The first size from which on the second side is faster; None if there is none.

        From there on the intervals lie above 1. A single one that holds 1 between two that lie
        above is taken for noise; so is one at the end, if its speedup is above 1.
        """
        found = None
        for index in reversed(range(len(self))):
            if self._above(index):
                found = self.sizes[index]
            elif not self._noisy(index):
                break
        return found

    def _above(self, index: int) -> bool:
        interval = self[index].interval
        return interval is not None and interval[0] > 1

    def _noisy(self, index: int) -> bool:
        """One point that tells nothing, beside points that do."""
        if not index or self[index].outcome != "unclear" or not self._above(index - 1):
            return False
        last = index == len(self) - 1
        return self[index].speedup > 1 if last else self._above(index + 1)

    def save(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each size (times in seconds) and return its path."""
        rows = zip(self.sizes, self, strict=True)
        return write_csv(path, [{"size": size, **c.record()} for size, c in rows])

    def _table(self) -> tuple[list[str], list[list[str]]]:
        head = ["size", *(f"{name} / item" for name in self.names)]
        head += ["speedup", "95 % interval", "outcome", "note"]
        rows = []
        for size, c in zip(self.sizes, self, strict=True):
            sides = (c.looped, c.batched)
            interval = (
                "too few pairs"
                if c.interval is None
                else "{} to {}".format(*map(format_ratio, c.interval))
            )
            marks = dict.fromkeys(
                mark for marks in (*[s.marks for s in sides], c.marks) for mark in marks
            )
            rows.append(
                [
                    f"{size:,}",
                    *(format_seconds(side.median / (size or 1)) for side in sides),
                    format_ratio(c.speedup),
                    interval,
                    c.outcome,
                    "; ".join(marks),
                ]
            )
        return head, rows

    def _last_line(self) -> str:
        told = [str(self[0].conditions)] if self else []
        if self.error is not None:
            reason = str(self.error).strip().partition("\n")[0]
            told.insert(
                0, f"stopped at size {self.failed_size:,}: {type(self.error).__name__}: {reason}"
            )
        return "; ".join(told) or "nothing measured"

    def __repr__(self) -> str:
        return f"{text_table(*self._table())}\n{self._last_line()}"

    def _repr_html_(self) -> str:
        return html_table(*self._table(), "", self._last_line())
