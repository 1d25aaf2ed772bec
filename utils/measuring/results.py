"""What `utils.timing` returns: figures that know how they were taken."""

from __future__ import annotations

import dataclasses
import statistics
from dataclasses import dataclass

from utils.devices import Conditions
from utils.display.tables import html_table
from utils.display.units import format_bytes, format_ratio, format_seconds
from utils.measuring.agreement import Agreement
from utils.measuring.disturbance import ALLOWED
from utils.measuring.pairs import busy
from utils.measuring.statistics import CONFIDENCE, median_interval

SAME = 1.05  # ratios from 1 / 1.05 to 1.05 are called the same


@dataclass(frozen=True, repr=False)
class Measurement:
    """How long one function took. All times are in seconds for one call."""

    name: str
    times: tuple[float, ...]  # one for each sample: the mean of its runs
    repeats: int  # runs in a sample
    items: int | None  # length of the batch, where the inputs show it
    timed_items: int | None  # fewer than `items` where only the first ones were timed
    peak_bytes: int | None  # the most memory that a run took, where the device can tell
    conditions: Conditions
    disturbed: float = 0.0  # share of the time, 0 to 1, that the machine worked for others
    doubt: float = 0.0  # share of the time, 0 to 1, that may be such a wait and is in the figures

    @property
    def runs(self) -> int:
        """How many runs of the function the figures are from."""
        return len(self.times) * self.repeats

    @property
    def median(self) -> float:
        """Median time of a run, in seconds; scaled to all items where fewer were timed."""
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
        if self.runs <= 2:
            marks.append(f"from {self.runs} run{'s' * (self.runs > 1)} only")
        if self.timed_items != self.items:
            marks.append(f"{self.timed_items:,} of {self.items:,} items, scaled")
        if self.doubt > ALLOWED:
            marks.append(busy(self.doubt, "up to "))
        return marks

    def __repr__(self) -> str:
        low, high = self.quartiles
        notes = self.marks if self.runs <= 2 else [f"{self.runs:,} runs", *self.marks]
        if self.peak_bytes is not None:
            notes.append(f"{format_bytes(self.peak_bytes)} at the peak")
        return "; ".join(
            [
                f"{self.name}: {format_seconds(self.median)} a run",
                f"the middle half {format_seconds(low)} to {format_seconds(high)}",
                *notes,
            ]
        )

    def _repr_html_(self) -> str:
        return html_table(_HEAD, [_row(self)], "", str(self.conditions))


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two functions that agree, and how many times faster the second is: a loop and a batch."""

    looped: Measurement
    batched: Measurement
    ratios: tuple[float, ...]  # looped time / batched time, one for each pair of samples
    agreement: Agreement  # of the two results
    rtol: float | None  # None: that of torch.testing.assert_close for the dtype
    atol: float | None
    names: tuple[str, str] = ("loop", "batch")  # what the two are called in words and tables
    slack: tuple[float, float] = (1.0, 1.0)  # by what doubt moves the ends of the interval
    marks: tuple[str, ...] = ()  # what a reader must know to trust the outcome, in words
    rotation: str = ""  # how the inputs were rotated, in words; empty: each call got the same

    @property
    def speedup(self) -> float:
        """Median of the paired ratios: at 2.0 the batch takes half the loop's time."""
        return statistics.median(self.ratios)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `speedup`; None where there are too few pairs for one.

        It is wider where the machine was busy: it holds what the speedup would be if all the
        time that may be lost had been lost by one side alone.
        """
        low, high, confidence = median_interval(self.ratios)
        return (low * self.slack[0], high * self.slack[1]) if confidence >= CONFIDENCE else None

    @property
    def max_difference(self) -> float:
        """The largest absolute difference between the two results."""
        return self.agreement.max_difference

    @property
    def outcome(self) -> str:
        """How the second named side does: "faster", "slower", "same" or "unclear".

        "same" is within 5 % for certain: the whole interval is. "unclear" is an interval that
        holds 1 and reaches further, or none.
        """
        if self.interval is None:
            return "unclear"
        low, high = self.interval
        if low >= 1 / SAME and high <= SAME:
            return "same"
        if low <= 1 <= high:
            return "unclear"
        return "faster" if low > 1 else "slower"

    @property
    def conclusive(self) -> bool:
        """True if one side is faster without doubt, by more than what is called the same."""
        return self.outcome in ("faster", "slower")

    @property
    def disturbed(self) -> float:
        """The share of the time, 0 to 1, that the machine worked for others meanwhile.

        What of it is known to be lost is not in the figures; `marks` names it where it may be.
        """
        return max(self.looped.disturbed, self.batched.disturbed)

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
        """The outcome in one sentence, with its `marks`."""
        slow, fast = map(_with_article, self.names)
        ratio, ends = self.speedup, self.interval
        if ratio < 1:
            slow, fast, ratio = fast, slow, 1 / ratio
            ends = ends and (1 / ends[1], 1 / ends[0])
        told = f"{slow} takes {format_ratio(ratio)} as long as {fast}"
        if ends is None:
            pairs = f"{len(self.ratios)} pair{'s' * (len(self.ratios) > 1)}"
            told += f" (from {pairs} only, too few for an interval)"
        else:
            if self.outcome == "same":
                told = f"the same within {100 * (SAME - 1):.0f} %"
            elif self.outcome == "unclear":
                told = "not conclusive: neither side is clearly faster"
            told += f" (95 % interval {format_ratio(ends[0])} to {format_ratio(ends[1])})"
        return "; ".join([told, *self.marks])

    def record(self) -> dict[str, object]:
        """All of it as one flat row, for a table or a file; times in seconds for a run."""
        row: dict[str, object] = {}
        for name, side in (("looped", self.looped), ("batched", self.batched)):
            first, last = side.quartiles
            row |= {f"{name}_s": side.median, f"{name}_q1_s": first, f"{name}_q3_s": last}
        low, high = self.interval or (None, None)
        row |= {"speedup": self.speedup, "speedup_low": low, "speedup_high": high}
        row |= {"outcome": self.outcome, "disturbed": self.disturbed}
        row |= {"max_difference": self.max_difference, "looped_items": self.looped.timed_items}
        row |= dataclasses.asdict(self.conditions) | {"marks": "; ".join(self.marks)}
        return row | {"looped_name": self.names[0], "batched_name": self.names[1]}

    @property
    def agreed(self) -> str:
        """How far the two results agree, in words."""
        told = f"the results agree, the largest difference is {self.max_difference:.1e}"
        if self.agreement.nans:
            told += f"; {self.agreement.nans:,} values are NaN on both sides"
        return told

    @property
    def notes(self) -> list[str]:
        """In words: how far the results agree, what the inputs were, what was taken off, where."""
        notes = [self.agreed, self.rotation]
        if self.disturbed > ALLOWED >= max(self.looped.doubt, self.batched.doubt):
            notes.append(f"{busy(self.disturbed)}; the figures are without it")
        return [*filter(None, notes), str(self.conditions)]

    def _named(self) -> list[Measurement]:
        """The two measurements under the names that the caller gave."""
        named = []
        for name, side in zip(self.names, (self.looped, self.batched), strict=True):
            known = side.name not in (name, "<lambda>")
            named.append(dataclasses.replace(side, name=f"{name} ({side.name})" if known else name))
        return named

    def __repr__(self) -> str:
        return "\n  ".join([self.verdict, *map(repr, self._named()), *self.notes])

    def _repr_html_(self) -> str:
        rows = [_row(side) for side in self._named()]
        return html_table(_HEAD, rows, self.verdict, "; ".join(self.notes))


_HEAD = ["timed", "time a run", "middle half", "time an item", "runs", "note"]


def _row(m: Measurement) -> list[str]:
    low, high = m.quartiles
    return [
        m.name,
        format_seconds(m.median),
        f"{format_seconds(low)} to {format_seconds(high)}",
        "" if m.per_item is None else format_seconds(m.per_item),
        f"{m.runs:,}",
        "; ".join([*m.marks, *([] if m.peak_bytes is None else [format_bytes(m.peak_bytes)])]),
    ]


def _with_article(name: str) -> str:
    """``loop`` is "the loop"; a name that a caller gave, such as ``batch_size=1``, is as it is."""
    return f"the {name}" if name in ("loop", "batch") else name
