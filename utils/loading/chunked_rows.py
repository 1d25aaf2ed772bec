"""Shuffled batches of rows of arrays that may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from utils.arguments import positive
from utils.loading.epochs import Epochs
from utils.loading.opening import Source, open_equally_long
from utils.loading.order import LANES, Blocks, Chunk, mixed
from utils.loading.rows import WIDE, reader, row_bytes

# bytes, unless told otherwise: small enough for caches, large enough for disks
CHUNK = 2**22
CHUNK_OF_WIDE = 2**24  # needs no memory to put its blocks into
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
    jump. By default a chunk is 4 MiB of rows, or 16 MiB where rows have 256 bytes or more, and a
    block a sixteenth of it. Such wide rows are picked from the source itself; narrower ones are
    read into memory first, a chunk at a time. Of a file, no more than one chunk is in memory,
    and the batches cut from it; with workers, one in each, since with ``shuffle`` each reads all
    chunks. Workers help with what is computed from batches, not with reading.

    ``seed``, ``drop_last``, ``empty_last``, ``rank`` and ``world_size`` are those of
    `TensorBatchSampler`. A chunk is a part of the order that all ranks share: on 2, 4 or 8 ranks
    each reads its half, quarter or eighth of it and no more; on other numbers of ranks narrow
    rows are read by several.

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
        empty_last: bool = False,
        chunk_rows: int | None = None,
        block_rows: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        self._sources = open_equally_long(sources)
        rows = self._sources[0].shape[0]
        super().__init__(rows, batch_size, shuffle, seed, drop_last, empty_last, rank, world_size)
        widths = list(map(row_bytes, self._sources))
        width = max(1, sum(widths))
        self._piece = max(1, PIECE // width // self.batch_size)  # in batches
        by_default = CHUNK_OF_WIDE if max(widths) >= WIDE else CHUNK
        chunk = max(1, by_default // width) if chunk_rows is None else chunk_rows
        # whole steps, so that none lies in two chunks
        step = self._steps.global_batch
        self.chunk_rows = -(-positive("chunk_rows", chunk) // step) * step
        block = max(1, self.chunk_rows // BLOCKS) if block_rows is None else block_rows
        self.block_rows = positive("block_rows", block)

    def _iterate(self, epoch: int, batches: range) -> Iterator[Tensor | tuple[Tensor, ...]]:
        readers = [reader(source) for source in self._sources]
        nothing = bool(batches) and self._steps.part(batches[-1])[1] == 0
        chunk = None
        for following in self._chunks(epoch, batches[:-1] if nothing else batches):
            blocks = following.starts.tolist(), following.counts.tolist()
            for source in self._sources:
                source.expect(*blocks)
            if chunk is not None:
                yield from self._read(readers, chunk)
            chunk = following
        if chunk is not None:
            yield from self._read(readers, chunk)
        if nothing:
            none = np.empty(0, dtype=np.int64)
            yield from self._read(readers, Chunk(none, none, none))

    def _chunks(self, epoch: int, batches: range) -> Iterator[Chunk]:
        """The chunks of an epoch: of each, what lies in these batches."""
        steps, per_chunk = self._steps, self.chunk_rows // self._steps.global_batch
        if self.shuffle:
            blocks = Blocks(self.rows, self.block_rows, *self._random(1, epoch))
        while batches:
            number = batches[0] // per_chunk
            here = range(batches[0], min((number + 1) * per_chunk, batches.stop), batches.step)
            batches = range(batches[0] + len(here) * batches.step, batches.stop, batches.step)
            if not self.shuffle:
                places = [steps.part(batch) for batch in here]
                if steps.world_size * here.step == 1:  # neighbours, to be read at once
                    places = [(places[0][0], sum(count for _, count in places))]
                starts, counts = np.array(places).T
                yield Chunk(starts, counts, np.arange(counts.sum()))
                continue
            start = number * self.chunk_rows
            stop = min(start + self.chunk_rows, steps.places)
            seeds = self._random(1 + LANES, epoch, number)
            chunk = mixed(blocks, start, stop, seeds, self.rank, self.world_size)
            first, size = number * per_chunk, self.batch_size
            if here.step == 1:
                order = chunk.order[(here.start - first) * size : (here.stop - first) * size]
            else:
                parts = [chunk.order[(batch - first) * size :][:size] for batch in here]
                order = np.concatenate(parts)
            yield Chunk(chunk.starts, chunk.counts, order)

    def _read(self, readers: list[Callable], chunk: Chunk) -> Iterator[Tensor | tuple[Tensor, ...]]:
        size = self._piece * self.batch_size
        pieces: Iterator[tuple[Tensor, ...]] = zip(
            *(read(chunk, size) for read in readers), strict=True
        )
        if self._piece > 1:
            pieces = chain.from_iterable(
                zip(*(copy.split(self.batch_size) for copy in copies), strict=True)
                for copies in pieces
            )
        yield from pieces if len(readers) > 1 else (copy for (copy,) in pieces)

    def _worker(self) -> tuple[int, int] | None:
        worker = get_worker_info()
        return (worker.id, worker.num_workers) if worker else None

    def _settings(self) -> dict:
        names = "chunk_rows", "block_rows"
        return super()._settings() | {name: getattr(self, name) for name in names}
