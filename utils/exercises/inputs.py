"""The inputs of an exercise, fresh for each call."""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")


def copy_of(value: T) -> T:
    """A copy that keeps shapes, dtypes and strides."""
    copy: object = value
    if isinstance(value, torch.Tensor):
        copy = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(value)
    elif isinstance(value, np.ndarray):
        copy = value.copy(order="K")
    elif isinstance(value, list | tuple):
        copy = type(value)(copy_of(item) for item in value)
    return cast(T, copy)


def uniform(random: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Numbers from 0 to 1."""
    return torch.rand(shape, generator=random, dtype=dtype)


def normal(random: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Normally distributed numbers."""
    return torch.randn(shape, generator=random, dtype=dtype)


def scans(random: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Images of whole numbers from 0 to 16, as those of the digits."""
    return torch.randint(17, shape, generator=random).to(dtype)


def labels(random: torch.Generator, samples: int) -> Tensor:
    """A digit for each of the ``samples``."""
    return torch.randint(10, (samples,), generator=random)
