"""Plain data between the process of a submission and the judge: text, and never a pickle.

Numbers, strings, lists, tuples, dicts, tensors, arrays and tables are written as JSON, the
contents of tensors as base64. What is derived from one of these is written as it: a named tuple
as a tuple, an ordered dict as a dict, a subclass of tensors as the numbers that it holds. Whatever
else there is arrives as an object that has nothing but the name of its type. So reading what a
submission sends runs none of its code.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Literal

import numpy as np
import pandas as pd
import torch

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
        *(torch.complex64, torch.complex128),
    )
}
_PLAIN = (type(None), bool, int, float, str)


class UnreadableError(ValueError):
    """What came is no such text."""


def write(value: object) -> str:
    """The text for ``value``."""
    return json.dumps(_written(value))


def read(text: str, *, strides: bool = False) -> object:
    """The value that a text stands for; raises `UnreadableError` for anything else.

    Tensors come out contiguous, unless ``strides`` are to be kept: only where the sender is
    trusted, since strides can claim any amount of memory.
    """
    try:
        return _read(json.loads(text), strides)
    except (ValueError, TypeError, KeyError, RuntimeError, RecursionError, OverflowError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from None


def _written(value: object) -> object:
    form = type(value)
    if form in _PLAIN:
        return value
    # the type itself is asked: an object can claim any class
    if issubclass(form, torch.Tensor):
        return _tensor(torch.Tensor.as_subclass(value, torch.Tensor).detach())  # type: ignore
    if issubclass(form, np.ndarray | np.generic):
        return _array(np.asarray(value))  # type: ignore[call-overload]
    if issubclass(form, pd.DataFrame):
        return _frame(value)
    if issubclass(form, list):
        return {"list": [_written(item) for item in list.__iter__(value)]}  # type: ignore
    if issubclass(form, tuple):
        return {"tuple": [_written(item) for item in tuple.__iter__(value)]}  # type: ignore
    if issubclass(form, dict):
        return {"dict": [[_written(key), _written(item)] for key, item in dict.items(value)]}  # type: ignore
    for base in (int, float, str):
        if issubclass(form, base):
            return base(value)  # type: ignore
    return {"other": form.__name__}


def _tensor(value: torch.Tensor) -> object:
    name = str(value.dtype).removeprefix("torch.")
    if value.layout != torch.strided or value.is_nested or name not in _DTYPES:
        return {"other": "nested tensor" if value.is_nested else f"{value.layout} {name} tensor"}
    whole = value.cpu().resolve_conj().resolve_neg()
    flat = torch.empty(value.numel(), dtype=value.dtype)
    flat.view(value.shape).copy_(whole)
    content = flat.view(torch.uint8).numpy().tobytes()
    shape, strides = list(value.shape), list(value.stride())
    return {"tensor": [name, shape, strides, _packed(content)]}


def _array(value: np.ndarray) -> object:
    if value.dtype.kind not in "biufc":
        return {"other": f"NumPy array of {value.dtype}"}
    order: Literal["F", "C"] = (
        "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
    )
    return {"array": [value.dtype.str, list(value.shape), order, _packed(value.tobytes(order))]}


def _frame(table: object) -> object:
    assert isinstance(table, pd.DataFrame)
    columns = [table.iloc[:, place] for place in range(table.shape[1])]
    contents = [
        _array(column.to_numpy()) if column.dtype.kind in "biuf" else [str(one) for one in column]
        for column in columns
    ]
    return {"frame": [table.columns.tolist(), table.index.tolist(), contents]}


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _read(value: object, strides: bool) -> object:
    if type(value) in _PLAIN:
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("neither a plain value nor a dict with one key")
    ((form, content),) = value.items()
    if form == "list":
        return [_read(item, strides) for item in content]
    if form == "tuple":
        return tuple(_read(item, strides) for item in content)
    if form == "dict":
        return {_read(key, strides): _read(item, strides) for key, item in content}
    if form == "tensor":
        name, shape, steps, packed = content
        return _read_tensor(name, shape, steps if strides else None, packed)
    if form == "array":
        return _read_array(*content)
    if form == "frame":
        return _read_frame(*content)
    if form == "other":
        return type(str(content)[:80], (), {})()
    raise ValueError(f"nothing is called {form!r}")


def _read_tensor(name: str, shape: list, strides: list | None, packed: str) -> torch.Tensor:
    content, dtype = bytearray(base64.b64decode(packed, validate=True)), _DTYPES[name]
    _check(shape, dtype.itemsize, len(content))
    if not content:
        return torch.empty(shape, dtype=dtype)
    whole = torch.frombuffer(content, dtype=dtype).reshape(shape)
    if strides is None:
        return whole
    return torch.empty_strided(shape, strides, dtype=dtype).copy_(whole)


def _read_array(name: str, shape: list, order: str, packed: str) -> np.ndarray:
    content, dtype = base64.b64decode(packed, validate=True), np.dtype(str(name))
    if dtype.kind not in "biufc" or order not in ("C", "F"):
        raise ValueError(f"no array of {name!r}")
    _check(shape, dtype.itemsize, len(content))
    return np.frombuffer(bytearray(content), dtype).reshape(shape, order=order)  # type: ignore


def _check(shape: list, size: int, there: int) -> None:
    if not all(type(side) is int and 0 <= side < 2**40 for side in shape):
        raise ValueError(f"no shape: {shape}")
    if math.prod(shape) * size != there:
        raise ValueError(f"{there} bytes for the shape {shape}")


def _read_frame(names: list, index: list, contents: list) -> pd.DataFrame:
    columns = [
        pd.Series(_read(one, False) if isinstance(one, dict) else one, index=index)
        for one in contents
    ]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=index)
    table.columns = pd.Index(names)
    return table
