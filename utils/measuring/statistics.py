"""Where a median lies, and how sure that is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

CONFIDENCE = 0.95


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


def disagreement(one: Sequence[float], other: Sequence[float]) -> tuple[float, float] | None:
    """The medians of two groups of values, if they differ by more than chance; else None.

    They do where the two intervals of `median_interval` do not touch. None also where a group has
    too few values for an interval.
    """
    if not one or not other:
        return None
    low, high, sure = median_interval(one)
    other_low, other_high, other_sure = median_interval(other)
    if min(sure, other_sure) < CONFIDENCE or (low <= other_high and other_low <= high):
        return None
    return statistics.median(one), statistics.median(other)
