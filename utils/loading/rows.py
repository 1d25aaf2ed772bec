"""Rows in the order of their source, or a chunk's in the order in which they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import torch
from torch import Tensor

from utils.arguments import positive
from utils.loading.files import InFile
from utils.loading.in_memory import InMemory, select
from utils.loading.opening import Source, open_rows
from utils.loading.order import Chunk

WIDE = 2**8  # bytes of a row from which on copying it twice costs more than it saves (measured)


def row_bytes(source: InMemory | InFile) -> int:
    """How wide a row is."""
    return prod(source.shape[1:]) * source.dtype.itemsize


def reader(source: InMemory | InFile) -> Callable[[Chunk, int], Iterator[Tensor]]:
    """A function that yields copies of a chunk's rows in its order, so many at a time.

    Wide rows are picked from the source itself. Of narrow ones it puts the blocks side by side
    first, in memory that it uses again for each chunk: picking rows from there is fast, since
    it fits into a cache.
    """
    buffer = torch.empty((0, *source.shape[1:]), dtype=source.dtype, device=source.device)

    def read(chunk: Chunk, size: int) -> Iterator[Tensor]:
        nonlocal buffer
        counts = chunk.counts.tolist()
        if sum(counts) > len(buffer):
            buffer = buffer.new_empty((sum(counts), *source.shape[1:]))
        source.fill(chunk.starts.tolist(), buffer[: sum(counts)].split(counts) if counts else ())
        for places in torch.from_numpy(chunk.order).split(size):
            yield select(buffer, places)

    def pick(chunk: Chunk, size: int) -> Iterator[Tensor]:
        select_from_source = source.opened()
        for rows in chunk.rows().split(size):
            yield select_from_source(rows)

    return pick if source.plain and row_bytes(source) >= WIDE else read


def chunks(source: Source, rows: int) -> Iterator[Tensor]:
    """The rows of ``source`` in order, ``rows`` at a time: how to go through a file once.

    ``source`` is the path of a ``.npy`` file, or a tensor or array in memory. Each tensor has
    shape (rows, …), the last one fewer, and is a view: of the array, or of pages of the file,
    16 MiB of which stay in memory at a time, or one chunk if that is more. What you write into
    it changes an array in memory, and never a file. Errors as in `ChunkedRows`.
    """
    return open_rows(source).views(positive("rows", rows))
