"""Loaders that deliver whole batches: what lessons 06 and 07 build up to.

Both make the order of an epoch from a seed and the epoch's number alone. So it is the same for
any number of worker processes, can be split over several machines, and a run that stopped
half-way goes on at exactly the next batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from utils.arguments import positive
from utils.loading.epochs import Epochs
from utils.loading.rows import Chunk, Source, open_equally_long, reader

CHUNK = 2**22  # bytes, unless told otherwise: small enough for caches, large enough for disks
PIECE = 2**18  # bytes copied at once
BLOCKS = 16  # in a chunk, unless told otherwise


class ChunkedRows(Epochs, IterableDataset):
    """Batches of rows of arrays that may be larger than memory.

    ``sources`` are paths of ``.npy`` files, memory-mapped arrays, or tensors and arrays in
    memory, all with the same number of rows. Yields a tensor of shape (batch_size, …) for one
    source, and a tuple of them for several: copies, with the dtype of the source. (Up to 256 KiB
    of batches share their memory; ``clone`` one that you want to keep or save alone.) Use it as
    it is, or with worker processes as ``DataLoader(rows, batch_size=None, num_workers=2)``: the
    batches and their order are the same. ``batch_size=None`` is needed: without it, each batch
    gets one more dimension, of size 1.

    With ``shuffle``, blocks of ``block_rows`` neighbouring rows are put in a random order, so
    many of them as make ``chunk_rows`` rows are taken together, and the rows of this chunk are
    mixed. Larger chunks and smaller blocks mix better; blocks that are too small make a disk
    jump. By default a chunk is 4 MiB of rows, and a block a sixteenth of it. Of a file, no more
    than one chunk is in memory at a time, and the batches cut from it; with workers, one in
    each, since with ``shuffle`` each reads all chunks. Workers help with what is computed from
    batches, not with reading.

    ``seed``, ``drop_last``, ``rank`` and ``world_size`` are those of `TensorBatchSampler`.

    Raises `FileNotFoundError`, `ValueError` and `TypeError` for sources that cannot be read or
    differ in length and for sizes that make no sense, and `RuntimeError` while reading a file
    that has changed since.
    """

    def __init__(
        self,
        *sources: Source,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        chunk_rows: int | None = None,
        block_rows: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        self._sources = open_equally_long(sources)
        rows = self._sources[0].shape[0]
        super().__init__(rows, batch_size, shuffle, seed, drop_last, rank, world_size)
        width = sum(np.prod(s.shape[1:]) * s.dtype.itemsize for s in self._sources)
        self._piece = max(1, int(PIECE // max(width, 1)) // self.batch_size)  # in batches
        chunk = max(1, int(CHUNK // max(width, 1))) if chunk_rows is None else chunk_rows
        # whole batches, so that none lies in two chunks
        self.chunk_rows = -(-positive("chunk_rows", chunk) // self.batch_size) * self.batch_size
        block = max(1, self.chunk_rows // BLOCKS) if block_rows is None else block_rows
        self.block_rows = positive("block_rows", block)

    def __iter__(self) -> Iterator[Tensor | tuple[Tensor, ...]]:
        worker = get_worker_info()
        if worker is None or worker.id == 0:
            self._warn_of_repetition()
        mine, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        return self._iterate(self.epoch, self.done, mine, workers)

    def _iterate(
        self, epoch: int, done: int, mine: int, workers: int
    ) -> Iterator[Tensor | tuple[Tensor, ...]]:
        total, per_chunk = self._batches(), self.chunk_rows // self.batch_size
        generator = self._generator(epoch) if self.shuffle else None
        blocks = _Blocks(self.rows, self.block_rows, generator)
        readers = [reader(source) for source in self._sources]
        for number in range(done // per_chunk, -(-total // per_chunk)):
            offset = number * per_chunk
            begin, end = max(offset, done), min(offset + per_chunk, total)
            # batch b goes to worker (b - done) % workers: so a DataLoader asks for them
            begin += (mine + done - begin) % workers
            chosen = range(begin - offset, end - offset, workers)
            if not chosen:
                continue
            chunk = self._select(self._chunk(blocks, epoch, number), chosen)
            if number == (total - 1) // per_chunk and mine == 0:
                self._finish(epoch)
            yield from self._read(readers, chunk)

    def _select(self, chunk: Chunk, batches: range) -> Chunk:
        """The part of the chunk that holds these batches."""
        size = self.batch_size
        if batches.step == 1:
            return replace(chunk, order=chunk.order[batches.start * size : batches.stop * size])
        parts = chunk.order.split(size)[batches.start : batches.stop : batches.step]
        if self.shuffle:
            return replace(chunk, order=torch.cat(parts))
        counts = torch.tensor([len(part) for part in parts])
        starts = torch.tensor([int(chunk.starts[0] + part[0]) for part in parts])
        return Chunk(starts, counts, torch.arange(int(counts.sum())))

    def _chunk(self, blocks: _Blocks, epoch: int, number: int) -> Chunk:
        first, last = self._share()
        start = first + number * self.chunk_rows
        stop = min(start + self.chunk_rows, last)
        if self.shuffle:
            order = torch.randperm(
                stop - start, generator=self._generator(epoch, self.rank, number)
            )
        else:
            order = torch.arange(stop - start)
        return Chunk(*blocks.between(start, stop), order)

    def _read(self, readers: list[Callable], chunk: Chunk) -> Iterator[Tensor | tuple[Tensor, ...]]:
        size = self._piece * self.batch_size
        for copies in zip(*(read(chunk, size) for read in readers), strict=True):
            parts = [copy.split(self.batch_size) for copy in copies]
            yield from parts[0] if len(parts) == 1 else zip(*parts, strict=True)

    def _settings(self) -> dict:
        names = "chunk_rows", "block_rows"
        return super()._settings() | {name: getattr(self, name) for name in names}


class _Blocks:
    """All rows as blocks in a random order, or as one block without a generator."""

    def __init__(self, rows: int, block: int, generator: torch.Generator | None):
        if generator is None:
            block, order = max(rows, 1), torch.zeros(1, dtype=torch.int64)
        else:
            order = torch.randperm(-(-rows // block), generator=generator)
        self._starts = order * block
        self._counts = (rows - self._starts).clamp(max=block)
        self._ends = self._counts.cumsum(0)  # the place in the epoch behind each block

    def between(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """First rows and numbers of rows of what lies at the places ``start`` to ``stop``."""
        some = slice(
            int(torch.searchsorted(self._ends, start, right=True)),
            int(torch.searchsorted(self._ends, stop)) + 1,
        )
        ends, begins = self._ends[some], self._ends[some] - self._counts[some]
        before = (start - begins).clamp(min=0)
        return self._starts[some] + before, ends.clamp(max=stop) - begins - before
