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
    `ConcatDataset` and what `random_split` returns cannot. ``tensor.index_select(0, indices)``
    copies rows several times as fast as ``tensor[indices]``, which `TensorDataset` calls. What
    then remains is the loader's own time for each call; of narrow rows that is as much as the
    copy. So let it fetch 16 batches at once, with ``TensorBatchSampler(rows, 16 * 256, …)``, and
    take them apart: ``for batches in loader: for batch in batches.split(256): …``. Tensors in
    memory need no loader: ``for indices in sampler: inputs.index_select(0, indices)``.

    Yields int64 tensors of shape (batch_size,). With ``shuffle``, ``seed`` and the epoch
    (see `set_epoch`) make the order. Of ``world_size`` processes each gets its part, ``rank``
    being which one this is: together all rows exactly once, none repeated. If
    `torch.distributed` is initialised, both come from there. Step k, the k-th batches of all
    ranks, has the same rows for any number of ranks with the same ``batch_size`` × ``world_size``.

    How ranks end is your choice, if the rows are no whole number of steps:

    - as they are, for an evaluation: all rows; ranks may differ by **one batch**, for which the
      others would wait for ever in a collective call
    - ``drop_last``: equally many full batches; up to ``batch_size`` × ``world_size`` - 1 **rows
      are left out**, in each epoch others
    - ``empty_last``: all rows and equally many batches, of which the last may be smaller **or
      empty** on some ranks: weigh it with `weights`

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
        empty_last: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
    ):
        rows = not_negative("rows", rows)
        super().__init__(rows, batch_size, shuffle, seed, drop_last, empty_last, rank, world_size)

    def _iterate(self, epoch: int, batches: range) -> Iterator[Tensor]:
        if self.shuffle:
            generator = torch.Generator().manual_seed(*self._random(1, epoch))
            order = torch.randperm(self.rows, generator=generator)
            mine = order[: self._steps.places][self.rank :: self.world_size]
        for batch in batches:
            if self.shuffle:
                start = batch * self.batch_size
                # a copy: of a view, a DataLoader would send the whole order to its workers
                yield mine[start : start + self.batch_size].clone()
            else:
                start, count = self._steps.part(batch)
                yield torch.arange(start, start + count)
