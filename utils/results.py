"""What `utils.timing` returns: figures that know how they were taken."""

from __future__ import annotations

import csv
import dataclasses
import html
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.agreement import Agreement
from utils.devices import Conditions

CONFIDENCE = 0.95


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
            notes.append(f"{amount(self.peak_bytes)} at the peak")
        return "; ".join(
            [
                f"{self.name}: {seconds(self.median)} a call",
                f"the middle half {seconds(low)} to {seconds(high)}",
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
        told = f"the {slow} takes {times(ratio)} as long as the {fast}"
        if ends is None:
            pairs = f"{len(self.ratios)} pair{'s' * (len(self.ratios) > 1)}"
            return f"{told} (from {pairs} only, too few for an interval)"
        spread = f"(95 % interval {times(ends[0])} to {times(ends[1])})"
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
                seconds(comparison.looped.median / (size or 1)),
                seconds(comparison.batched.median / (size or 1)),
                times(comparison.speedup),
                "too few pairs"
                if comparison.interval is None
                else " to ".join(map(times, comparison.interval)),
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


def median_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """``(low, high, confidence)``: where the median lies that ``values`` scatter around.

    A value falls above the true median as often as below: a fair coin. So the true median lies
    between the k-th smallest and the k-th largest value unless fewer than k coins of n fell on
    one side, and those odds are known. Nothing else about the noise is assumed, so outliers do no
    harm. Fewer than six values cannot reach 95 %; the confidence they reach is returned.
    """
    ordered, n = sorted(values), len(values)
    k, reached = 1, 1 - 2 * 0.5**n
    while k + 1 <= n / 2:
        odds = 1 - 2 * sum(math.comb(n, heads) for heads in range(k + 1)) / 2**n
        if odds < confidence:
            break
        k, reached = k + 1, odds
    return ordered[k - 1], ordered[n - k], reached


def write_csv(path: str | Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write rows that share their keys to a CSV file, and return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return Path(path)


def seconds(value: float) -> str:
    """A time with three figures and a readable unit: ``seconds(0.0123) == "12.3 ms"``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * size:
            return f"{_figures(value / size)} {unit}"
    return f"{_figures(value / 1e-9)} ns"


def times(ratio: float) -> str:
    """A ratio with three figures and a sign: ``times(2.5) == "2.50×"``."""
    return f"{_figures(ratio)}×"


def amount(size: float) -> str:
    """Bytes in a readable unit: ``amount(3 * 2**20) == "3.00 MiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1000 or unit == "GiB":
            return f"{size:.0f} B" if unit == "B" else f"{_figures(size)} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def _figures(value: float) -> str:
    """Three figures: 1.23, 12.3, 123, 1,230."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    value = float(f"{value:.3g}")
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


_HEAD = ["", "time a call", "middle half", "time an item", "calls", "note"]
_SWEEP_HEAD = ["size", "loop / item", "batch / item", "speedup", "95 % interval", "note"]


def _row(m: Measurement) -> list[str]:
    low, high = m.quartiles
    return [
        m.name,
        seconds(m.median),
        f"{seconds(low)} to {seconds(high)}",
        "" if m.per_item is None else seconds(m.per_item),
        f"{m.calls:,}",
        "; ".join([*m.marks, *([] if m.peak_bytes is None else [amount(m.peak_bytes)])]),
    ]


def text_table(head: list[str], rows: list[list[str]]) -> str:
    """A table in plain text, its columns aligned on the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(map(str.rjust, row, widths)).rstrip() for row in [head, *rows])
    return "\n".join(lines)


def html_table(head: list[str], rows: list[list[str]], title: str, caption: str) -> str:
    """A table in HTML, with a title above and a caption below; an empty last column is left out."""
    if not any(row[-1] for row in rows):  # no notes: no column for them
        head, rows = head[:-1], [row[:-1] for row in rows]
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + f'<th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    title = f"<p><strong>{html.escape(title)}</strong></p>" if title else ""
    return (
        f"{title}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
        f"<p><small>{html.escape(caption)}</small></p>"
    )
