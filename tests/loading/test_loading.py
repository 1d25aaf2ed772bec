"""The loaders: each row exactly once, in an order that depends on seed and epoch alone."""

import copy
import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from multiprocessing.reduction import ForkingPickler
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from utils.loading import ChunkedRows, TensorBatchSampler, chunked_rows, chunks

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
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
@settings(max_examples=60)
@given(stop=st.integers(0, 400), **settings_of_an_epoch)
def test_a_stop_after_any_batch_goes_on_with_the_next(make, rows, stop, **options):
    options = made(make, **options)
    alone = [batch.tolist() for batch in make(rows, **options)]
    stopped = make(rows, **options)
    before = [batch.tolist() for batch in itertools.islice(stopped, stop)]
    state = stopped.state_dict()
    assert state == make(rows, **options).state_after(len(before))
    again = make(rows, **options)
    again.load_state_dict(json.loads(json.dumps(state)))
    assert before + [batch.tolist() for batch in again] == alone


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


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_epoch_gone_through_twice_is_noticed(make):
    loader = make(100, batch_size=10, shuffle=True)
    for epoch in range(2):
        loader.set_epoch(epoch)
        list(loader)
    next(iter(make(100, batch_size=10, shuffle=True)))
    with pytest.warns(UserWarning, match=r"Epoch 1 .* same order"):
        list(loader)
    unshuffled = make(100, batch_size=10)
    assert len(list(unshuffled)) == len(list(unshuffled)) == 10


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("rows", [5, 30, 100])
@pytest.mark.parametrize("chunk_rows", [None, 20])
def test_an_epoch_that_was_only_begun_is_not_said_to_be_gone_through(workers, rows, chunk_rows):
    loader = chunked(rows, batch_size=10, shuffle=True, chunk_rows=chunk_rows)
    batches = DataLoader(loader, batch_size=None, num_workers=workers)
    next(iter(batches))
    if rows == 5:  # one batch: this was the whole epoch
        loader.set_epoch(0)
    assert len(list(batches)) == len(loader)
    loader.set_epoch(0)  # what is asked for is no mistake
    assert len(list(batches)) == len(loader)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_epoch_that_workers_have_gone_through_is_noticed(workers):
    loader = chunked(100, batch_size=10, shuffle=True)
    place = loader._place
    list(DataLoader(loader, batch_size=None, num_workers=workers))
    assert place.gone_through
    with pytest.warns(UserWarning, match=r"Epoch 0 .* same order"):
        next(iter(loader))


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_the_last_batch_that_was_yielded_ends_the_epoch(make):
    loader = make(30, batch_size=10, shuffle=True)
    list(zip(range(2), loader, strict=False))
    for number, _ in enumerate(loader):  # no warning: two batches of three were yielded
        if number == 2:
            break
    with pytest.warns(UserWarning, match="same order"):
        next(iter(loader))


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_iteration_that_has_begun_stays_in_its_epoch(make):
    options = {"chunk_rows": 20} if make is chunked else {}
    loader = make(100, batch_size=10, shuffle=True, **options)
    batches = iter(loader)
    seen = next(batches).tolist()
    loader.set_epoch(1)
    assert sorted(seen + torch.cat(list(batches)).tolist()) == list(range(100))


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


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_epoch_cut_short_twice_is_noticed(make):
    loader = make(100, batch_size=10)
    loader.load_state_dict(loader.state_after(3))
    assert len(list(loader)) == 7
    with pytest.warns(UserWarning, match="without its first 3 batches"):
        list(loader)


