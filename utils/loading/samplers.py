"""Batches of indices for datasets that are indexed by a whole batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import Sampler

from utils.arguments import not_negative
from utils.loading.epochs import Epochs


class TensorBatchSampler(Epochs, Sampler):
    """Batches of indices, each a tensor, for a dataset that is indexed by a whole batch.

    ``DataLoader(dataset, sampler=TensorBatchSampler(len(dataset), 256), batch_size=None)``
    calls ``dataset[indices]`` once for each batch, where a `DataLoader` with ``batch_size=256``
    calls ``dataset[index]`` 256 times and stacks. ``batch_size=None`` is needed: without it each
    batch gets one more dimension, of size 1. `torch.utils.data.TensorDataset` can be indexed
    like this, and so can any of your own whose ``__getitem__`` indexes tensors; `Subset`,
    `ConcatDataset` and what `random_split` returns cannot.

    Yields int64 tensors of shape (batch_size,). With ``shuffle``, ``seed`` and the epoch
    (see `set_epoch`) make the order. The last batch is smaller, or left out with ``drop_last``.
    Of ``world_size`` processes each gets its part, ``rank`` being which one this is: together
    all rows exactly once, none repeated; with ``drop_last``, equally many batches on each. If
    `torch.distributed` is initialised, both come from there.

    Raises `TypeError` or `ValueError` for sizes, seeds and ranks that make no sense.
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        rows = not_negative("rows", rows)
        super().__init__(rows, batch_size, shuffle, seed, drop_last, rank, world_size)

    def __iter__(self) -> Iterator[Tensor]:
        self._warn_of_repetition()
        return self._iterate(self.epoch, self.done)

    def _iterate(self, epoch: int, done: int) -> Iterator[Tensor]:
        first, last = self._share()
        order = (
            torch.randperm(self.rows, generator=self._generator(epoch)) if self.shuffle else None
        )
        for batch in range(done, self._batches()):
            start = first + batch * self.batch_size
            stop = min(start + self.batch_size, last)
            if batch == self._batches() - 1:
                self._finish(epoch)
            # a copy: of a view, a DataLoader would send the whole order to its workers
            yield torch.arange(start, stop) if order is None else order[start:stop].clone()
