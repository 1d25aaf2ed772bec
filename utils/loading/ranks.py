"""The steps of an epoch, in each of which every rank takes a batch, and our part of them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from utils.arguments import not_negative, positive


@dataclass(frozen=True)
class Steps:
    """How the places of an epoch's order are dealt out.

    Step k takes the places from k × ``global_batch`` on, whatever the number of ranks is.
    """

    rows: int
    batch_size: int
    rank: int
    world_size: int
    drop_last: bool
    empty_last: bool

    @property
    def global_batch(self) -> int:
        """Rows that all ranks take together in a step."""
        return self.batch_size * self.world_size

    @property
    def places(self) -> int:
        """How many places of the order are used."""
        return self.rows - self.rows % self.global_batch if self.drop_last else self.rows

    @property
    def count(self) -> int:
        """Steps of an epoch; the last one may be smaller."""
        return -(-self.places // self.global_batch)

    @property
    def batches(self) -> int:
        """Batches of this rank in an epoch: one in each step, if there is something in it."""
        if not self.count or self.empty_last:
            return self.count
        return self.count - (self.part(self.count - 1)[1] == 0)

    def size(self, step: int) -> int:
        """Rows of a step over all ranks."""
        return min(self.global_batch, self.places - step * self.global_batch)

    def part(self, step: int) -> tuple[int, int]:
        """Our part of a step whose rows are dealt out as neighbours: first place and rows."""
        each, over = divmod(self.size(step), self.world_size)
        first = step * self.global_batch + self.rank * each + min(self.rank, over)
        return first, each + (self.rank < over)


def rank_and_world_size(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Both as given, or those of `torch.distributed`, or 0 and 1 where there is one process."""
    if rank is not None and world_size is not None:
        rank, world_size = not_negative("rank", rank), positive("world_size", world_size)
        if rank < world_size:
            return rank, world_size
        raise ValueError(f"rank is one of 0 to world_size - 1 = {world_size - 1}, but got {rank}.")
    if rank is not None or world_size is not None:
        raise ValueError("rank and world_size belong together: give both, or neither.")
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    started = int(os.environ.get("WORLD_SIZE") or 1)
    if started > 1:
        raise RuntimeError(
            f"This is one of {started} processes, but torch.distributed is not initialised, so "
            "each would read all rows. Call init_process_group first, or give rank and world_size."
        )
    return 0, 1
