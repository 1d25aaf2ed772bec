"""What `utils.timing` returns: figures that know how they were taken."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.devices import Conditions
from utils.display.tables import html_table, text_table, write_csv
from utils.display.units import format_bytes, format_ratio, format_seconds
from utils.measuring.agreement import Agreement
from utils.measuring.statistics import CONFIDENCE, median_interval


@dataclass(frozen=True, repr=False)
class Measurement:
    """How long one function took. All times are in seconds for one call."""

    name: str
    times: tuple[float, ...]  # one for each sample: the mean of several calls, if they are short
    calls: int
    items: int | None  # length of the batch, where the inputs show it
    timed_items: int | None  # fewer than `items` where only the first ones were timed
    peak_bytes: int | None  # the most memory that a call took, where the device can tell
    conditions: Conditions

    @property
    def median(self) -> float:
        """Median time of a call, in seconds; scaled to all items where fewer were timed."""
        return statistics.median(self.times)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The middle half of the samples lies between these, in seconds."""
        if len(self.times) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return low, high

    @property
    def per_item(self) -> float | None:
        """Median time for one item of the batch, in seconds."""
        return self.median / self.items if self.items else None

    def share_of(self, least_seconds: float) -> float:
        """Which share of the possible speed it reaches, given the time it takes at least."""
        return least_seconds / self.median

    @property
    def marks(self) -> list[str]:
        """What a reader must know to trust the figure; empty for an ordinary one."""
        marks = []
        if self.calls <= 2:
            marks.append(f"from {self.calls} call{'s' * (self.calls > 1)} only")
        if self.timed_items != self.items:
            marks.append(f"{self.timed_items:,} of {self.items:,} items, scaled")
        return marks

    def __repr__(self) -> str:
        low, high = self.quartiles
        notes = self.marks if self.calls <= 2 else [f"{self.calls:,} calls", *self.marks]
        if self.peak_bytes is not None:
            notes.append(f"{format_bytes(self.peak_bytes)} at the peak")
        return "; ".join(
            [
                f"{self.name}: {format_seconds(self.median)} a call",
                f"the middle half {format_seconds(low)} to {format_seconds(high)}",
                *notes,
            ]
        )

    def _repr_html_(self) -> str:
        return html_table(_HEAD, [_row(self)], "", str(self.conditions))


