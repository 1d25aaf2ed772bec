"""What is read from memory and files: how much, how often, and what is left of it."""

import io
import os
import subprocess
import sys
import textwrap
from multiprocessing.reduction import ForkingPickler

import numpy as np
import psutil
import pytest
import torch
from torch.utils.data import DataLoader

from tests.loading.parts import as_worker, chunked
from utils.loading import ChunkedRows, chunks

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


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


@pytest.mark.parametrize("width", [1, 130, 2**14 + 1])  # by way of a chunk, or picked
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
