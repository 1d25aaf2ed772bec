"""Functions that do more than return: that change inputs, old results, or their mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from utils.measuring.agreement import Agreement, ResultMismatchError, check_agreement
from utils.measuring.stopwatch import Side
from utils.tensors import snapshot, states


@dataclass(frozen=True)
class Returned:
    """What a side returned, and what it was at that moment."""

    name: str
    side: Side
    value: object
    at_return: object  # a copy
    states: list[object]


def first_result(side: Side, name: str) -> Returned:
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
    return Returned(name, side, value, snapshot(value), states(value))


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


def agreement_of(
    expected: Returned, actual: Returned, rtol: float | None, atol: float | None
) -> Agreement:
    """How far the two agree, as they were when they were returned.

    Raises `ResultMismatchError`; another one where a function, called again, disagrees with itself.
    """
    names = expected.name, actual.name
    try:
        return check_agreement(
            expected.at_return, actual.at_return, rtol=rtol, atol=atol, names=names
        )
    except ResultMismatchError as error:
        mismatch = error
    for returned in (expected, actual):
        try:
            again, _ = returned.side.time_once(returned.side.inputs)
            check_agreement(returned.at_return, again, rtol=rtol, atol=atol)
        except ResultMismatchError:
            raise ResultMismatchError(
                f"The {returned.name}, called twice with the same inputs, does not return the "
                "same, so it can agree with nothing. Something in it is random (dropout, sampling, "
                "memory that was never filled) or it counts its calls. Switch that off, such as "
                "with model.eval(), or call torch.manual_seed at the beginning of both functions."
            ) from None
        except Exception:  # an error of the function's own: the mismatch is the first to mend
            break
    raise mismatch


def changed_later(*results: Returned) -> list[str]:
    """What to say of each result that a later call has written into."""
    return [
        f"what the {returned.name} returned was changed by a later call: keep a copy of it"
        for returned in results
        if states(returned.value) != returned.states
    ]
