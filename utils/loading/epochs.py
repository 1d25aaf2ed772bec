"""Epochs: an order for each, and where in which one we are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

from utils.arguments import boolean, not_negative, positive
from utils.loading.place import Iteration, Place
from utils.loading.ranks import Steps, rank_and_world_size

# Batches that a DataLoader may have asked each worker for when it has used one, unless told more.
_PREFETCHED = 3
_OF_A_WORKER = "worker", "workers", "taken"


class Epochs:
    """What both loaders know: rows, steps, seed, and a place that can be saved and loaded.

    A `torch.distributed.checkpoint.stateful.Stateful`. A subclass has ``_iterate``.
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        shuffle: bool,
        seed: int,
        drop_last: bool,
        empty_last: bool,
        rank: int | None,
        world_size: int | None,
    ):
        self.rows, self.batch_size = rows, positive("batch_size", batch_size)
        self.shuffle, self.drop_last = boolean("shuffle", shuffle), boolean("drop_last", drop_last)
        self.empty_last = boolean("empty_last", empty_last)
        self.seed = not_negative("seed", seed)
        self.rank, self.world_size = rank_and_world_size(rank, world_size)
        self._steps = Steps(
            rows, self.batch_size, self.rank, self.world_size, self.drop_last, self.empty_last
        )
        self._place = Place()
        self._run: Iteration | None = None  # of the newest iteration in this process
        self._taken = 0  # what a worker's next iteration leaves out of its own batches

    def __copy__(self) -> Epochs:
        return deepcopy(self)

    @property
    def epoch(self) -> int:
        """The epoch that the next iteration goes through, from 0."""
        return self._place.epoch

    @property
    def done(self) -> int:
        """How many batches of that epoch the next iteration leaves out: 0, or what was loaded."""
        return self._place.done

    def set_epoch(self, epoch: int) -> None:
        """Go through ``epoch`` next, from its beginning.

        Each epoch has an order of its own; without this call the next one has the same again.
        If `load_state_dict` has chosen this epoch, its place in it is kept. Call it between
        epochs: worker processes look at it when they start on one.
        """
        same = not_negative("epoch", epoch) == self.epoch
        self._place.move(epoch, self.done if same else 0)
        self._run = None

    def state_dict(self) -> dict[str, Any]:
        """Where we are: numbers, ready to be saved. The next batch is the first after loading.

        What this process has yielded counts. `torchdata.stateful_dataloader.StatefulDataLoader`
        asks for it by itself, also in worker processes. A `DataLoader` with workers prepares
        batches ahead, so that only you know how many you have used: see `state_after`.

        Raises `RuntimeError` after an iteration by workers of a plain `DataLoader`.
        """
        worker, run = self._worker(), self._run
        if worker is None and self._place.by_workers:
            raise RuntimeError(
                "Worker processes prepare batches ahead, so how many of them you have used is not "
                "known here. Count them and call state_after(batches), or take torchdata's "
                "StatefulDataLoader instead of DataLoader."
            )
        if run is None:
            return self._state(self.epoch, self.done)
        if worker is None:
            return self._state(run.epoch, run.next)
        numbers = run.worker, run.workers, run.taken
        return self._state(run.epoch, run.done) | dict(zip(_OF_A_WORKER, numbers, strict=True))

    def state_after(self, batches: int) -> dict[str, Any]:
        """The state after ``batches`` batches of this iteration: for a `DataLoader` with workers.

        Raises `ValueError` if the epoch has fewer.
        """
        return self._state(self.epoch, self.done + not_negative("batches", batches))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the state was taken: the next iteration starts with the next batch.

        The number of ranks may be another one if ``batch_size`` × ``world_size`` is the same.

        Raises `ValueError` if ``state`` was taken with other settings or data, whose order is
        another one. ``len`` of a `DataLoader` is to be asked for again in each epoch: this one
        has fewer batches left.
        """
        if not isinstance(state, dict):
            raise TypeError(f"A state is the dict that state_dict returned, but got {state!r}.")
        mine = self._settings()
        wrong = [name for name in mine if state.get(name) != mine[name]]
        if wrong or state.keys() - _OF_A_WORKER != mine.keys() | {"epoch", "batches"}:
            told = ", ".join(f"{name}={state.get(name)!r} and not {mine[name]!r}" for name in wrong)
            raise ValueError(
                f"The state is from a loader with {told or 'other entries'}, so its place means "
                "nothing here. Make the loader as it was made then (global_batch is batch_size "
                "× world_size)."
            )
        wanted = state.get("worker"), state.get("workers")
        if "worker" in state and wanted != self._worker():
            raise ValueError(
                f"The state is that of worker {wanted[0]} of {wanted[1]}. Load the state of the "
                "whole StatefulDataLoader, into one with the same num_workers."
            )
        names = "epoch", "batches"
        epoch, done = (not_negative(name, state[name]) for name in names)
        if done > self._steps.count:
            raise ValueError(f"An epoch has {self._steps.count} batches, but {done} were done.")
        self._taken = not_negative("taken", state.get("taken", 0))
        self._place.move(epoch, done)
        self._run = None

    def weights(self) -> list[float]:
        """What to multiply the **sum** of each batch's losses with, for each batch to come.

        ``world_size`` by the rows of the step over all ranks. So the mean over ranks, as
        `DistributedDataParallel` takes it of gradients, is the mean over the step's rows, also
        if ranks have unequally many of them, or none: the sum over an empty batch is 0.
        """
        steps = self._steps
        return [self.world_size / steps.size(step) for step in range(self.done, steps.batches)]

    def __len__(self) -> int:
        """How many batches the next iteration yields, over all workers."""
        return max(0, self._steps.batches - self.done)

    def __iter__(self) -> Iterator:
        worker, place = self._worker(), self._place
        if worker is None or worker[0] == 0:
            self._warn_of_repetition()
        place.by_workers = worker is not None
        self._run = Iteration(place.epoch, place.done, *(worker or (0, 1)), self._taken)
        self._taken = 0
        return self._counted(self._run)

    def _counted(self, run: Iteration) -> Iterator:
        mine = range(run.next, self._steps.batches, run.workers)
        last = run.taken + len(mine)
        for batch in self._iterate(run.epoch, mine):
            run.taken += 1
            if run.taken == last and mine[-1] == self._steps.batches - 1:
                # of a worker's batches the last ones may never be used
                known = self._worker() is None or run.taken > _PREFETCHED
                if known and run.epoch == self.epoch:
                    self._place.gone_through = 1
            yield batch

    def _iterate(self, epoch: int, batches: range) -> Iterator:
        """These of the epoch's batches of this rank."""
        raise NotImplementedError

    def _worker(self) -> tuple[int, int] | None:
        """Which worker process this is, and of how many, if workers share the batches."""
        return None

    def _state(self, epoch: int, done: int) -> dict[str, Any]:
        if done > self._steps.count:
            raise ValueError(f"An epoch has {self._steps.count} batches, but got {done} as done.")
        return {"epoch": epoch, "batches": done, **self._settings()}

    def _settings(self) -> dict[str, Any]:
        """What the order depends on."""
        names = "rows", "shuffle", "seed", "drop_last"
        settings = {name: getattr(self, name) for name in names}
        return settings | {"global_batch": self._steps.global_batch}

    def _random(self, count: int, *place: int) -> list[int]:
        """Seeds that depend on the loader's seed and ``place`` (the epoch, …) alone."""
        mixed = np.random.SeedSequence(self.seed, spawn_key=place)
        return (mixed.generate_state(count, np.uint64) >> 1).tolist()

    def _warn_of_repetition(self) -> None:
        """Warn if this epoch has been, and would come in the same order or cut short again."""
        if self._place.gone_through and (self.shuffle or self.done):
            cut = f", without its first {self.done} batches" if self.done else ""
            warnings.warn(
                f"Epoch {self.epoch} has been gone through already and comes in the same order "
                f"again{cut}. Call set_epoch(epoch) before each epoch.",
                stacklevel=3,
            )
