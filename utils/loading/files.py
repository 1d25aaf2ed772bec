"""The rows of an array that stays in its file.

A file is opened for each read and closed after it. So nothing has to be pickled but its path,
nothing of it stays in memory, and a change of the file is noticed before it is read.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from utils.loading.in_memory import in_native_order

_WINDOW = 2**24  # bytes of a file that are mapped at once: each mapping has its price
_EXPECTED = 2**17  # bytes: more at once, and Linux fetches a part of them only


class InFile:
    """The rows of an array in a file: what is kept is the path, and what the file looked like."""

    device = torch.device("cpu")

    def __init__(self, path: str, array: np.ndarray, offset: int, dtype: torch.dtype):
        self.path, self.dtype, self.shape = path, dtype, array.shape
        self._offset, self._stored = offset, array.dtype
        self._by_rows = array.flags.c_contiguous
        self._width = prod(array.shape[1:], start=array.dtype.itemsize)  # of a row, in bytes
        # whether the file's bytes are the rows, one after the other, as PyTorch has them
        self.plain = array.dtype.isnative and self._by_rows and array.size > 0
        self._stamp = _stamp(path)

    def fill(self, starts: list[int], parts: Sequence[Tensor]) -> None:
        """Read into each part the rows from its start on."""
        self.check()
        if not self.plain:
            rows = self._map()
            for start, part in zip(starts, parts, strict=True):
                part.numpy()[...] = rows[start : start + len(part)]
            return
        with open(self.path, "rb", buffering=0) as file:
            for start, part in zip(starts, parts, strict=True):
                file.seek(self._offset + start * self._width)
                left = memoryview(part.numpy().data).cast("B")
                while left and (got := file.readinto(left)):
                    left = left[got:]
                if left:
                    raise self._changed("has become shorter")

    def opened(self) -> Callable[[Tensor], Tensor]:
        """What copies the rows whose numbers it gets, in their order.

        Pages of the file that it has read stay in memory until it is gone.
        """
        self.check()
        pages = self._map()

        def pick(rows: Tensor) -> Tensor:
            self.check()  # a file that has become shorter would end the process
            picked = torch.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
            # "clip" takes without a check, and so without a copy more
            pages.take(rows.numpy(), 0, picked.numpy(), "clip")
            return picked

        return pick

    def expect(self, starts: list[int], counts: list[int]) -> None:
        """Let the system fetch these blocks from the disk while something else is done.

        What it has fetched lies in its cache and not in our memory, and nothing has to be ended.
        """
        if not hasattr(os, "posix_fadvise"):
            return
        self.check()
        with open(self.path, "rb", buffering=0) as file:
            for start, count in zip(starts, counts, strict=True):
                first = self._offset + start * self._width
                for place in range(first, first + count * self._width, _EXPECTED):
                    length = min(_EXPECTED, first + count * self._width - place)
                    os.posix_fadvise(file.fileno(), place, length, os.POSIX_FADV_WILLNEED)

    def views(self, size: int) -> Iterator[Tensor]:
        """The rows in order, ``size`` at a time: pages of the file, until the tensors are gone.

        What is written into a tensor stays in memory and does not reach the file.
        """
        window = max(1, _WINDOW // max(1, size * self._width)) * size
        for start in range(0, self.shape[0], window):
            self.check()
            stop = min(start + window, self.shape[0])
            if self.plain:
                yield from self._pages(start, stop).split(size)
            else:
                for first in range(start, stop, size):
                    yield in_native_order(self._map()[first : min(first + size, stop)], self.dtype)

    def _pages(self, start: int, stop: int) -> Tensor:
        first, length = self._offset + start * self._width, (stop - start) * self._width
        skip = first % mmap.ALLOCATIONGRANULARITY
        with open(self.path, "rb") as file:
            pages = mmap.mmap(
                file.fileno(), skip + length, offset=first - skip, access=mmap.ACCESS_COPY
            )
        flat = torch.frombuffer(pages, dtype=torch.uint8, offset=skip, count=length)
        return flat.view(self.dtype).view(stop - start, *self.shape[1:])

    def _map(self) -> np.memmap:
        order: Literal["C", "F"] = "C" if self._by_rows else "F"
        return np.memmap(self.path, self._stored, "r", self._offset, self.shape, order)

    def check(self) -> None:
        """Raise `RuntimeError` if the file is no longer the one that was opened."""
        try:
            now = _stamp(self.path)
        except FileNotFoundError:
            now = None
        if now != self._stamp:
            raise self._changed("has gone" if now is None else "has changed")

    def _changed(self, what: str) -> RuntimeError:
        return RuntimeError(
            f"{self.path} {what} since it was opened, so its rows are no longer those that were "
            "announced. Leave the file alone while it is read, and write a new version under a "
            "new name."
        )


def _stamp(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino
