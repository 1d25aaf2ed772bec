"""Do a loop and a batch return the same?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from utils.tensors import as_tensor, fields_of, form_of, is_foreign, is_record, kind

DENSEST = 2**30  # bytes; a sparse tensor is compared value by value, if these take no more


class ResultMismatchError(AssertionError):
    """Two functions that should agree do not; the message says where and by how much."""


@dataclass(frozen=True)
class Agreement:
    """How well two results agree."""

    max_difference: float  # the largest absolute difference, where neither is NaN
    nans: int  # values that are NaN in both


@dataclass(frozen=True)
class _Values:
    """An ordinary tensor, and how the values were kept in the result that it comes from."""

    tensor: torch.Tensor
    form: str  # as of `form_of`; "number" for Python's numbers, which have no dtype


def check_agreement(
    expected: object,
    actual: object,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    names: tuple[str, str] = ("loop", "batch"),
) -> Agreement:
    """Raise `ResultMismatchError` unless ``actual`` equals ``expected`` within the tolerance.

    Both are tensors, arrays, numbers, or lists, tuples, dicts and dataclasses of these. Tensors
    may be sparse, quantised or nested, on both sides alike. A list agrees with the stack of its
    elements, a list of tuples with the tuple of stacks, and a list of unequal elements with the
    nested tensor of them. Python's numbers take the dtype of the other side, if it is of the same
    kind. ``rtol`` and ``atol`` default to those of `torch.testing.assert_close` for the dtype
    (one step for 8-bit floats):
    https://docs.pytorch.org/docs/stable/testing.html#torch.testing.assert_close
    NaN agrees with NaN, and is counted. ``names`` are what a message calls the two. Raises
    `TypeError`, which names the kind of value, for what cannot be compared.
    """
    one, other = _values(expected), _values(actual)
    one, other = _aligned(one, other), _aligned(other, one)
    found = []
    try:
        for place, a, b in _side_by_side(one, other, ""):
            found.append(_compared(place, a, b, rtol, atol))
    except AssertionError as error:
        raise ResultMismatchError(
            f"The {names[1]} does not return what the {names[0]} returns, so comparing their speed "
            f"would mean nothing. Correct one of them first. {error}"
        ) from None
    except (TypeError, NotImplementedError, RuntimeError) as error:
        raise TypeError(
            f"The {names[0]} returned {kind(expected)} and the {names[1]} {kind(actual)}, which "
            "cannot be compared. Return a tensor, or a list, tuple or dict of tensors."
            + (f" ({error})" if isinstance(error, RuntimeError) else "")
        ) from None
    return Agreement(
        max_difference=max((f.max_difference for f in found), default=0.0),
        nans=sum(f.nans for f in found),
    )


def _values(value: object) -> Any:
    """``value`` with `_Values` for tensors, arrays and numbers, and for lists of equal shape.

    A list of tuples or dicts, one for each sample, becomes a tuple or dict of stacks.
    """
    if isinstance(value, torch.Tensor):
        return _dense(value)
    if isinstance(value, bool | int | float | complex):
        return _numbers(value)
    if is_foreign(value):
        return _dense(as_tensor(value))
    if is_record(value):
        value = fields_of(value)
    if isinstance(value, Mapping):
        return {name: _values(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_values, value))
    if not isinstance(value, list) or not value:
        return value
    if all(isinstance(item, bool | int | float | complex) for item in value):
        return _numbers(value)
    items = [_values(item) for item in value]
    if all(isinstance(item, tuple) and len(item) == len(items[0]) for item in items):
        return tuple(_stack(list(column)) for column in zip(*items, strict=True))
    if all(isinstance(item, dict) and item.keys() == items[0].keys() for item in items):
        return {name: _stack([item[name] for item in items]) for name in items[0]}
    return _stack(items)


def _dense(tensor: torch.Tensor) -> Any:
    """The values of a tensor of any form as an ordinary one; of a nested one, a list of rows."""
    if hasattr(tensor, "get_mask"):
        raise TypeError(
            f"{kind(tensor)} cannot be compared: what it hides is no value. Return an ordinary "
            "tensor, such as x.to_tensor(0)."
        )
    form, tensor = form_of(tensor), tensor.detach()
    if form == "nested":
        return _stack([_dense(row) for row in tensor.unbind()])
    try:
        if form == "quantized":
            tensor = tensor.dequantize()
        elif form.startswith("float8"):
            tensor = tensor.to(torch.float32)
        elif form != "strided":
            if tensor.numel() * tensor.dtype.itemsize > DENSEST:
                raise TypeError(
                    f"{kind(tensor)} is too large to be compared value by value. "
                    "Return its values alone, such as x.coalesce().values()."
                )
            tensor = tensor.to_dense()
    except (RuntimeError, NotImplementedError) as error:
        raise TypeError(
            f"{kind(tensor)} cannot be compared: PyTorch cannot make an ordinary tensor of it "
            f"({error}). Return one, such as x.to_dense() or x.float()."
        ) from None
    return _Values(tensor, form)


def _numbers(value: Any) -> _Values:
    """Python numbers, which have no dtype of their own."""
    items = value if isinstance(value, list) else [value]
    real = any(isinstance(item, float) for item in items)
    return _Values(torch.tensor(value, dtype=torch.float64 if real else None), "number")


def _stack(items: list) -> Any:
    """One `_Values` for several of equal shape and form; else the list as it is."""
    if not all(isinstance(item, _Values) for item in items):
        return items
    if len({(item.tensor.shape, item.form) for item in items}) != 1:
        return items
    return _Values(torch.stack([item.tensor for item in items]), items[0].form)


def _aligned(value: Any, other: Any) -> Any:
    """``value`` in the form of ``other``, where both can mean the same."""
    if isinstance(other, _Values):
        if isinstance(value, tuple):
            value = _stack(list(value))
        if isinstance(value, list) and not value and other.tensor.ndim and not len(other.tensor):
            return other  # a loop over nothing, and a batch of nothing
        if isinstance(value, _Values) and value.form == "number" != other.form:
            mine, its = value.tensor, other.tensor
            if _category(mine) == _category(its):
                mine = mine.to(its.device, its.dtype)
            return _Values(mine, other.form)
    elif isinstance(value, tuple | list) and isinstance(other, type(value)):
        if len(value) == len(other):
            return type(value)(map(_aligned, value, other))
    elif isinstance(value, dict) and isinstance(other, dict) and value.keys() == other.keys():
        return {name: _aligned(item, other[name]) for name, item in value.items()}
    return value


def _category(tensor: torch.Tensor) -> str:
    if tensor.dtype == torch.bool:
        return "bool"
    return "number" if tensor.is_floating_point() or tensor.is_complex() else "integer"


def _side_by_side(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Each part of ``one`` with the part of ``other`` at the same place."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            raise AssertionError(
                f"The keys are {sorted(map(str, one))} and {sorted(map(str, other))}."
            )
        for name in one:
            yield from _side_by_side(one[name], other[name], f"{place}[{name!r}]")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        if len(one) != len(other):
            raise AssertionError(f"There are {len(one)} and {len(other)} results{_at(place)}.")
        for index, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _side_by_side(a, b, f"{place}[{index}]")
    else:
        yield place, one, other


def _at(place: str) -> str:
    return f" at result{place}" if place else ""


def _compared(
    place: str, one: Any, other: Any, rtol: float | None, atol: float | None
) -> Agreement:
    """How two parts agree; `AssertionError` if not."""
    if not isinstance(one, _Values) and isinstance(one, str | bytes | None):
        if type(one) is type(other) and one == other:
            return Agreement(0.0, 0)
        if isinstance(other, str | bytes | None):
            raise AssertionError(f"{one!r} is not {other!r}{_at(place)}.")
    if not (isinstance(one, _Values) and isinstance(other, _Values)):
        raise TypeError
    a, b = one.tensor, other.tensor
    if one.form != other.form:
        raise AssertionError(f"One is {one.form}, the other {other.form}{_at(place)}.")
    if one.form.startswith("float8") and rtol is None and atol is None:
        rtol, atol = torch.finfo(getattr(torch, one.form)).eps, 0.0
    try:
        torch.testing.assert_close(b, a, rtol=rtol, atol=atol, equal_nan=True)
    except AssertionError as error:
        raise AssertionError(f"{error}{_at(place)}") from None
    return Agreement(_largest_difference(a, b), 0 if a.is_meta else int(a.isnan().sum()))


def _largest_difference(expected: torch.Tensor, actual: torch.Tensor) -> float:
    if not expected.numel() or expected.device.type == "meta":
        return 0.0
    wide = torch.complex128 if expected.is_complex() else torch.float64
    difference = (expected.cpu().to(wide) - actual.cpu().to(wide)).abs()
    return difference.nan_to_num(nan=0.0, posinf=0.0).max().item()
