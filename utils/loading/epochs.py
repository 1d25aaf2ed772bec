"""Epochs: an order for each, our part of it, and where we are in it."""

from __future__ import annotations

import os
import warnings
from copy import deepcopy

import numpy as np
import torch

from utils.arguments import boolean, not_negative, positive


class Epochs:
    """The part of the rows that is ours, and where in which epoch we are."""

    def __init__(
        self,
        rows: int,
        batch_size: int,
        shuffle: bool,
        seed: int,
        drop_last: bool,
        rank: int | None,
        world_size: int | None,
    ):
        self.rows, self.batch_size = rows, positive("batch_size", batch_size)
        self.shuffle, self.drop_last = boolean("shuffle", shuffle), boolean("drop_last", drop_last)
        self.seed = not_negative("seed", seed)
        self.rank, self.world_size = _rank_and_world_size(rank, world_size)
        # the epoch, the batches of it to skip, and how many epochs have been gone through to
        # their end; shared with worker processes, also with those that outlive an epoch
        self._position = torch.zeros(3, dtype=torch.int64).share_memory_()

    def __setstate__(self, state: dict) -> None:
        # to workers the place is sent as shared memory; a copy of ours gets one of its own
        self.__dict__.update(state)
        if not self._position.is_shared():
            self._position = self._position.clone().share_memory_()

    def __copy__(self) -> Epochs:
        return deepcopy(self)

    @property
    def epoch(self) -> int:
        """The epoch that the next iteration goes through, from 0."""
        return int(self._position[0])

    @property
    def done(self) -> int:
        """How many batches of that epoch the next iteration leaves out: 0, or what was loaded."""
        return int(self._position[1])

    def set_epoch(self, epoch: int) -> None:
        """Go through ``epoch`` next, from its beginning.

        Each epoch has an order of its own; without this call the next one has the same again.
        If `load_state_dict` has chosen this epoch, its place in it is kept. Call it between
        epochs: worker processes look at it when they start on one.
        """
        if not_negative("epoch", epoch) != self.epoch:
            self._position[:2] = torch.tensor([epoch, 0])

    def state_dict(self, batches: int) -> dict:
        """Where we are after ``batches`` batches of this iteration: numbers, ready to be saved.

        You count the batches, since only you know how many you have used: worker processes
        prepare some in advance.
        """
        done = self.done + not_negative("batches", batches)
        if done > self._batches():
            raise ValueError(f"An epoch has {self._batches()} batches, but got {done} as done.")
        return {"epoch": self.epoch, "batches": done, **self._settings()}

    def load_state_dict(self, state: dict) -> None:
        """Go on where `state_dict` was taken: the next iteration starts with the next batch.

        Raises `ValueError` if ``state`` was taken with other settings or data, whose order is
        another one. ``len`` of a `DataLoader` is to be asked for again in each epoch: this one
        has fewer batches left.
        """
        if not isinstance(state, dict):
            raise TypeError(f"A state is the dict that state_dict returned, but got {state!r}.")
        mine = self._settings()
        wrong = [name for name in mine if state.get(name) != mine[name]]
        if wrong or state.keys() != mine.keys() | {"epoch", "batches"}:
            told = ", ".join(f"{name}={state.get(name)!r} and not {mine[name]!r}" for name in wrong)
            raise ValueError(
                f"The state is from a loader with {told or 'other entries'}, so its place means "
                "nothing here. Make the loader as it was made then."
            )
        epoch, done = (not_negative(name, state[name]) for name in ("epoch", "batches"))
        if done > self._batches():
            raise ValueError(f"An epoch has {self._batches()} batches, but {done} were done.")
        self._position[:] = torch.tensor([epoch, done, 0])

    def __len__(self) -> int:
        """How many batches the next iteration yields, over all workers."""
        return self._batches() - self.done

    def _settings(self) -> dict:
        names = "rows", "batch_size", "shuffle", "seed", "drop_last", "rank", "world_size"
        return {name: getattr(self, name) for name in names}

    def _share(self) -> tuple[int, int]:
        """Our part of the epoch's order: the places from the first to before the second."""
        return tuple((self.rank + i) * self.rows // self.world_size for i in range(2))

    def _batches(self) -> int:
        """How many batches of an epoch are ours."""
        if self.drop_last:  # as many on every rank
            return self.rows // self.world_size // self.batch_size
        first, last = self._share()
        return -((first - last) // self.batch_size)

    def _generator(self, *place: int) -> torch.Generator:
        """Random numbers that depend on the seed and ``place`` (the epoch, …) alone."""
        mixed = np.random.SeedSequence(self.seed, spawn_key=place)
        return torch.Generator().manual_seed(int(mixed.generate_state(1, np.uint64)[0] >> 1))

    def _finish(self, epoch: int) -> None:
        """Note that ``epoch`` has been gone through to its end."""
        self._position[2] = epoch + 1

    def _warn_of_repetition(self) -> None:
        """Warn if this epoch has been, and would come in the same order or cut short again."""
        if self._position[2] == self.epoch + 1 and (self.shuffle or self.done):
            cut = f", without its first {self.done} batches" if self.done else ""
            warnings.warn(
                f"Epoch {self.epoch} has been gone through already and comes in the same order "
                f"again{cut}. Call set_epoch(epoch) before each epoch.",
                stacklevel=3,
            )


def _rank_and_world_size(rank: int | None, world_size: int | None) -> tuple[int, int]:
    if (rank is None) != (world_size is None):
        raise ValueError("rank and world_size belong together: give both, or neither.")
    if rank is None:
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        started = int(os.environ.get("WORLD_SIZE") or 1)
        if started > 1:
            raise RuntimeError(
                f"This is one of {started} processes, but torch.distributed is not initialised, "
                "so each would read all rows. Call init_process_group first, or give rank and "
                "world_size."
            )
        return 0, 1
    rank, world_size = not_negative("rank", rank), positive("world_size", world_size)
    if rank >= world_size:
        raise ValueError(f"rank is one of 0 to world_size - 1 = {world_size - 1}, but got {rank}.")
    return rank, world_size
