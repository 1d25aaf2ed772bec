"""The rows of an array in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod

import numpy as np
import torch
from torch import Tensor

_NUMPYS = range(8, 256)  # bytes of rows that NumPy takes in less time than index_select (measured)
_UNSIGNED = torch.uint16, torch.uint32, torch.uint64  # index_select is not implemented for these


class InMemory:
    """The rows of a tensor, or of an array in memory, which is not copied."""

    def __init__(self, source: Tensor | np.ndarray, dtype: torch.dtype):
        if isinstance(source, np.ndarray):
            steps = [stride % source.itemsize if stride >= 0 else 1 for stride in source.strides]
            if source.dtype.isnative and source.flags.writeable and not any(steps):
                source = torch.from_numpy(source)
        else:
            source = source.detach()
        self.array, self.dtype, self.shape = source, dtype, tuple(source.shape)
        self.device = source.device if isinstance(source, Tensor) else torch.device("cpu")
        self.plain = isinstance(source, Tensor)  # and no array that PyTorch cannot share

    def fill(self, starts: list[int], parts: Sequence[Tensor]) -> None:
        """Copy into each part the rows from its start on."""
        for start, part in zip(starts, parts, strict=True):
            rows = self.array[start : start + len(part)]
            if isinstance(rows, Tensor):
                part.copy_(rows)
            else:
                part.numpy()[...] = rows

    def opened(self) -> Callable[[Tensor], Tensor]:
        """What copies the rows whose numbers it gets, in their order."""
        return partial(select, torch.as_tensor(self.array))

    def expect(self, starts: list[int], counts: list[int]) -> None:
        """Nothing has to be fetched in advance."""

    def views(self, size: int) -> Iterator[Tensor]:
        """The rows in order, ``size`` at a time, without a copy where the array allows it."""
        for start in range(0, self.shape[0], size):
            part = self.array[start : start + size]
            yield part if isinstance(part, Tensor) else in_native_order(part, self.dtype)


def select(rows: Tensor, places: Tensor) -> Tensor:
    """A copy of some rows, the quickest way; NumPy also selects from uint16 and the like."""
    if not rows.is_cpu:
        return rows.index_select(0, places.to(rows.device))
    if rows.dtype in _UNSIGNED:
        return torch.from_numpy(rows.numpy()[places.numpy()])
    width = prod(rows.shape[1:]) * rows.dtype.itemsize
    if width not in _NUMPYS or not rows.is_contiguous():
        return rows.index_select(0, places)
    copy = torch.empty((len(places), *rows.shape[1:]), dtype=rows.dtype)
    # "clip" takes without a check: the places are ours
    _bytes(rows, width).take(places.numpy(), 0, _bytes(copy, width), "clip")
    return copy


def _bytes(rows: Tensor, width: int) -> np.ndarray:
    return rows.view(-1).view(torch.uint8).numpy().reshape(-1, width)


def in_native_order(array: np.ndarray, dtype: torch.dtype) -> Tensor:
    """The same values in a new tensor, whatever the order of their bytes and dimensions."""
    copy = torch.empty(array.shape, dtype=dtype)
    copy.numpy()[...] = array
    return copy
