"""Where rows come from: an array in memory, or one that stays in its file.

A file is opened for each read and closed after it. So nothing has to be pickled but its path,
nothing of it stays in memory, and a change of the file is noticed before it is read.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from utils.arguments import positive

_UNSIGNED = torch.uint16, torch.uint32, torch.uint64  # index_select is not implemented for these
_WINDOW = 2**24  # bytes of a file that are mapped at once: each mapping has its price

Source = Tensor | np.ndarray | str | os.PathLike


@dataclass(frozen=True)
class Chunk:
    """Blocks of neighbouring rows that are read together, and the order they are wanted in."""

    starts: Tensor  # the first row of each block (int64)
    counts: Tensor  # its number of rows (int64)
    order: Tensor  # places in the chunk (int64), counted through its blocks


class InMemory:
    """The rows of a tensor, or of an array in memory, which is not copied."""

    def __init__(self, source: Tensor | np.ndarray, name: str):
        if isinstance(source, np.ndarray):
            self.dtype = _torch_dtype(source, name)
            steps = [stride % source.itemsize if stride >= 0 else 1 for stride in source.strides]
            if source.dtype.isnative and source.flags.writeable and not any(steps):
                source = torch.from_numpy(source)
        else:
            self.dtype, source = source.dtype, source.detach()
        self.array = source
        self.shape = tuple(source.shape)
        self.device = source.device if isinstance(source, Tensor) else torch.device("cpu")

    def fill(self, starts: list[int], parts: Sequence[Tensor]) -> None:
        """Copy into each part the rows from its start on."""
        for start, part in zip(starts, parts, strict=True):
            rows = self.array[start : start + len(part)]
            if isinstance(rows, Tensor):
                part.copy_(rows)
            else:
                part.numpy()[...] = rows

    def views(self, size: int) -> Iterator[Tensor]:
        """The rows in order, ``size`` at a time, without a copy where the array allows it."""
        for start in range(0, self.shape[0], size):
            part = self.array[start : start + size]
            yield part if isinstance(part, Tensor) else _copy(part, self.dtype)


class InFile:
    """The rows of an array in a file: what is kept is the path, and what the file looked like."""

    device = torch.device("cpu")

    def __init__(self, path: str, array: np.memmap):
        self.path = path
        self.dtype = _torch_dtype(array, path)
        self.shape = array.shape
        self._layout = {"dtype": array.dtype, "shape": array.shape, "offset": array.offset}
        self._layout["order"] = "C" if array.flags.c_contiguous else "F"
        self._width = prod(array.shape[1:], start=array.dtype.itemsize)  # of a row, in bytes
        self._plain = array.dtype.isnative and array.flags.c_contiguous and array.size > 0
        self._stamp = _stamp(path)

    def fill(self, starts: list[int], parts: Sequence[Tensor]) -> None:
        """Read into each part the rows from its start on."""
        self.check()
        if not self._plain:
            for start, part in zip(starts, parts, strict=True):
                part.numpy()[...] = self._map()[start : start + len(part)]
            return
        with open(self.path, "rb", buffering=0) as file:
            for start, part in zip(starts, parts, strict=True):
                file.seek(self._layout["offset"] + start * self._width)
                left = memoryview(part.numpy()).cast("B")
                while left and (got := file.readinto(left)):
                    left = left[got:]
                if left:
                    raise self._changed("has become shorter")

    def views(self, size: int) -> Iterator[Tensor]:
        """The rows in order, ``size`` at a time: pages of the file, until the tensors are gone.

        What is written into a tensor stays in memory and does not reach the file.
        """
        window = max(1, _WINDOW // max(1, size * self._width)) * size
        for start in range(0, self.shape[0], window):
            self.check()
            stop = min(start + window, self.shape[0])
            if self._plain:
                yield from self._pages(start, stop).split(size)
            else:
                for first in range(start, stop, size):
                    yield _copy(self._map()[first : min(first + size, stop)], self.dtype)

    def _pages(self, start: int, stop: int) -> Tensor:
        first, length = self._layout["offset"] + start * self._width, (stop - start) * self._width
        skip = first % mmap.ALLOCATIONGRANULARITY
        where = {"length": skip + length, "offset": first - skip, "access": mmap.ACCESS_COPY}
        with open(self.path, "rb") as file:
            pages = mmap.mmap(file.fileno(), **where)
        flat = torch.frombuffer(pages, dtype=torch.uint8, offset=skip, count=length)
        return flat.view(self.dtype).view(stop - start, *self.shape[1:])

    def _map(self) -> np.memmap:
        return np.memmap(self.path, mode="r", **self._layout)

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


def reader(rows: InMemory | InFile) -> Callable[[Chunk, int], Iterator[Tensor]]:
    """A function that yields copies of a chunk's rows in its order, so many at a time.

    It puts the blocks side by side first, in memory that it uses again for each chunk: picking
    rows from there is fast, since it fits into a cache.
    """
    buffer = torch.empty((0, *rows.shape[1:]), dtype=rows.dtype, device=rows.device)

    def read(chunk: Chunk, size: int) -> Iterator[Tensor]:
        nonlocal buffer
        counts = chunk.counts.tolist()
        if sum(counts) > len(buffer):
            buffer = buffer.new_empty((sum(counts), *rows.shape[1:]))
        rows.fill(chunk.starts.tolist(), buffer[: sum(counts)].split(counts))
        for places in chunk.order.split(size):
            yield _select(buffer, places)

    return read


def open_rows(source: Source) -> InMemory | InFile:
    """The rows of a tensor, an array, a memory-mapped array, or a ``.npy`` file given by its path.

    Raises `FileNotFoundError`, `ValueError` for what is no whole array of rows, and `TypeError`
    for what PyTorch has no dtype for.
    """
    if isinstance(source, np.memmap) and source.base is not None:
        return _open_map(source)
    if isinstance(source, np.ndarray | Tensor):
        name = f"the array of shape {tuple(source.shape)}"
        if not source.ndim:
            raise ValueError("A single number has no rows. Give an array of at least 1 dimension.")
        if isinstance(source, np.ma.MaskedArray):
            raise TypeError(f"{name} is masked, and its mask would be lost. Give array.filled(…).")
        if isinstance(source, Tensor) and (source.layout != torch.strided or source.is_meta):
            form = "meta" if source.is_meta else str(source.layout)
            raise TypeError(f"{name} is a {form} tensor, which has no rows to read one by one.")
        return InMemory(source, name)
    if isinstance(source, str | os.PathLike):
        return _open_file(os.path.abspath(source))
    cure = "Convert it with np.asarray, or save it with np.save."
    if isinstance(source, list | tuple):
        cure = "Several arrays are given one by one; a list of numbers with np.asarray."
    raise TypeError(
        f"Rows come from a tensor, a NumPy array or the path of a .npy file, but got a "
        f"{type(source).__name__}. {cure}"
    )


def open_equally_long(sources: Sequence[Source]) -> list[InMemory | InFile]:
    """All ``sources`` opened; `ValueError` if there are none or they differ in length."""
    opened = [open_rows(source) for source in sources]
    if not opened:
        raise ValueError("No array was given. Give one or more, such as the inputs and the labels.")
    lengths = [rows.shape[0] for rows in opened]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"The arrays have {' and '.join(map(str, lengths))} rows. Row i of each belongs to "
            "sample i, so all need the same number."
        )
    return opened


def chunks(source: Source, rows: int) -> Iterator[Tensor]:
    """The rows of ``source`` in order, ``rows`` at a time: how to go through a file once.

    ``source`` is the path of a ``.npy`` file, or a tensor or array in memory. Each tensor has
    shape (rows, …), the last one fewer, and is a view: of the array, or of pages of the file,
    16 MiB of which stay in memory at a time, or one chunk if that is more. What you write into
    it changes an array in memory, and never a file. Errors as in `ChunkedRows`.
    """
    return open_rows(source).views(positive("rows", rows))


def _select(rows: Tensor, places: Tensor) -> Tensor:
    """A copy of some rows; by way of NumPy for what PyTorch cannot select from, such as uint16."""
    if rows.dtype in _UNSIGNED and rows.device.type == "cpu":
        return torch.from_numpy(rows.numpy()[places.numpy()])
    return rows.index_select(0, places.to(rows.device))


def _copy(array: np.ndarray, dtype: torch.dtype) -> Tensor:
    """The same values in a new tensor, whatever the order of their bytes and dimensions."""
    copy = torch.empty(array.shape, dtype=dtype)
    copy.numpy()[...] = array
    return copy


def _torch_dtype(array: np.ndarray, name: str) -> torch.dtype:
    try:
        return torch.from_numpy(np.empty(0, array.dtype.newbyteorder("="))).dtype
    except TypeError:
        raise TypeError(
            f"PyTorch has no dtype for the {array.dtype} of {name}. Convert the array to numbers "
            "first, such as array.astype(np.float32)."
        ) from None


def _open_map(array: np.memmap) -> InFile:
    if not isinstance(array.base, mmap.mmap) or array.mode == "c" or array.filename is None:
        raise ValueError(
            "This memory-mapped array is a part of its file, or a copy of it that can differ from "
            "the file (mode 'c'). Give the path of the file, or np.array(…) of what you need."
        )
    path = os.path.abspath(array.filename)
    if not Path(path).is_file():
        raise FileNotFoundError(f"The file {path} of this memory-mapped array has gone.")
    with open(path, "rb") as file:
        for place in (0, max(0, len(array.base) - 4096)):
            file.seek(place + array.offset - array.offset % mmap.ALLOCATIONGRANULARITY)
            if file.read(4096)[: len(array.base) - place] != array.base[place : place + 4096]:
                raise ValueError(
                    f"The file {path} is no longer the one that was mapped: it was replaced "
                    "since. Give its path, to read the new one."
                )
    return InFile(path, array)


def _open_file(path: str) -> InFile:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}. Write it with np.save(path, array).")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be mapped into memory ({error}). It has to be one whole array of "
            "numbers, written with np.save; was it written to the end?"
        ) from error
    if not isinstance(array, np.memmap):
        array.close()
        raise ValueError(
            f"{path} holds several arrays. Save each in a .npy file of its own, with np.save."
        )
    if not array.ndim:
        raise ValueError(f"{path} holds a single number, which has no rows.")
    return InFile(path, array)


def _stamp(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino
