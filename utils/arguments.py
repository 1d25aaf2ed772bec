"""Sizes and counts as people give them: a clear error for what is none."""

from __future__ import annotations


def positive(name: str, value: int) -> int:
    """``value`` as an int; `TypeError` or `ValueError` unless it is a whole number from 1 on."""
    return _whole(name, value, least=1)


def not_negative(name: str, value: int) -> int:
    """``value`` as an int; `TypeError` or `ValueError` unless it is a whole number from 0 on."""
    return _whole(name, value, least=0)


def _whole(name: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is a whole number, but got {value!r}.")
    if value.__index__() >= 2**63:
        raise ValueError(f"{name} is less than 2**63, but got {value}.")
    if value.__index__() < least:
        raise ValueError(f"{name} is {least} or more, but got {value}.")
    return value.__index__()


def boolean(name: str, value: bool) -> bool:
    """``value``; `TypeError` unless it is True or False."""
    if value not in (True, False):
        raise TypeError(f"{name} is True or False, but got {value!r}.")
    return bool(value)
