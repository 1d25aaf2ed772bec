"""Pairs of samples, one of each side: which are used, and how much they leave in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from utils.display.units import format_ratio
from utils.measuring.disturbance import ALLOWED, Sample
from utils.measuring.statistics import disagreement, median_interval

LEAST_PAIRS = 6  # fewer cannot give a 95 % interval
Taken = TypeVar("Taken", "Pair", Sample)
SURE = 0.999  # the confidence of an interval on a busy machine
TOLD = 1.25  # parts of a comparison that differ by more than this are named


@dataclass(frozen=True)
class Pair:
    """Two neighbouring samples."""

    looped: Sample
    batched: Sample
    loop_first: bool

    @property
    def ratio(self) -> float:
        """Seconds of the looped sample for each second of the batched one."""
        return self.looped.seconds / self.batched.seconds

    @property
    def doubt(self) -> float:
        """The share of a sample's time that may be lost: that of the side with more."""
        return max(self.looped.doubt, self.batched.doubt)


def undoubted(taken: Sequence[Taken]) -> Sequence[Taken]:
    """Those samples, or pairs, that lost nearly nothing; all of them if these are too few."""
    clean = [one for one in taken if one.doubt <= ALLOWED]
    return clean if len(clean) >= LEAST_PAIRS else taken


def lost(samples: Sequence[Sample]) -> float:
    """The share of the time of ``samples`` that went to others, 0 to 1."""
    return sum(sample.waited for sample in samples) / sum(sample.wall for sample in samples)


def in_doubt(samples: Sequence[Sample]) -> float:
    """The share of the figures from ``samples`` that may be time lost to others, 0 to 1."""
    doubts = [sample.doubt * sample.seconds for sample in samples]
    return sum(doubts) / sum(sample.seconds for sample in samples)


def slack_and_marks(pairs: Sequence[Pair]) -> tuple[tuple[float, float], tuple[str, ...]]:
    """By which factors doubt moves the ends of the interval, and what must be said about it.

    Time that may be lost moves the lower end as if the first side alone had lost it, the upper
    end as if the second had. Time that was lost and taken off leaves cold caches behind, so the
    interval is that of `SURE`; where there are too few pairs for it, the widest that they give, and
    as far again to both sides. Where the beginning and the end of the measurement disagree by more
    than chance, or the pairs in which one and the other side came first, the interval holds both.
    """
    ratios = [p.ratio for p in pairs]
    looped, batched = [p.looped for p in pairs], [p.batched for p in pairs]
    down, up = 1 - in_doubt(looped), 1 / (1 - in_doubt(batched))
    share = max(in_doubt(looped), in_doubt(batched))
    marks = [busy(share, "up to ")] if share > ALLOWED else []
    third = len(pairs) // 3
    low, high, _ = median_interval(ratios)
    if lost([*looped, *batched]) > ALLOWED:
        lowest, highest, sure = median_interval(ratios, SURE)
        if sure < SURE:  # too few pairs for it
            lowest, highest = lowest**2 / highest, highest**2 / lowest
        down, up = down * lowest / low, up * highest / high
    for words, one, other in (
        (
            "something changed meanwhile: the first and the last third differ",
            pairs[:third],
            pairs[len(pairs) - third :],
        ),
        (
            "it matters which side comes first: the two orders differ",
            [p for p in pairs if p.loop_first],
            [p for p in pairs if not p.loop_first],
        ),
    ):
        medians = disagreement([p.ratio for p in one], [p.ratio for p in other])
        if medians is not None:
            down = min(down, *(median / low for median in medians))
            up = max(up, *(median / high for median in medians))
            if max(medians) > TOLD * min(medians):
                marks.append(f"{words} by {format_ratio(max(medians) / min(medians))}")
    return (down, up), tuple(marks)


def busy(share: float, sure: str = "") -> str:
    """The sentence about a share of the time, 0 to 1, that was lost, or "up to " that share."""
    return f"this machine was busy: {sure}{100 * share:.0f} % of the time went elsewhere"
