"""Sizes and counts as people give them: a clear error for what is none."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np


def positive(name: str, value: int) -> int:
    """``value`` as an int; `TypeError` or `ValueError` unless it is a whole number from 1 on."""
    return _whole(name, value, least=1)


def not_negative(name: str, value: int) -> int:
    """``value`` as an int; `TypeError` or `ValueError` unless it is a whole number from 0 on."""
    return _whole(name, value, least=0)


def _whole(name: str, value: int, least: int) -> int:
    number = _index(value)
    if number is None:
        raise TypeError(f"{name} is a whole number, but got {value!r}.")
    if number >= 2**63:
        raise ValueError(f"{name} is less than 2**63, but got {value}.")
    if number < least:
        raise ValueError(f"{name} is {least} or more, but got {value}.")
    return number


def _index(value: object) -> int | None:
    """A whole number of Python, NumPy or PyTorch (a tensor without dimensions) as an int.

    None for everything else: True and False, 1.0, and a list or a tensor that holds one number.
    """
    if isinstance(value, bool) or getattr(value, "shape", ()) != ():
        return None
    if str(getattr(value, "dtype", "")).removeprefix("torch.") == "bool":
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def two_names(names: Sequence[str]) -> tuple[str, str]:
    """``names`` as a tuple; `TypeError` or `ValueError` unless they are two different texts."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'names are two texts, such as ("loop", "batch"), but got {names!r}.')
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f'names are two texts, such as ("loop", "batch"), but got {names!r}.')
    if len(names) != 2 or names[0] == names[1] or not all(map(str.strip, names)):
        raise ValueError(f"names are two texts that differ, but got {names!r}.")
    return names[0], names[1]


def boolean(name: str, value: bool) -> bool:
    """``value``; `TypeError` unless it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is True or False, but got {value!r}.")
    return bool(value)
