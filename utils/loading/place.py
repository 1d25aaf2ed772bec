"""Where we are: numbers that worker processes see, also those that outlive an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch


def _shared(index: int) -> property:
    def read(place: Place) -> int:
        return int(place._numbers[index])

    def write(place: Place, value: int) -> None:
        place._numbers[index] = value

    return property(read, write)


class Place:
    """The epoch, and how far it has been gone through, in memory shared with worker processes."""

    epoch = _shared(0)  # which the next iteration goes through
    done = _shared(1)  # how many of its batches the next iteration leaves out
    gone_through = _shared(2)  # 1 if this epoch has been yielded to its end
    by_workers = _shared(3)  # 1 if workers iterate: how much of it was used, nobody here knows

    def __init__(self) -> None:
        self._numbers = torch.zeros(4, dtype=torch.int64).share_memory_()

    def __setstate__(self, state: dict) -> None:
        # to workers it is sent as shared memory; a copy gets memory of its own
        self.__dict__.update(state)
        if not self._numbers.is_shared():
            self._numbers = self._numbers.clone().share_memory_()

    def move(self, epoch: int, done: int) -> None:
        """Start there: nothing of it has been yielded yet."""
        self._numbers[:] = torch.tensor([epoch, done, 0, 0])


@dataclass
class Iteration:
    """One iteration in one process: what it began with, and how many batches it has yielded."""

    epoch: int
    done: int
    worker: int
    workers: int
    taken: int = 0

    @property
    def next(self) -> int:
        """The batch of the epoch that comes next here: a `DataLoader` asks workers in turns."""
        return self.done + self.worker + self.taken * self.workers
