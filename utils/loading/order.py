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

import torch
from torch import Tensor

LANES = 8  # more would let more ranks read without overlap, and cost each chunk some 5 µs a lane


@dataclass(frozen=True)
class Chunk:
    """Blocks of neighbouring rows that are read together, and the order they are wanted in."""

    starts: Tensor  # the first row of each block (int64)
    counts: Tensor  # its number of rows (int64)
    order: Tensor  # places in the chunk (int64), counted through its blocks

    def rows(self) -> Tensor:
        """The wanted rows themselves (int64)."""
        before = self.starts - (self.counts.cumsum(0) - self.counts)
        return (torch.arange(int(self.counts.sum())) + before.repeat_interleave(self.counts))[
            self.order
        ]


class Blocks:
    """All rows as blocks in a random order."""

    def __init__(self, rows: int, block: int, seed: int):
        generator = torch.Generator().manual_seed(seed)
        self._starts = torch.randperm(-(-rows // block), generator=generator) * block
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
    order = torch.empty(sum(sizes[lane] for lane in lanes), dtype=torch.int64)
    before = 0
    for turn, lane in enumerate(lanes):
        within = torch.randperm(sizes[lane], generator=generator.manual_seed(seeds[1 + lane]))
        offset = firsts[lane] - start if shared == 1 else before
        torch.add(within, offset, out=order[turn :: len(lanes)])
        before += sizes[lane]

    if shared == 1:
        starts, counts = blocks.between(start, stop)
    else:
        parts = [blocks.between(firsts[lane], firsts[lane] + sizes[lane]) for lane in lanes]
        starts, counts = map(torch.cat, zip(*parts, strict=True))
    # if more ranks than lanes are dealt to, several read the same lanes, and take turns
    return Chunk(starts, counts, order[rank // shared :: world_size // shared])
