"""Inputs that no cache holds: copies that together are larger than it, used in turn."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from utils.devices import free_bytes, last_level_cache
from utils.display.units import format_bytes
from utils.measuring.stopwatch import Side
from utils.tensors import leaves

MOST_COPIES = 1024  # small tensors take memory beside their values, and time to make


def rotate_copies(sides: Sequence[Side]) -> str:
    """Let each side be called with copies of its inputs in turn; return in words how many.

    They are so many that a side's copies together exceed the last cache of its device: at least
    two, at most what a quarter of the free memory holds, and 1,024. Raises `ValueError` where the
    inputs hold no values that could be copied.
    """
    size, device = bytes_of(sides[0].inputs), sides[-1].device
    if not size:
        raise ValueError(
            "cold=True needs tensors or arrays among the inputs, to make copies of; the functions "
            "were given none. Pass what they read as inputs."
        )
    cache = last_level_cache(device)
    fitting = free_bytes(device) // 4 // size // len(sides)
    count = max(2, min(1 + cache // size, fitting, MOST_COPIES))
    for side in sides:
        side.rotate([copied(side.inputs) for _ in range(count)])
    told = f"each side read {count:,} copies of its inputs in turn ({format_bytes(count * size)})"
    if count * size > cache:
        return f"{told}, more than the cache of {format_bytes(cache)} holds"
    return f"{told}, which the cache of {format_bytes(cache)} may hold"


def bytes_of(inputs: object) -> int:
    """Bytes of all values in tensors and arrays."""
    kinds = torch.Tensor | np.ndarray
    return sum(leaf.nbytes for leaf in leaves(inputs) if isinstance(leaf, kinds))


def copied(value: Any) -> Any:
    """``value`` with copies of its tensors, arrays and modules; what they belong to is kept."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copied, value))
    if isinstance(value, list | tuple):
        return type(value)(map(copied, value))
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    return copy.deepcopy(value) if isinstance(value, np.ndarray | torch.nn.Module) else value
