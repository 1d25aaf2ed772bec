"""A loop that is too slow for the budget is timed on its first items, if it is a loop over them."""

from __future__ import annotations

from collections.abc import Mapping

from utils.measuring.agreement import check_agreement
from utils.measuring.stopwatch import Side
from utils.tensors import first_items


def leading_items(side: Side, whole: object, target: float) -> int | None:
    """How many items from the first on take about ``target`` seconds; None: time all of them.

    ``whole`` is the result for all items. None is returned also where fewer items would not tell
    the time of all: where they do not give the beginning of ``whole`` (the function is no loop
    over the first dimension), or where half the items do not take about half the time.
    """
    items, estimate = side.items or 1, side.one_call().seconds
    count = max(1, int(items * target / estimate))
    while count < items:
        seconds = _seconds_for(side, count, whole, target)
        if seconds is None or (seconds > target and seconds / count > 3 * estimate / items):
            return None
        fitting = int(count * target / seconds)
        if fitting < 2 * count:
            return count if _in_proportion(side, count, seconds) else None
        count = fitting
    return None


def _seconds_for(side: Side, count: int, whole: object, target: float) -> float | None:
    """How long the first items take; None unless they give the beginning of ``whole``.

    It is the shorter of two calls, if there is time: others may have the core in between.
    """
    inputs = first_items(side.inputs, count)
    try:
        part, seconds = side.time_once(inputs)
        check_agreement(_beginning(whole, count), part)
        return seconds if seconds > 10 * target else min(seconds, side.time_once(inputs)[1])
    except Exception:  # whatever a function may raise that is not made for fewer items
        return None


def _in_proportion(side: Side, count: int, seconds: float) -> bool:
    """Half the items take about half the time: no set-up outweighs them, no item grows."""
    if count < 4:
        return True
    half = first_items(side.inputs, count // 2)
    return 0.3 < min(side.time_once(half)[1], side.time_once(half)[1]) / seconds < 0.75


def _beginning(result, count: int):
    """The first ``count`` rows of a result, or of each part of it."""
    if isinstance(result, Mapping):
        return {name: _beginning(part, count) for name, part in result.items()}
    if isinstance(result, tuple):
        return tuple(_beginning(part, count) for part in result)
    return result[:count]
