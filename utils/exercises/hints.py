"""Hints: the kind of mistake that a wrong result shows."""

from __future__ import annotations

from collections.abc import Callable

import torch

from utils.devices import tensors_in
from utils.exercises.exercise import Exercise
from utils.exercises.inputs import copy_of


def shape_hint(got: torch.Size, expected: torch.Size) -> str:
    """The kind of mistake that a wrong shape shows."""
    if not got:
        return "one number for the whole batch, where each sample has its own result."
    if got == expected[1:]:
        return "the batch dimension is gone; each sample has its own result."
    plain = [[n for n in shape if n != 1] for shape in (got, expected)]
    if plain[0] == plain[1] and len(got) != len(expected):
        more = len(got) > len(expected)
        return f"there is a dimension of size 1 too {'many' if more else 'few'}."
    if sorted(got) == sorted(expected):
        return "the right dimensions in the wrong order; the batch comes first."
    if got.numel() == expected.numel():
        return "the right number of elements, but not a dimension for each thing they stand for."
    if len(got) == len(expected):
        return "the right number of dimensions, but not the right sizes."
    return f"{len(got)} dimensions, expected {len(expected)}."


def name_mistake(
    wanted: Exercise, inputs: tuple, got: object, expected: object, passed: list[tuple]
) -> str:
    """The kind of mistake that a result of the right form with wrong values shows.

    Of the known mistakes that give this result, the one is named that is right on the inputs that
    the answer has ``passed``, if there is one.
    """
    found = [name for name in wanted.mistakes if _gives(wanted, wanted.mistakes[name], inputs, got)]
    for name in found:
        if all(_is_right(wanted, wanted.mistakes[name], earlier) for earlier in passed):
            return f"{name}."
    if found:
        return f"{found[0]}."
    pairs = zip(tensors_in(got), tensors_in(expected), strict=True)
    got, expected = next(pair for pair in pairs if not same(*pair))
    if got.is_floating_point() and got.isnan().any() and not expected.isnan().any():
        return (
            "its result holds NaN, and the loop's does not: is there a 0 / 0 (clamp the count), or "
            "0 times NaN or infinity (choose with torch.where)?"
        )
    if not got.dim():
        return f"it returns {got.item():g} where the loop returns {expected.item():g}."
    different = (got != expected).reshape(len(got), -1).any(dim=1)
    first = int(different.nonzero()[0])
    return (
        f"the form is right and the values are not: {int(different.sum())} of {len(got)} samples "
        f"differ from the loop's, the first of them at index {first}."
    )


def _gives(wanted: Exercise, mistaken: Callable, inputs: tuple, result: object) -> bool:
    try:
        mistake = wanted.use(mistaken, *copy_of(inputs))
        torch.testing.assert_close(result, mistake, equal_nan=True)
    except Exception:  # this mistake gives another result, or none for these inputs
        return False
    return True


def _is_right(wanted: Exercise, mistaken: Callable, inputs: tuple) -> bool:
    return _gives(wanted, mistaken, inputs, wanted.use(wanted.loop, *copy_of(inputs)))


def same(
    one: torch.Tensor, other: torch.Tensor, rtol: float | None = None, atol: float | None = None
) -> bool:
    """Whether two tensors are close enough, NaN being like NaN."""
    try:
        torch.testing.assert_close(one, other, equal_nan=True, rtol=rtol, atol=atol)
    except AssertionError:
        return False
    return True