def test_copies_have_a_place_of_their_own_that_workers_see():
    rows = chunked(40, batch_size=10, shuffle=True)
    for other in (copy.copy(rows), copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        loader = DataLoader(other, batch_size=None, num_workers=1, persistent_workers=True)
        orders = set()
        for epoch in range(3):
            other.set_epoch(epoch)
            orders.add(tuple(torch.cat(list(loader)).tolist()))
        assert len(orders) == 3
        assert rows.epoch == 0


@pytest.mark.parametrize("workers", [0, 1])
def test_weights_that_need_gradients_are_rows_like_any_other(workers):
    weight = torch.nn.Parameter(torch.ones(4, 2))
    loader = DataLoader(ChunkedRows(weight, batch_size=2), batch_size=None, num_workers=workers)
    batches = list(loader)
    assert len(batches) == 2
    assert not any(batch.requires_grad for batch in batches)


def test_batches_of_indices_are_small_wherever_they_are_sent():
    for batch in TensorBatchSampler(10_000, 16, shuffle=True):
        assert batch.untyped_storage().nbytes() == batch.nbytes


def test_workers_read_no_more_than_their_part_of_rows_in_order(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(1000))
    rows = ChunkedRows(tmp_path / "x.npy", batch_size=10, chunk_rows=100)
    read = []
    source = rows._sources[0]
    monkeypatch.setattr(
        source, "fill", lambda starts, parts: read.extend(len(part) for part in parts)
    )
    as_worker(monkeypatch, rows, 1, 2)
    assert sum(read) == 500


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


def test_workers_that_stay_see_the_epoch_and_the_place(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(500))
    rows = ChunkedRows(tmp_path / "y.npy", batch_size=50, shuffle=True)
    alone = ChunkedRows(tmp_path / "y.npy", batch_size=50, shuffle=True)
    loader = DataLoader(rows, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in range(3):
        rows.set_epoch(epoch)
        alone.set_epoch(epoch)
        assert [b.tolist() for b in loader] == [b.tolist() for b in alone]
    state = rows.state_after(7)
    rows.set_epoch(9)
    rows.load_state_dict(state)
    assert [b.tolist() for b in loader] == [b.tolist() for b in as_loaded(alone, state)]


def as_loaded(rows, state):
    rows.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(rows)


def test_spawned_workers_get_the_path_and_not_the_rows(tmp_path):
    values = np.random.default_rng(0).random((20_000, 10))
    np.save(tmp_path / "x.npy", values)
    rows = ChunkedRows(np.load(tmp_path / "x.npy", mmap_mode="r"), batch_size=5000)
    next(iter(rows))  # nothing that is open gets into the pickle
    with io.BytesIO() as file:
        ForkingPickler(file).dump(rows)
        assert len(file.getvalue()) < 3000
    loader = DataLoader(rows, batch_size=None, num_workers=2, multiprocessing_context="spawn")
    assert np.array_equal(torch.cat(list(loader)), values)


def test_a_pickled_copy_goes_on_alone():
    rows = chunked(100, batch_size=10, shuffle=True)
    rows.set_epoch(4)
    copy = pickle.loads(pickle.dumps(rows))
    assert [b.tolist() for b in copy] == [b.tolist() for b in rows]
    copy.set_epoch(5)
    assert rows.epoch == 4


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


SOURCES = {
    "float32": np.random.default_rng(0).random((101, 3, 2), np.float32),
    "uint8": np.arange(101 * 4, dtype=np.int64).reshape(101, 4).astype(np.uint8),
    "bool": np.arange(101) % 3 == 0,
    "uint16": np.arange(101, dtype=np.uint16),
    "complex64": np.arange(101) * np.complex64(1j),
    "big-endian": np.arange(202, dtype=">i4").reshape(101, 2),
    "by columns": np.asfortranarray(np.arange(303.0).reshape(101, 3)),
    "backwards": np.arange(101.0)[::-1],
    "every second": np.arange(202)[::2],
    "a field of records": np.zeros(101, [("a", "u1"), ("b", "f4")])["b"],
    "no columns": np.zeros((101, 0)),
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("stored", ["memory", "read-only", "file", "map", "raw map"])
def test_sources_of_every_kind_are_read_as_numpy_reads_them(name, stored, tmp_path):
    source = values = SOURCES[name]
    if stored == "read-only":
        source = values.view()
        source.flags.writeable = False
    if stored in ("file", "map"):
        np.save(tmp_path / "x.npy", values)
        source = tmp_path / "x.npy"
        source = source if stored == "file" else np.load(source, mmap_mode="r")
    if stored == "raw map":
        if not values.size:
            pytest.skip("a file of no bytes cannot be mapped")
        values.tofile(tmp_path / "raw")
        source = np.memmap(tmp_path / "raw", values.dtype, "r", shape=values.shape)
    native = torch.from_numpy(values.astype(values.dtype.newbyteorder("="), order="C"))
    parts = list(ChunkedRows(source, batch_size=7)), list(chunks(source, 40))
    for batches in parts:
        got = torch.cat(batches) if batches else native[:0]
        torch.testing.assert_close(got, native, rtol=0, atol=0)
    shuffled = list(ChunkedRows(source, np.arange(len(values)), batch_size=7, shuffle=True))
    for got, rows in shuffled:
        torch.testing.assert_close(got, native[rows], rtol=0, atol=0)


def test_what_is_written_into_a_batch_reaches_neither_array_nor_file(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(100))
    memory = torch.zeros(100)
    for source in (memory, tmp_path / "x.npy"):
        for batch in ChunkedRows(source, batch_size=9):
            batch += 1
    for chunk in chunks(tmp_path / "x.npy", 30):
        chunk += 1
    assert not memory.any()
    assert not np.load(tmp_path / "x.npy").any()
    for chunk in chunks(memory, 30):
        chunk += 1
    assert memory.all()  # a view, as promised


def test_batches_stay_as_they_were_when_the_next_one_comes():
    batches = list(chunked(100, batch_size=10, shuffle=True))
    assert torch.cat(batches).sort().values.tolist() == list(range(100))


@pytest.mark.parametrize(
    ("sources", "error", "words"),
    [
        ((), ValueError, "No array was given"),
        ((np.zeros(3), np.zeros(4)), ValueError, "3 and 4 rows"),
        ((np.array(3.0),), ValueError, "single number"),
        (([1, 2, 3],), TypeError, "but got a list"),
        (({1: 2},), TypeError, "but got a dict. Convert it"),
        ((np.ma.masked_array([1, 2], [0, 1]),), TypeError, "its mask would be lost"),
        ((torch.eye(3).to_sparse(),), TypeError, "is a torch.sparse_coo tensor"),
        ((torch.ones(3, device="meta"),), TypeError, "is a meta tensor"),
        ((np.array(["a", "b"]),), TypeError, "no dtype for the <U1"),
        ((np.array([None, 1]),), TypeError, "no dtype for the object"),
        (("missing.npy",), FileNotFoundError, "There is no file"),
        (("short.npy",), ValueError, "written to the end"),
        (("nothing.npy",), ValueError, "written to the end"),
        (("text.npy",), ValueError, "one whole array of numbers"),
        (("objects.npy",), ValueError, "one whole array of numbers"),
        (("words.npy",), TypeError, "no dtype for the <U5"),
        (("number.npy",), ValueError, "single number"),
        (("several.npz",), ValueError, "a .npy file of its own"),
        ((".",), FileNotFoundError, "There is no file"),
    ],
)
def test_sources_that_cannot_be_read_say_why(sources, error, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("short.npy", np.zeros((1000, 10)))
    os.truncate("short.npy", 5000)
    (tmp_path / "nothing.npy").touch()
    (tmp_path / "text.npy").write_text("1, 2, 3\n")
    np.save("objects.npy", np.array([None, 1]), allow_pickle=True)
    np.save("words.npy", np.array(["hello"]))
    np.save("number.npy", 3.0)
    np.savez("several.npz", a=np.zeros(3))
    with pytest.raises(error, match=words):
        ChunkedRows(*sources, batch_size=2)


@pytest.mark.parametrize("stored", ["memory", "file"])
@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("V2", r"view\(np.int16\).*batch.view\(torch.bfloat16\)"),
        ("V1", r"view\(np.int8\).*batch.view\(torch.float8_e4m3fn\)"),
        ("V3", r"astype\(np.float32\)"),
        ([("a", "u1"), ("b", "f4")], r"records.*array\['a'\]"),
        ("datetime64[s]", r"view\(np.int64\)"),
        ("timedelta64[ns]", r"view\(np.int64\)"),
        ("longdouble", r"astype\(np.float32\)"),
    ],
)
def test_a_dtype_that_pytorch_lacks_has_advice_of_its_own(dtype, words, stored, tmp_path):
    source = np.zeros(3, dtype)
    if stored == "file":
        np.save(tmp_path / "x.npy", source)
        source = tmp_path / "x.npy"
    with pytest.raises(TypeError, match=words):
        ChunkedRows(source, batch_size=2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
@pytest.mark.parametrize("stored", ["memory", "file"])
def test_the_advice_for_short_floats_works(dtype, stored, tmp_path):
    values = torch.arange(-20.0, 20).to(dtype)
    whole = {1: np.int8, 2: np.int16}[dtype.itemsize]
    raw = values.view(getattr(torch, whole.__name__)).numpy().view(f"V{dtype.itemsize}")
    np.save(tmp_path / "x.npy", raw)  # as np.save writes arrays of ml_dtypes
    array = raw if stored == "memory" else np.load(tmp_path / "x.npy", mmap_mode="r")
    batches = list(ChunkedRows(array.view(whole), batch_size=7))
    assert torch.equal(torch.cat(batches).view(dtype).float(), values.float())
    parts = list(chunks(array.view(whole), 7))
    assert torch.equal(torch.cat(parts).view(dtype).float(), values.float())


@pytest.mark.parametrize("width", [1, 130, 2**14 + 1])  # by way of a chunk, picked, read one by one
@pytest.mark.parametrize("stored", ["memory", "file", "by columns"])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_rows_of_any_width_are_the_right_ones(width, stored, world_size, tmp_path):
    values = np.arange(60 * width, dtype=np.float32).reshape(60, width)
    source = np.asfortranarray(values) if stored == "by columns" else values
    if stored != "memory":
        np.save(tmp_path / "x.npy", source)
        source = tmp_path / "x.npy"
    seen = []
    for rank in range(world_size):
        options = {"chunk_rows": 24, "rank": rank, "world_size": world_size}
        rows = ChunkedRows(source, np.arange(60), batch_size=6, shuffle=True, **options)
        for batch, numbers in rows:
            assert np.array_equal(batch, values[numbers])
            seen += numbers.tolist()
    assert sorted(seen) == list(range(60))


@pytest.mark.parametrize("world_size", [1, 2, 4, 8])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_rank_reads_its_part_in_long_pieces(world_size, shuffle, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(4096))
    read = []
    for rank in range(world_size):
        rows = ChunkedRows(
            tmp_path / "x.npy", batch_size=64 // world_size, shuffle=shuffle,
            chunk_rows=1024, rank=rank, world_size=world_size,
        )  # fmt: skip
        source = rows._sources[0]
        fill = source.fill

        def watch(starts, parts, fill=fill):
            read.extend(range(start, start + len(part)) for start, part in zip(starts, parts))  # noqa: B905
            fill(starts, parts)

        monkeypatch.setattr(source, "fill", watch)
        list(rows)
    assert sorted(row for part in read for row in part) == list(range(4096))  # none twice
    assert len(read) <= (128 if shuffle else 4096 // 64 * world_size)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="the system takes no advice")
def test_the_next_chunk_is_announced_before_the_last_one_is_read(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.arange(1000))
    rows = ChunkedRows(tmp_path / "x.npy", batch_size=50, shuffle=True, chunk_rows=100)
    told, places = [], []
    monkeypatch.setattr(os, "posix_fadvise", lambda *advice: told.append(advice))
    for number, batch in enumerate(rows):
        places += ((batch * 8) + 128).tolist()
        announced = {
            place for _, first, length, _ in told for place in range(first, first + length, 8)
        }
        assert set(places) <= announced
        assert len(announced) == min(1000, 100 * (number // 2 + 2))


def test_a_part_of_a_map_is_refused_and_a_private_map_too(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100))
    for array in (
        np.load(tmp_path / "x.npy", mmap_mode="r")[10:],
        np.load(tmp_path / "x.npy", mmap_mode="c"),
    ):
        with pytest.raises(ValueError, match="Give the path"):
            ChunkedRows(array, batch_size=2)


def test_a_map_of_a_file_that_was_replaced_is_refused(tmp_path):
    for values in (np.arange(6.0), np.arange(20_000.0)):
        np.save(tmp_path / "x.npy", values)
        array = np.load(tmp_path / "x.npy", mmap_mode="r")
        assert torch.cat(list(ChunkedRows(array, batch_size=8))).tolist() == values.tolist()
        np.save(tmp_path / "new.npy", -values)
        os.replace(tmp_path / "new.npy", tmp_path / "x.npy")
        with pytest.raises(ValueError, match="it was replaced"):
            ChunkedRows(array, batch_size=2)
    (tmp_path / "x.npy").unlink()
    with pytest.raises(FileNotFoundError, match="has gone"):
        ChunkedRows(array, batch_size=2)


@pytest.mark.parametrize("change", ["longer", "shorter", "newer", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read_is_noticed(change, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(100_000))
    rows = ChunkedRows(path, batch_size=100, chunk_rows=1000)
    batches = iter(rows)
    next(batches)
    if change == "longer":
        np.save(path, np.arange(100_001))
    elif change == "shorter":
        os.truncate(path, 5000)
    elif change == "newer":
        os.utime(path, (1, 1))
    elif change == "replaced":
        np.save(tmp_path / "new.npy", np.arange(100_000))
        os.replace(tmp_path / "new.npy", path)
    else:
        path.unlink()
    with pytest.raises(RuntimeError, match="has gone" if change == "gone" else "has changed"):
        list(batches)


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


def test_epochs_and_states_that_make_no_sense_are_refused():
    rows = chunked(100, batch_size=10, shuffle=True)
    with pytest.raises(ValueError, match="epoch is 0 or more"):
        rows.set_epoch(-1)
    with pytest.raises(ValueError, match="10 batches, but got 11"):
        rows.state_after(11)
    state = rows.state_after(3)
    for wrong in ({"batches": 99}, {"batches": -3}, {"epoch": -1}):
        with pytest.raises(ValueError, match=r"99 were done|or more"):
            rows.load_state_dict(state | wrong)
    with pytest.raises(TypeError, match="epoch is a whole number"):
        rows.load_state_dict(state | {"epoch": 1.9})
    with pytest.raises(TypeError, match="but got None"):
        rows.load_state_dict(None)
    with pytest.raises(ValueError, match="global_batch=10 and not 20"):
        chunked(100, batch_size=20, shuffle=True).load_state_dict(state)
    with pytest.raises(ValueError, match="rows=100 and not 101"):
        chunked(101, batch_size=10, shuffle=True).load_state_dict(state)
    with pytest.raises(ValueError, match="other entries"):
        rows.load_state_dict({k: v for k, v in state.items() if k != "epoch"})


def test_the_place_is_kept_until_another_epoch_is_chosen():
    rows = chunked(100, batch_size=10, shuffle=True)
    rows.load_state_dict(rows.state_after(4) | {"epoch": 2})
    rows.set_epoch(2)
    assert len(rows) == 6
    assert rows.state_after(2)["batches"] == 6  # counted from the beginning of the epoch
    rows.set_epoch(3)
    assert len(rows) == 10


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


@LINUX
def test_a_file_larger_than_the_memory_allowed_is_read(tmp_path):
    program = """
        import resource, sys
        import numpy as np
        import torch
        from utils.loading import ChunkedRows, chunks

        def memory(kind):
            lines = open("/proc/self/status").read().splitlines()
            return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))

        rows = ChunkedRows("x.npy", batch_size=1024, shuffle=True)
        for batch in rows:  # what PyTorch itself sets up on first use
            batch.sum()
        rows.set_epoch(1)
        files = memory("RssFile")
        resource.setrlimit(resource.RLIMIT_DATA, (int((memory("VmData") + 40) * 2**20),) * 2)
        try:
            np.load("x.npy")
            sys.exit("the limit does not work")
        except MemoryError:
            pass
        before, peak, total = memory("RssAnon"), [0, 0], 0.0
        for batch in rows:
            total += float(batch.sum())
            peak = [max(peak[0], memory("RssAnon")), max(peak[1], memory("RssFile"))]
        for chunk in chunks("x.npy", 2**15):
            total += float(chunk.sum())
            peak = [max(peak[0], memory("RssAnon")), max(peak[1], memory("RssFile"))]
        print(total, peak[0] - before, peak[1] - files)
    """
    values = np.ones((2**20, 32), np.float32)  # 128 MiB
    np.save(tmp_path / "x.npy", values)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    total, anonymous, mapped = map(float, done.stdout.split())
    assert total == 2 * values.size
    assert anonymous < 4 + 10  # a chunk, and what the allocator keeps
    assert mapped < 20


@LINUX
def test_nothing_stays_open_between_chunks(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(100_000))
    rows = ChunkedRows(tmp_path / "x.npy", batch_size=100, chunk_rows=1000, shuffle=True)
    list(rows)
    for chunk in chunks(tmp_path / "x.npy", 1000):
        del chunk
    with open("/proc/self/maps") as maps:
        assert str(tmp_path) not in maps.read()
    names = [str(open_file.path) for open_file in psutil.Process().open_files()]
    assert not any(str(tmp_path) in name for name in names)
