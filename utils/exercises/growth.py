"""Does an answer still loop? Its work may not grow with the number of samples.

Four witnesses are asked, from the most telling to the least: the PyTorch calls that the answer
makes itself, PyTorch's operations in all threads and in compiled code, lines of Python, and
memory, which grows with the square where every sample meets every other in vain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from utils.display.units import format_bytes
from utils.exercises.inputs import copy_of
from utils.exercises.verdict import WrongError
from utils.measuring.memory import peak_bytes
from utils.measuring.work import Work, observe

MOST_CALLS = 100  # a batch needs a handful; a loop of fixed length is a loop, too
NOISE = 10  # lines or operations that may be added without a loop
STEEP, SMALL = 24, 2**18  # memory times 24 for 8 times as many, from 256 KiB on: that is the square
ONE_BY_ONE = ("Tensor.apply_", "Tensor.map_", "Tensor.map2_")  # Python, for each number
LEAVING = (  # after these it is no longer PyTorch that does the work
    *("Tensor.numpy", "Tensor.__array__", "Tensor.__dlpack__"),
    *("Tensor.untyped_storage", "Tensor.storage", "Tensor.data_ptr"),
)


@dataclass(frozen=True)
class Allowance:
    """What may not grow, and what an answer may do about it."""

    what: str  # there is more and more of it
    may_iterate: bool = False  # Python may go through it, if no PyTorch call is made for each
    may_leave: bool = False  # NumPy may do the work as well as PyTorch


def check_growth(answer: Callable, few: tuple, many: tuple, allowed: Allowance) -> int:
    """How many PyTorch calls ``answer(*few)`` and ``answer(*many)`` take.

    Raises `WrongError` if the second takes more work than a batch does: more calls, or operations,
    or lines of Python, or memory that grows with the square; or if others than PyTorch do the
    work. Raises whatever the answer raises.
    """
    what = allowed.what
    little, much = _observed(answer, few), _observed(answer, many)
    if _grows(little, much):  # was it somebody else, or something that is compiled at first?
        little, much = _observed(answer, few), _observed(answer, many)
    _check_calls(little, much, what)
    _check_leaving(much, allowed.may_leave)
    _check_operations(little, much, what)
    if not allowed.may_iterate and much.lines - little.lines > NOISE:
        raise WrongError(
            f"the result is right, but Python still loops over the {what} (in {much.busiest}): "
            f"more of them take more lines of Python ({little.lines:,}, then {much.lines:,})."
        )
    if much.calls.total() > MOST_CALLS:
        raise WrongError(
            f"the result is right, but it makes {much.calls.total():,} PyTorch calls however many "
            f"{what} there are: a loop of fixed length is a loop, too."
        )
    _check_memory(answer, few, many, what)
    return much.calls.total()


def _observed(answer: Callable, inputs: tuple) -> Work:
    return observe(answer, *copy_of(inputs))


def _grows(little: Work, much: Work) -> bool:
    return (
        _added(little.calls, much.calls) > 0
        or _added(little.operations, much.operations) > NOISE
        or much.lines - little.lines > NOISE
    )


def _added(few: Counter[str], many: Counter[str]) -> int:
    return many.total() - few.total()


def _check_calls(little: Work, much: Work, what: str) -> None:
    if _added(little.calls, much.calls) > 0:
        name, extra = (much.calls - little.calls).most_common(1)[0]
        raise WrongError(
            f"the result is right, but it still loops over the {what}: more of them take more "
            f"PyTorch calls ({little.calls.total():,}, then {much.calls.total():,}), and {extra:,} "
            f"of those added go to {name}."
        )


def _check_leaving(much: Work, may_leave: bool) -> None:
    for name in ONE_BY_ONE:
        if much.calls[name]:
            raise WrongError(
                f"the result is right, but {name} calls Python for each number; that is a loop."
            )
    for name in () if may_leave else LEAVING:
        if much.calls[name]:
            raise WrongError(f"the result is right, but {name} leaves PyTorch; stay with tensors.")


def _check_operations(little: Work, much: Work, what: str) -> None:
    if _added(little.operations, much.operations) > NOISE:
        name, extra = (much.operations - little.operations).most_common(1)[0]
        raise WrongError(
            f"the result is right, but it still loops over the {what}, in compiled code or in "
            f"threads: more of them take more operations ({little.operations.total():,}, then "
            f"{much.operations.total():,}), and {extra:,} of those added are {name}."
        )


def _check_memory(answer: Callable, few: tuple, many: tuple, what: str) -> None:
    try:
        little, much = (peak_bytes(answer, *copy_of(inputs)) for inputs in (few, many))
    except Exception:  # it ran before: what cannot be counted is not held against it
        return
    if much > SMALL and much > STEEP * little:
        raise WrongError(
            f"the result is right, but eight times as many {what} take {much / little:.0f} times "
            f"as much memory ({format_bytes(little)}, then {format_bytes(much)}): each of them "
            "meets all the others, and most of that is thrown away."
        )
