"""The order of an epoch's rows: blocks mixed in chunks, so that any number of ranks can share it.

The blocks of a file are put in a random order. The places of a chunk in it are cut into
``LANES`` pieces of neighbouring places. Each piece is permuted, and the pieces take turns: place
i of the chunk has a row of lane i % ``LANES``. Of each step, rank r takes the places r,
r + world_size, … So 2 ranks have every second lane each, 4 ranks every fourth: each reads whole
pieces, and none reads what it does not need, while the order is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
import torch
from torch import Tensor

LANES = 8  # more would let more ranks read without overlap, and cost each chunk some 10 µs a lane


@dataclass(frozen=True)
class Chunk:
    """Blocks of neighbouring rows that are read together, and the order they are wanted in."""

    starts: np.ndarray  # the first row of each block (int64)
    counts: np.ndarray  # its number of rows (int64)
    order: np.ndarray  # places in the chunk (int64), counted through its blocks

    def rows(self) -> Tensor:
        """The wanted rows themselves (int64)."""
        before = self.starts - (self.counts.cumsum() - self.counts)
        return torch.from_numpy(self.order + before.repeat(self.counts).take(self.order))


class Blocks:
    """All rows as blocks in a random order."""

    def __init__(self, rows: int, block: int, seed: int):
        generator = torch.Generator().manual_seed(seed)
        self._starts = torch.randperm(-(-rows // block), generator=generator).numpy() * block
        self._counts = np.minimum(rows - self._starts, block)
        self._ends = self._counts.cumsum()  # the place in the epoch behind each block

    def between(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """First rows and numbers of rows of what lies at the places ``start`` to ``stop``."""
        first = self._ends.searchsorted(start, side="right")
        some = slice(first, max(first, self._ends.searchsorted(stop) + 1))
        ends, begins = self._ends[some], self._ends[some] - self._counts[some]
        before = np.maximum(start - begins, 0)
        return self._starts[some] + before, np.minimum(ends, stop) - begins - before


def mixed(
    blocks: Blocks, start: int, stop: int, seeds: list[int], rank: int, world_size: int
) -> Chunk:
    """What this rank takes of the chunk at the places ``start`` to ``stop``, in its order.

    ``seeds`` are 1 + ``LANES`` numbers. ``start`` is a multiple of ``world_size``.
    """
    generator = torch.Generator().manual_seed(seeds[0])
    sizes = [len(range(lane, stop - start, LANES)) for lane in range(LANES)]
    firsts, place = [0] * LANES, start
    for lane in torch.randperm(LANES, generator=generator).tolist():
        firsts[lane], place = place, place + sizes[lane]

    shared = gcd(LANES, world_size)  # ranks among whom the lanes are dealt out
    lanes = range(rank % shared, LANES, shared)
    order = np.empty(sum(sizes[lane] for lane in lanes), dtype=np.int64)
    before = 0
    for turn, lane in enumerate(lanes):
        within = torch.randperm(sizes[lane], generator=generator.manual_seed(seeds[1 + lane]))
        offset = firsts[lane] - start if shared == 1 else before
        np.add(within.numpy(), offset, out=order[turn :: len(lanes)])
        before += sizes[lane]

    if shared == 1:
        starts, counts = blocks.between(start, stop)
    else:
        parts = [blocks.between(firsts[lane], firsts[lane] + sizes[lane]) for lane in lanes]
        starts, counts = map(np.concatenate, zip(*parts, strict=True))
    # where there are more ranks than lanes to deal out, several read the same and take turns
    return Chunk(starts, counts, order[rank // shared :: world_size // shared])