@dataclass(frozen=True, repr=False)
class Comparison:
    """A loop and a batch that agree, and how many times faster the batch is."""

    looped: Measurement
    batched: Measurement
    ratios: tuple[float, ...]  # looped time / batched time, one for each pair of samples
    agreement: Agreement  # of the two results
    rtol: float | None  # None: that of torch.testing.assert_close for the dtype
    atol: float | None

    @property
    def speedup(self) -> float:
        """Median of the paired ratios: at 2.0 the batch takes half the loop's time."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `speedup`; None where there are too few pairs for one."""
        low, high, confidence = median_interval(self.ratios)
        return (low, high) if confidence >= CONFIDENCE else None

    @property
    def max_difference(self) -> float:
        """The largest absolute difference between the two results."""
        return self.agreement.max_difference

    @property
    def conclusive(self) -> bool:
        """True if the interval leaves no doubt which side is faster."""
        return self.interval is not None and not self.interval[0] <= 1 <= self.interval[1]

    @property
    def items(self) -> int | None:
        """Length of the batch, where the inputs show it."""
        return self.batched.items

    @property
    def conditions(self) -> Conditions:
        """Device, dtype, threads, grad mode and versions."""
        return self.batched.conditions

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        slow, fast, ratio = ("loop", "batch", self.speedup)
        ends = self.interval
        if self.speedup < 1:
            slow, fast, ratio = ("batch", "loop", 1 / self.speedup)
            ends = ends and (1 / ends[1], 1 / ends[0])
        told = f"the {slow} takes {format_ratio(ratio)} as long as the {fast}"
        if ends is None:
            pairs = f"{len(self.ratios)} pair{'s' * (len(self.ratios) > 1)}"
            return f"{told} (from {pairs} only, too few for an interval)"
        spread = f"(95 % interval {format_ratio(ends[0])} to {format_ratio(ends[1])})"
        if not self.conclusive:
            return f"not conclusive: neither side is clearly faster {spread}"
        return f"{told} {spread}"

    def record(self) -> dict[str, object]:
        """All of it as one flat row, for a table or a file; times in seconds for a call."""
        row: dict[str, object] = {}
        for name, side in (("looped", self.looped), ("batched", self.batched)):
            low, high = side.quartiles
            row |= {f"{name}_s": side.median, f"{name}_q1_s": low, f"{name}_q3_s": high}
        low, high = self.interval or (None, None)
        row |= {"speedup": self.speedup, "speedup_low": low, "speedup_high": high}
        row |= {"max_difference": self.max_difference, "looped_items": self.looped.timed_items}
        return row | dataclasses.asdict(self.conditions)

    @property
    def agreed(self) -> str:
        """How far the two results agree, in words."""
        told = f"the results agree, the largest difference is {self.max_difference:.1e}"
        if self.agreement.nans:
            told += f"; {self.agreement.nans:,} values are NaN on both sides"
        return told

    def __repr__(self) -> str:
        lines = [self.verdict, repr(self.looped), repr(self.batched), self.agreed]
        return "\n  ".join([*lines, str(self.conditions)])

    def _repr_html_(self) -> str:
        rows = [_row(self.looped), _row(self.batched)]
        return html_table(_HEAD, rows, self.verdict, f"{self.agreed}; {self.conditions}")


class Sweep(list[Comparison]):
    """Comparisons over a range of sizes, smallest first: a list that prints as a table."""

    def __init__(self, comparisons: Sequence[Comparison] = (), sizes: Sequence[int] = ()):
        super().__init__(comparisons)
        self.sizes = list(sizes)

    @property
    def crossover(self) -> int | None:
        """The first size from which on the batch is faster without doubt; None if there is none."""
        found = None
        for size, comparison in zip(reversed(self.sizes), reversed(self), strict=True):
            if not (comparison.conclusive and comparison.speedup > 1):
                break
            found = size
        return found

    def save(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each size (times in seconds) and return its path."""
        rows = zip(self.sizes, self, strict=True)
        return write_csv(path, [{"size": size, **c.record()} for size, c in rows])

    def _rows(self) -> list[list[str]]:
        return [
            [
                f"{size:,}",
                format_seconds(comparison.looped.median / (size or 1)),
                format_seconds(comparison.batched.median / (size or 1)),
                format_ratio(comparison.speedup),
                "too few pairs"
                if comparison.interval is None
                else " to ".join(map(format_ratio, comparison.interval)),
                "; ".join(comparison.looped.marks),
            ]
            for size, comparison in zip(self.sizes, self, strict=True)
        ]

    def __repr__(self) -> str:
        lines = [text_table(_SWEEP_HEAD, self._rows()), *(str(c.conditions) for c in self[:1])]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        caption = str(self[0].conditions) if self else "nothing measured"
        return html_table(_SWEEP_HEAD, self._rows(), "", caption)


_HEAD = ["", "time a call", "middle half", "time an item", "calls", "note"]
_SWEEP_HEAD = ["size", "loop / item", "batch / item", "speedup", "95 % interval", "note"]


def _row(m: Measurement) -> list[str]:
    low, high = m.quartiles
    return [
        m.name,
        format_seconds(m.median),
        f"{format_seconds(low)} to {format_seconds(high)}",
        "" if m.per_item is None else format_seconds(m.per_item),
        f"{m.calls:,}",
        "; ".join([*m.marks, *([] if m.peak_bytes is None else [format_bytes(m.peak_bytes)])]),
    ]
