"""Do a loop and a batch return the same?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from utils.devices import tensors_in


class ResultMismatchError(AssertionError):
    """Two functions that should agree do not; the message says where and by how much."""


@dataclass(frozen=True)
class Agreement:
    """How well two results agree."""

    max_difference: float  # the largest absolute difference, where neither is NaN
    nans: int  # values that are NaN in both


def check_agreement(
    expected: object, actual: object, *, rtol: float | None = None, atol: float | None = None
) -> Agreement:
    """Raise `ResultMismatchError` unless ``actual`` equals ``expected`` within the tolerance.

    Both are tensors, arrays, numbers, or lists, tuples and dicts of these. A list agrees with
    the stack of its elements, and a list of tuples with the tuple of stacks. Python's numbers
    take the dtype of the other side, if it is of the same kind. ``rtol`` and ``atol`` default to
    those of `torch.testing.assert_close` for the dtype:
    https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close
    NaN agrees with NaN, and is counted. Raises `TypeError` for what cannot be compared.
    """
    expected, actual = _as_tensors(expected), _as_tensors(actual)
    expected, actual = _aligned(expected, actual), _aligned(actual, expected)
    try:
        torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=True)
    except AssertionError as error:
        raise ResultMismatchError(
            "The batch does not return what the loop returns, so comparing their speed would mean "
            f"nothing. Correct one of them first. {error}"
        ) from None
    except TypeError:
        raise TypeError(
            f"The loop returned {kind(expected)} and the batch {kind(actual)}, which cannot be "
            "compared. Return a tensor, or a list, tuple or dict of tensors."
        ) from None
    pairs = list(zip(tensors_in(expected), tensors_in(actual), strict=True))
    return Agreement(
        max_difference=max((_largest_difference(*pair) for pair in pairs), default=0.0),
        nans=sum(int(value.isnan().sum()) for value, _ in pairs if not value.is_meta),
    )


def kind(value: object) -> str:
    """The type of ``value`` in words, with shape and dtype where it has them."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and {value.dtype}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and {value.dtype}"
    if isinstance(value, list | tuple) and value:
        return f"a {type(value).__name__} of {len(value)} ({kind(value[0])}, …)"
    return "None" if value is None else f"a {type(value).__name__}"


def _as_tensors(value: object) -> object:
    """``value`` with tensors for arrays and numbers, and stacks for lists of equal shape.

    A list of tuples or dicts, one for each sample, becomes a tuple or dict of stacks.
    """
    if isinstance(value, np.ndarray | np.generic):
        return torch.from_numpy(np.array(value))
    if isinstance(value, bool | int | float | complex):
        return _plain(value)
    if isinstance(value, dict):
        return {name: _as_tensors(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_as_tensors(item) for item in value)
    if not isinstance(value, list) or not value:
        return value
    if all(isinstance(item, bool | int | float | complex) for item in value):
        return _plain(value)
    items = [_as_tensors(item) for item in value]
    if all(isinstance(item, tuple) and len(item) == len(items[0]) for item in items):
        return tuple(_stack(list(column)) for column in zip(*items, strict=True))
    if all(isinstance(item, dict) and item.keys() == items[0].keys() for item in items):
        return {name: _stack([item[name] for item in items]) for name in items[0]}
    return _stack(items)


def _plain(value: object) -> torch.Tensor:
    """Python numbers as a tensor that remembers having had no dtype of its own."""
    tensor = torch.tensor(value, dtype=torch.float64 if _holds_float(value) else None)
    tensor.plain = True
    return tensor


def _holds_float(value: object) -> bool:
    return any(isinstance(item, float) for item in (value if isinstance(value, list) else [value]))


def _stack(items: list) -> object:
    shapes = {item.shape if isinstance(item, torch.Tensor) else None for item in items}
    if len(shapes) != 1 or None in shapes:
        return items
    stacked = torch.stack(items)
    if all(hasattr(item, "plain") for item in items):
        stacked.plain = True
    return stacked


def _aligned(value: object, other: object) -> object:
    """``value`` in the form of ``other``, where both can mean the same."""
    if isinstance(other, torch.Tensor):
        if isinstance(value, tuple):
            value = _stack(list(value))
        if isinstance(value, list) and not value and other.ndim and not len(other):
            return other  # a loop over nothing, and a batch of nothing
        if hasattr(value, "plain") and _category(value) == _category(other):
            return value.to(other.device, other.dtype)
    elif isinstance(value, tuple) and isinstance(other, tuple) and len(value) == len(other):
        return tuple(map(_aligned, value, other))
    elif isinstance(value, dict) and isinstance(other, dict) and value.keys() == other.keys():
        return {name: _aligned(item, other[name]) for name, item in value.items()}
    return value


def _category(tensor: torch.Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "bool"
    return "number" if tensor.is_floating_point() or tensor.is_complex() else "integer"


def _largest_difference(expected: torch.Tensor, actual: torch.Tensor) -> float:
    if not expected.numel() or expected.device.type == "meta":
        return 0.0
    wide = torch.complex128 if expected.is_complex() else torch.float64
    difference = (expected.detach().cpu().to(wide) - actual.detach().cpu().to(wide)).abs()
    return difference.nan_to_num(nan=0.0, posinf=0.0).max().item()
