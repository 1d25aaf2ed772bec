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

    Both are tensors, arrays, numbers, or lists, tuples and dicts of these; a list agrees with
    the stack of its elements. ``rtol`` and ``atol`` default to those of
    `torch.testing.assert_close` for the dtype:
    https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close
    NaN agrees with NaN, and is counted. Raises `TypeError` for what cannot be compared.
    """
    expected, actual = _stacked(expected, actual), _stacked(actual, expected)
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


def _stacked(value: object, other: object) -> object:
    """``value``, stacked if it is a list, or a tuple where ``other`` is one tensor."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, torch.Tensor):
        return value
    one = isinstance(other, torch.Tensor)
    if isinstance(value, list) and not value and one and not len(other):
        return other  # a loop over nothing, and a batch of nothing
    if not value or not (isinstance(value, list) or (isinstance(value, tuple) and one)):
        return value
    try:
        if isinstance(value[0], torch.Tensor):
            return torch.stack(list(value))
        return torch.tensor(value, dtype=getattr(other, "dtype", None)) if one else value
    except (RuntimeError, TypeError, ValueError):
        return value


def _largest_difference(expected: torch.Tensor, actual: torch.Tensor) -> float:
    if not expected.numel() or expected.device.type == "meta":
        return 0.0
    wide = torch.complex128 if expected.is_complex() else torch.float64
    difference = (expected.detach().cpu().to(wide) - actual.detach().cpu().to(wide)).abs()
    return difference.nan_to_num(nan=0.0, posinf=0.0).max().item()
