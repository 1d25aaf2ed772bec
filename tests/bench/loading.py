"""How fast the loaders are, beside what else there is: ``python -m tests.bench.loading``.

All figures are ratios from this run: of the time of the simplest good way to the time of each
other, so that above 1 is faster. The ways take turns, and the median of the rounds is printed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from utils.loading import ChunkedRows, TensorBatchSampler, chunks

ROUNDS = 5
SIZES = 64, 256, 1024
PART = 10_000  # rows for the ways that fetch them one by one
RANKS = 4  # of which one is timed, as if the others had machines of their own
WIDTHS = 4, 40, 256, 512, 784, 4096, 2**16, 2**20  # bytes of a row
AT_MOST = 400_000  # rows of any width


def exhaust(batches: Iterable) -> None:
    for _ in batches:
        pass


def ratios(ways: dict[str, Callable[[], None]], scale: dict[str, float]) -> dict[str, float]:
    """Time of the first way by that of each; a time is multiplied with its ``scale``."""
    rounds = []
    for _ in range(ROUNDS + 1):
        spent = {}
        for name, way in ways.items():
            start = perf_counter()
            way()
            spent[name] = (perf_counter() - start) * scale.get(name, 1)
        first = next(iter(spent.values()))
        rounds.append({name: first / time for name, time in spent.items()})
    return {name: median(r[name] for r in rounds[1:]) for name in ways}


class Selected(TensorDataset):
    """Rows by `index_select`, which copies them faster than indexing does."""

    def __getitem__(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(tensor.index_select(0, indices) for tensor in self.tensors)


def apart(rows: torch.Tensor, size: int) -> Iterable[torch.Tensor]:
    """16 batches a call of the loader, taken apart behind it."""
    sampler = TensorBatchSampler(len(rows), 16 * size, shuffle=True)
    for (batches,) in DataLoader(Selected(rows), sampler=sampler, batch_size=None):
        yield from batches.split(size)


def nodes(rows: torch.Tensor, batch_size: int) -> None:
    from torchdata.nodes import Batcher, Loader, Mapper, SamplerWrapper

    order = SamplerWrapper(torch.utils.data.RandomSampler(rows))
    exhaust(Loader(Mapper(Batcher(Mapper(order, rows.__getitem__), batch_size), torch.stack)))


def shuffled(name: str, rows: torch.Tensor, path: Path) -> None:
    np.save(path, rows.numpy())
    print(f"\n{name}: {rows.shape[0]:,} rows of {rows[0].nbytes} bytes; index_select is 1")
    few = len(rows) / PART
    for size in SIZES:
        sampler = TensorBatchSampler(len(rows), size, shuffle=True)
        memory = ChunkedRows(rows, batch_size=size, shuffle=True)
        file = ChunkedRows(path, batch_size=size, shuffle=True)
        part = TensorDataset(rows[:PART])
        order = {"sampler": sampler, "batch_size": None}
        rank = {"batch_size": max(1, size // RANKS), "rank": 1, "world_size": RANKS}
        quarter = ChunkedRows(rows, shuffle=True, **rank)
        filed = ChunkedRows(path, shuffle=True, **rank)
        ways = {
            "index_select": lambda size=size: exhaust(
                rows.index_select(0, i) for i in torch.randperm(len(rows)).split(size)
            ),
            "ChunkedRows": lambda m=memory: exhaust(m),
            "ChunkedRows, file": lambda f=file: exhaust(f),
            "… in DataLoader": lambda m=memory: exhaust(DataLoader(m, batch_size=None)),
            "… a rank of 4": lambda q=quarter: exhaust(q),
            "… a rank of 4, file": lambda q=filed: exhaust(q),
            "TensorBatchSampler": lambda s=sampler: exhaust(rows.index_select(0, i) for i in s),
            "… in DataLoader, index_select": lambda o=order: exhaust(
                DataLoader(Selected(rows), **o)
            ),
            "… and 16 batches at once": lambda size=size: exhaust(apart(rows, size)),
            "… in DataLoader, TensorDataset": lambda o=order: exhaust(
                DataLoader(TensorDataset(rows), **o)
            ),
            "plain DataLoader": lambda p=part, size=size: exhaust(
                DataLoader(p, batch_size=size, shuffle=True)
            ),
        }
        if find_spec("torchdata"):
            ways["torchdata nodes"] = lambda size=size: nodes(rows[:PART], size)
        scale = {"plain DataLoader": few, "torchdata nodes": few}
        scale |= {way: RANKS for way in ways if "rank of" in way}
        told = ratios(ways, scale)
        print(f"  batches of {size:>5}: ", end="")
        print(" · ".join(f"{way} {told[way]:.3g}" for way in list(ways)[1:]), flush=True)


def wide(folder: Path) -> None:
    print(
        "\nrows of every width, 128 MiB or 400,000 of them; index_select over a permutation is 1,"
    )
    print("of the array in memory; beside it, of the mapped file, which was written before")
    for width in WIDTHS:
        count = min(AT_MOST, 2**27 // width)
        rows = torch.randint(256, (count, width), dtype=torch.uint8)
        np.save(folder / "wide.npy", rows.numpy())
        for size in SIZES:
            if size * width > 2**26:
                continue
            ways = {
                "index_select": lambda rows=rows, size=size: exhaust(
                    rows.index_select(0, i) for i in torch.randperm(len(rows)).split(size)
                )
            }
            mapped = torch.from_numpy(np.load(folder / "wide.npy", mmap_mode="c"))
            ways["index_select, mapped"] = lambda rows=mapped, size=size: exhaust(
                rows.index_select(0, i) for i in torch.randperm(len(rows)).split(size)
            )
            for name, source in (("memory", rows), ("file", folder / "wide.npy")):
                loader = ChunkedRows(source, batch_size=size, shuffle=True)
                ways[name] = lambda loader=loader: exhaust(loader)
            told = ratios(ways, {})
            print(f"  {width:>9,} bytes, batches of {size:>5}: ", end="")
            print(" · ".join(f"{way} {told[way]:.2f}" for way in list(ways)[1:]), flush=True)


def forget(path: Path) -> None:
    """Drop the file from the system's cache."""
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def cold(folder: Path) -> None:
    """What it brings to announce the next chunk to the system, with and without work to do."""
    print("\n256 MiB in chunks of 4 MiB that are announced ahead; without that it is 1")
    path = folder / "values.npy"
    announced, silent = (ChunkedRows(path, batch_size=1024, shuffle=True) for _ in range(2))
    silent._sources[0].expect = lambda starts, counts: None

    def epoch(loader: ChunkedRows, drop: bool, work: float) -> float:
        if drop:
            forget(path)
        start = perf_counter()
        for _ in loader:
            until = perf_counter() + work
            while perf_counter() < until:
                pass
        return perf_counter() - start

    reading = median(epoch(silent, True, 0) for _ in range(3)) / len(silent)
    for name, drop, work in (
        ("cold", True, 0.0),
        ("cold, a step as long as reading", True, reading),
        ("warm", False, 0.0),
    ):
        times = [(epoch(silent, drop, work), epoch(announced, drop, work)) for _ in range(ROUNDS)]
        print(f"  {name}: {median(before / after for before, after in times):.2f}", flush=True)


