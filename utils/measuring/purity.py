"""Functions that do more than return: that change inputs, old results, or their mind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from utils.measuring.agreement import ResultMismatchError, check_agreement
from utils.measuring.stopwatch import Side
from utils.tensors import snapshot, states


@dataclass(frozen=True)
class Returned:
    """What a function returned, and what it was at that moment."""

    value: object
    at_return: object  # a copy
    states: list[object]


def first_result(side: Side) -> Returned:
    """Call the function for the first time, and insist on a result and on unchanged inputs.

    Raises `TypeError` for no result, and `ValueError`, which says what to do instead, if an input
    was changed in place.
    """
    before = [states(x) for x in side.inputs]
    value = side.first_call()
    if value is None:
        raise TypeError(f"{side.name} returned None: nothing to compare. Return the result.")
    for x, state in zip(side.inputs, before, strict=True):
        if states(x) != state:
            raise ValueError(
                f"{side.name} changes its inputs in place (they are changed now), so the next call "
                f"would work on other data. {_advice(x)}"
            )
    return Returned(value, snapshot(value), states(value))


def _advice(changed: object) -> str:
    if isinstance(changed, torch.nn.Module):
        name = type(changed).__name__
        if any(module.training for module in changed.modules()):
            return (
                f"The {name} is in training mode, in which layers such as batch norm keep counts. "
                "Call its eval() first, or let the function work on copy.deepcopy(module)."
            )
        return f"Let it work on a copy of the {name}: copy.deepcopy(module)."
    if isinstance(changed, np.ndarray):
        return "Let it work on a copy: x = x.copy()."
    return "Let it work on a copy: x = x.clone()."


def changed_later(results: Iterable[tuple[str, Returned]]) -> list[str]:
    """What to say of each named result that a later call has written into."""
    return [
        f"what the {name} returned was changed by a later call: keep a copy of it"
        for name, returned in results
        if states(returned.value) != returned.states
    ]


def explain(
    mismatch: ResultMismatchError,
    called: Iterable[tuple[str, Side, Returned]],
    rtol: float | None,
    atol: float | None,
) -> ResultMismatchError:
    """The mismatch; a clearer one if a function, called again, disagrees with itself."""
    for name, side, returned in called:
        try:
            again, _ = side.time_once(side.inputs)
            check_agreement(returned.at_return, again, rtol=rtol, atol=atol)
        except ResultMismatchError:
            return ResultMismatchError(
                f"The {name}, called twice with the same inputs, does not return the same, so it "
                "can agree with nothing. Something in it is random (dropout, sampling, memory that "
                "was never filled) or it counts its calls. Switch that off, such as with "
                "model.eval(), or call torch.manual_seed at the beginning of both functions."
            )
        except Exception:  # an error of the function's own: the mismatch stays the first to mend
            return mismatch
    return mismatch
