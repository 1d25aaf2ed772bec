"""The rows of an array in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

_PICKED = 512  # bytes from which on copying a row twice costs more than a cache saves (measured)
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
        # whether rows are picked one by one, and not by way of a chunk's blocks
        self.picked = isinstance(source, Tensor) and row_bytes(self) >= _PICKED

    def fill(self, starts: list[int], parts: Sequence[Tensor]) -> None:
        """Copy into each part the rows from its start on."""
        for start, part in zip(starts, parts, strict=True):
            rows = self.array[start : start + len(part)]
            if isinstance(rows, Tensor):
                part.copy_(rows)
            else:
                part.numpy()[...] = rows

    def pick(self, rows: Tensor) -> Tensor:
        """A copy of these rows, in this order."""
        return select(torch.as_tensor(self.array), rows)

    def expect(self, starts: list[int], counts: list[int]) -> None:
        """Nothing has to be fetched in advance."""

    def views(self, size: int) -> Iterator[Tensor]:
        """The rows in order, ``size`` at a time, without a copy where the array allows it."""
        for start in range(0, self.shape[0], size):
            part = self.array[start : start + size]
            yield part if isinstance(part, Tensor) else in_native_order(part, self.dtype)


def row_bytes(rows: InMemory) -> int:
    """Bytes of one row."""
    return int(np.prod(rows.shape[1:], dtype=np.int64)) * rows.dtype.itemsize


def select(rows: Tensor, places: Tensor) -> Tensor:
    """A copy of some rows; by way of NumPy for what PyTorch cannot select from, such as uint16."""
    if not rows.is_cpu:
        return rows.index_select(0, places.to(rows.device))
    if rows.dtype in _UNSIGNED:
        return torch.from_numpy(rows.numpy()[places.numpy()])
    return rows.index_select(0, places)


def in_native_order(array: np.ndarray, dtype: torch.dtype) -> Tensor:
    """The same values in a new tensor, whatever the order of their bytes and dimensions."""
    copy = torch.empty(array.shape, dtype=dtype)
    copy.numpy()[...] = array
    return copy
