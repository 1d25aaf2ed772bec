"""Each row exactly once, in an order that depends on seed, epoch and global batch alone."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from tests.loading.parts import (
    as_worker,
    by_steps,
    chunked,
    in_a_dataloaders_order,
    made,
    of_ranks,
    settings_of_an_epoch,
)
from utils.loading import ChunkedRows, TensorBatchSampler, chunks


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
@settings(max_examples=60)
@given(world_size=st.integers(1, 9), **settings_of_an_epoch)
def test_each_row_comes_exactly_once_over_all_ranks(make, rows, world_size, **options):
    size, ends = options["batch_size"], options["ends"]
    batches = of_ranks(make, rows, world_size, **made(make, **options))
    seen = [row for part in batches for batch in part for row in batch]
    assert len(seen) == len(set(seen))
    assert all(len(batch) == size for part in batches for batch in part[:-1])
    counts = {len(part) for part in batches}
    if "drop_last" in ends:
        assert counts == {rows // (world_size * size)}
        assert all(len(batch) == size for part in batches for batch in part)
    else:
        assert sorted(seen) == list(range(rows))
    if "empty_last" in ends:
        assert counts == {-(-rows // (world_size * size))}
    elif not ends:
        assert all(batch for part in batches for batch in part)
        assert max(counts) - min(counts) <= 1
    if not options["shuffle"]:
        in_turns = [row for step in itertools.zip_longest(*batches, fillvalue=[]) for batch in step
                    for row in batch]  # fmt: skip
        assert in_turns == sorted(seen)


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
@settings(max_examples=60)
@given(
    each=st.integers(1, 9),
    ranks=st.permutations([1, 2, 3, 4, 6, 8, 12, 24]),
    epoch=st.integers(0, 2),
    **{name: form for name, form in settings_of_an_epoch.items() if name != "batch_size"},
)
def test_each_step_sees_the_same_rows_on_any_number_of_ranks(
    make, rows, each, ranks, epoch, **options
):
    def steps(world_size, done):
        seen = []
        for rank in range(world_size):
            settings = made(make, **options, batch_size=24 * each // world_size)
            loader = make(rows, rank=rank, world_size=world_size, **settings)
            loader.load_state_dict(state | {"batches": done})
            seen.append([batch.tolist() for batch in loader])
        if options["shuffle"]:
            return by_steps(seen)
        steps = itertools.zip_longest(*seen, fillvalue=[])
        return [[row for batch in step for row in batch] for step in steps]

    first = make(rows, **made(make, **options, batch_size=24 * each))
    first.set_epoch(epoch)
    state = first.state_dict()
    alone = [batch.tolist() for batch in first]
    assert steps(ranks[0], 0) == alone
    half = len(alone) // 2
    assert steps(ranks[1], half) == alone[half:]


@settings(max_examples=100)
@given(workers=st.integers(1, 5), done=st.integers(0, 400), **settings_of_an_epoch)
def test_any_number_of_workers_yields_the_same_batches_in_the_same_order(
    workers, done, rows, **options
):
    options = made(chunked, **options) | {"rank": 1, "world_size": 3}
    alone = [batch.tolist() for batch in chunked(rows, **options)]
    done = min(done, len(alone))
    resumed = chunked(rows, **options)
    resumed.load_state_dict(chunked(rows, **options).state_after(done))
    assert len(resumed) == len(alone) - done
    patch = pytest.MonkeyPatch()
    parts = [as_worker(patch, resumed, worker, workers) for worker in range(workers)]
    assert in_a_dataloaders_order(parts) == alone[done:]


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_seed_and_epoch_make_the_order(make):
    def order(seed, epoch):
        loader = make(500, batch_size=50, shuffle=True, seed=seed)
        loader.set_epoch(epoch)
        return torch.cat(list(loader)).tolist()

    assert order(0, 0) == order(0, 0)
    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(rows) for rows in orders}) == 9
    assert list(range(500)) not in orders


def test_blocks_and_chunks_are_shuffled_independently():
    rows = chunked(16, batch_size=16, shuffle=True, chunk_rows=16, block_rows=1)
    stayed, parities = 0, set()
    for epoch in range(1000):
        rows.set_epoch(epoch)
        (order,) = rows
        stayed += int((order == torch.arange(16)).sum())
        inversions = (order.unsqueeze(1) > order).triu(1).sum()
        parities.add(int(inversions) % 2)
    assert 0.8 < stayed / 1000 < 1.2  # one of a permutation's places, on average
    assert parities == {0, 1}


def test_large_seeds_do_not_run_into_epochs():
    orders = set()
    for seed in (0, 1, 2**32, 2**32 + 1, 2**62):
        for epoch in (0, 1):
            sampler = TensorBatchSampler(50, 50, shuffle=True, seed=seed)
            sampler.set_epoch(epoch)
            orders.add(tuple(next(iter(sampler)).tolist()))
    assert len(orders) == 10


def test_batches_of_indices_are_small_wherever_they_are_sent():
    for batch in TensorBatchSampler(10_000, 16, shuffle=True):
        assert batch.untyped_storage().nbytes() == batch.nbytes


def test_neither_touches_the_global_random_state():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(chunked(100, batch_size=10, shuffle=True))
    list(TensorBatchSampler(100, batch_size=10, shuffle=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_rows_are_mixed_within_chunks_of_blocks():
    loader = chunked(10_000, batch_size=100, shuffle=True, chunk_rows=1000, block_rows=50)
    for chunk in torch.cat(list(loader)).view(10, 1000):
        assert len(set((chunk // 50).tolist())) == 20  # whole blocks
        assert chunk.diff().abs().median() > 1000  # neighbours come from far apart


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
def test_dataloader_yields_the_same_with_real_workers(workers):
    x, y = torch.rand(1000, 3), torch.arange(1000)
    loader = ChunkedRows(x, y, batch_size=64, shuffle=True, chunk_rows=200)
    alone = [b[1].tolist() for b in ChunkedRows(x, y, batch_size=64, shuffle=True, chunk_rows=200)]
    got = list(DataLoader(loader, batch_size=None, num_workers=workers))
    assert [b[1].tolist() for b in got] == alone
    assert all(torch.equal(x[rows], values) for values, rows in got)
    assert len(loader) == len(got) == 16


def test_a_dataset_is_indexed_with_a_whole_batch():
    asked = []

    class Watched(TensorDataset):
        def __getitem__(self, index):
            asked.append(tuple(index.shape))
            return super().__getitem__(index)

    sampler = TensorBatchSampler(10, 4)
    (first, *_) = list(DataLoader(Watched(torch.arange(10)), sampler=sampler, batch_size=None))
    assert asked == [(4,), (4,), (2,)]
    assert first[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is 1 or more, but got 0"),
        ({"batch_size": -3}, ValueError, "batch_size is 1 or more"),
        ({"batch_size": 2.5}, TypeError, "whole number, but got 2.5"),
        ({"batch_size": True}, TypeError, "whole number, but got True"),
        ({"batch_size": "8"}, TypeError, "whole number, but got '8'"),
        ({"seed": -1}, ValueError, "seed is 0 or more"),
        ({"shuffle": "no"}, TypeError, "shuffle is True or False, but got 'no'"),
        ({"drop_last": None}, TypeError, "drop_last is True or False"),
        ({"batch_size": 2**70}, ValueError, "less than"),
        ({"seed": None}, TypeError, "seed is a whole number"),
        ({"rank": 1}, ValueError, "give both"),
        ({"world_size": 2}, ValueError, "give both"),
        ({"rank": 2, "world_size": 2}, ValueError, "0 to world_size - 1 = 1, but got 2"),
        ({"rank": 0, "world_size": 0}, ValueError, "world_size is 1 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, error, words):
    for make in (chunked, TensorBatchSampler):
        with pytest.raises(error, match=words):
            make(10, **{"batch_size": 2, **options})


@pytest.mark.parametrize("name", ["chunk_rows", "block_rows"])
def test_chunks_and_blocks_of_no_rows_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 1 or more"):
        chunked(10, batch_size=2, **{name: 0})
    with pytest.raises(ValueError, match="rows is 1 or more"):
        chunks(torch.arange(3), 0)


def test_rank_and_world_size_come_from_torch_distributed(monkeypatch):
    from torch.testing._internal.distributed.fake_pg import FakeStore

    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(RuntimeError, match="one of 3 processes"):
        chunked(10, batch_size=2)
    assert chunked(10, batch_size=2, rank=0, world_size=1).world_size == 1
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=2, world_size=3)
    try:
        rows = chunked(10, batch_size=2)
    finally:
        torch.distributed.destroy_process_group()
    assert (rows.rank, rows.world_size) == (2, 3)
    assert torch.cat(list(rows)).tolist() == [4, 5, 9]