def mixing() -> None:
    """How far neighbours of the order lie apart in the file, and how alike batches are."""
    rows, size = 1_000_000, 256
    orders = {
        "a permutation": torch.randperm(rows),
        "TensorBatchSampler": torch.cat(list(TensorBatchSampler(rows, size, shuffle=True))),
    }
    for chunk in (2**14, 2**17):
        loader = ChunkedRows(torch.arange(rows), batch_size=size, shuffle=True, chunk_rows=chunk)
        orders[f"ChunkedRows, chunks of {chunk:,} rows"] = torch.cat(list(loader))
    print(f"\nhow well {rows:,} rows are mixed; a permutation is 1")
    told = {}
    for name, order in orders.items():
        apart = order.diff().abs().double().mean()
        batches = order[: rows // size * size].view(-1, size).double()
        told[name] = (
            float(apart),
            float(batches.mean(dim=1).std()),
            float(batches.std(dim=1).mean()),
        )
    first = next(iter(told.values()))
    for name, figures in told.items():
        ratio = [figure / one for figure, one in zip(figures, first, strict=True)]
        print(
            f"  {name}: neighbours {ratio[0]:.2f} as far apart, the mean of batches spreads "
            f"{ratio[1]:.2f}, rows in a batch {ratio[2]:.2f}"
        )


def read_into(path: Path, size: int) -> None:
    buffer = torch.empty(size // 4)
    view = memoryview(buffer.numpy()).cast("B")
    with open(path, "rb", buffering=0) as file:
        file.seek(128)
        while got := file.readinto(view):
            buffer[: got // 4].sum()


def in_chunks(folder: Path) -> None:
    values = torch.rand(2**20, 64)  # 256 MiB
    np.save(folder / "values.npy", values.numpy())
    print("\nsumming 256 MiB, the file being warm; the sum in memory is 1")
    for mebibytes in (1, 4, 16, 64):
        rows = mebibytes * 2**12
        ways = {
            "in memory": lambda: values.sum(),
            "in memory, in chunks": lambda rows=rows: exhaust(p.sum() for p in values.split(rows)),
            "chunks of the file": lambda rows=rows: exhaust(
                chunk.sum() for chunk in chunks(folder / "values.npy", rows)
            ),
            "readinto": lambda rows=rows: read_into(folder / "values.npy", 256 * rows),
        }
        told = ratios(ways, {})
        print(f"  chunks of {mebibytes:>2} MiB: ", end="")
        print(" · ".join(f"{way} {told[way]:.2f}" for way in list(ways)[1:]), flush=True)


def resident() -> dict[str, float]:
    """Anonymous and file-backed memory of this process, in MiB."""
    with open("/proc/self/status") as status:
        lines = [line.split() for line in status if line.startswith(("RssAnon", "RssFile"))]
    return {name: int(kibibytes) / 1024 for name, kibibytes, _ in lines}


def growth(path: Path, mebibytes: int, told: multiprocessing.Queue) -> None:
    """The most that going through a file adds to the memory of a process, put into ``told``."""
    rows = mebibytes * 2**12
    ways = {
        "chunks": lambda: chunks(path, rows),
        "ChunkedRows": lambda: ChunkedRows(
            path, batch_size=256, shuffle=True, chunk_rows=rows, block_rows=rows // 16
        ),
    }
    for name, way in ways.items():
        next(iter(way())).sum()
        before, peak = resident(), resident()
        for chunk in way():
            chunk.sum()
            peak = {kind: max(peak[kind], now) for kind, now in resident().items()}
        told.put((name, *(peak[kind] - before[kind] for kind in peak)))


def memory(folder: Path) -> None:
    print("\nmemory that going through the same file adds at most, in MiB")
    spawn = multiprocessing.get_context("spawn")
    for mebibytes in (1, 4, 16, 64):
        told = spawn.Queue()
        process = spawn.Process(target=growth, args=(folder / "values.npy", mebibytes, told))
        process.start()
        for name, anonymous, mapped in (told.get(), told.get()):
            print(
                f"  chunks of {mebibytes:>2} MiB, {name:12} anonymous {anonymous:5.1f}, "
                f"file-backed {mapped:5.1f}"
            )
        process.join()


def main() -> None:
    warnings.filterwarnings("ignore", message="Epoch 0 has been gone through")
    torch.manual_seed(0)
    torch.set_num_threads(1)  # as in the lessons
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"torch {torch.__version__}, one thread, median of {ROUNDS}")
        shuffled("tabular", torch.rand(1_000_000, 10), folder / "table.npy")
        images = torch.randint(256, (60_000, 28, 28), dtype=torch.uint8)
        shuffled("images", images, folder / "images.npy")
        wide(folder)
        mixing()
        in_chunks(folder)
        if hasattr(os, "posix_fadvise"):
            cold(folder)
        if sys.platform == "linux":
            memory(folder)


if __name__ == "__main__":
    main()
