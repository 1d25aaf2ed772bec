"""What several tests of the loaders play: ranks, workers, and all settings of an epoch."""

import itertools
from types import SimpleNamespace

import torch
from hypothesis import strategies as st

from utils.loading import ChunkedRows, chunked_rows

settings_of_an_epoch = {
    "rows": st.integers(0, 300),
    "batch_size": st.integers(1, 70),
    "chunk_rows": st.integers(1, 200),
    "block_rows": st.integers(1, 90),
    "shuffle": st.booleans(),
    "ends": st.sampled_from([{}, {"drop_last": True}, {"empty_last": True}]),
    "seed": st.integers(0, 3),
}


def chunked(rows, **options):
    return ChunkedRows(torch.arange(rows), **options)


def as_worker(monkeypatch, dataset, worker, workers):
    """What one of several worker processes would yield."""
    info = SimpleNamespace(id=worker, num_workers=workers)
    with monkeypatch.context() as patch:
        patch.setattr(chunked_rows, "get_worker_info", lambda: info)
        return [batch.tolist() for batch in dataset]


def in_a_dataloaders_order(parts):
    """The batches of several workers, in turns."""
    merged = []
    for turn in range(max(map(len, parts), default=0)):
        merged += [part[turn] for part in parts if turn < len(part)]
    return merged


def of_ranks(make, rows, world_size, **options):
    """The batches of each rank, as lists."""
    ranks = [make(rows, rank=rank, world_size=world_size, **options) for rank in range(world_size)]
    batches = [[batch.tolist() for batch in rank] for rank in ranks]
    assert [len(rank) for rank in ranks] == [len(part) for part in batches]
    return batches


def by_steps(batches):
    """The rows of each step over all ranks, in the global order of a shuffled epoch."""
    steps = itertools.zip_longest(*batches, fillvalue=[])
    return [[row for turn in itertools.zip_longest(*step) for row in turn if row is not None]
            for step in steps]  # fmt: skip


def made(make, chunk_rows, block_rows, ends, **options):
    sizes = {"chunk_rows": chunk_rows, "block_rows": block_rows} if make is chunked else {}
    return options | sizes | ends
