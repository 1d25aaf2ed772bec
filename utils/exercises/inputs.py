"""The inputs of an exercise, fresh for each call."""

from __future__ import annotations

import numpy as np
import torch


def copy_of(value: object) -> object:
    """A copy that keeps shapes, dtypes and strides."""
    if isinstance(value, torch.Tensor):
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(value)
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    if isinstance(value, list | tuple):
        return type(value)(copy_of(item) for item in value)
    return value
