"""The loaders beside others', where they are installed: ``python -m tests.bench.field``.

``pip install -e '.[test,bench]'`` brings them. Each is asked for the same: all rows of a table,
once, shuffled, as tensors of so many rows. Rates are ratios to `index_select` over a permutation
in the same process, of few rows for those that fetch them one by one; they take turns.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from utils.loading import ChunkedRows, TensorBatchSampler

ROWS, PART, ROUNDS = 1_000_000, 20_000, 3
SIZES = 64, 256, 1024
Loader = Callable[[Tensor, int, Path], Iterable[Tensor]]


class Selected(TensorDataset):
    def __getitem__(self, indices: Tensor) -> Tensor:
        return self.tensors[0].index_select(0, indices)


def index_select(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    return (rows.index_select(0, i) for i in torch.randperm(len(rows)).split(size))


def chunked(rows: Tensor, size: int, folder: Path) -> ChunkedRows:
    return ChunkedRows(rows, batch_size=size, shuffle=True)


def chunked_file(rows: Tensor, size: int, folder: Path) -> ChunkedRows:
    path = folder / f"{len(rows)}.npy"
    if not path.exists():
        np.save(path, rows.numpy())
    return ChunkedRows(path, batch_size=size, shuffle=True)


def sixteen_at_once(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    sampler = TensorBatchSampler(len(rows), 16 * size, shuffle=True)
    for batches in DataLoader(Selected(rows), sampler=sampler, batch_size=None):
        yield from batches.split(size)


def plain(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    return (batch for (batch,) in DataLoader(TensorDataset(rows), size, shuffle=True))


def nodes(rows: Tensor, size: int, folder: Path) -> Iterable[Tensor]:
    from torchdata.nodes import Batcher, Loader, Mapper, SamplerWrapper

    order = SamplerWrapper(RandomSampler(rows))
    batches = Batcher(Mapper(order, rows.__getitem__), size, drop_last=False)
    return Loader(Mapper(batches, torch.stack))


def arrow(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    from datasets import Dataset, disable_progress_bars, load_from_disk

    disable_progress_bars()
    place = folder / f"arrow-{len(rows)}"
    if not place.exists():
        Dataset.from_dict({"rows": rows.numpy()}).save_to_disk(place)
    stored = load_from_disk(place).with_format("torch").shuffle()
    return (batch["rows"] for batch in stored.iter(size))


def grain(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    from grain import MapDataset

    order = MapDataset.source(rows.numpy()).shuffle(seed=0)
    return map(torch.from_numpy, order.batch(size).to_iter_dataset())


def spdl(rows: Tensor, size: int, folder: Path) -> Iterator[Tensor]:
    from spdl.pipeline import PipelineBuilder

    def pick(indices: Tensor) -> Tensor:
        return rows.index_select(0, indices)

    order = torch.randperm(len(rows)).split(size)
    line = PipelineBuilder().add_source(order).pipe(pick).add_sink(4).build(num_threads=1)
    with line.auto_stop():
        yield from line.get_iterator()


# name, loader, package, how many rows it goes through
FIELD: list[tuple[str, Loader, str, int]] = [
    ("ChunkedRows", chunked, "torch", ROWS),
    ("ChunkedRows, file", chunked_file, "torch", ROWS),
    ("DataLoader, 16 batches a call", sixteen_at_once, "torch", ROWS),
    ("DataLoader", plain, "torch", PART),
    ("torchdata.nodes", nodes, "torchdata", PART),
    ("datasets, file", arrow, "datasets", PART),
    ("Grain", grain, "grain", PART),
    ("SPDL, whole batches", spdl, "spdl", ROWS // 4),
]


def seconds(loader: Loader, rows: Tensor, size: int, folder: Path) -> tuple[float, float]:
    """For the first batch, and for a row."""
    start = perf_counter()
    batches = iter(loader(rows, size, folder))
    next(batches)
    first = perf_counter() - start
    for _ in batches:
        pass
    return first, (perf_counter() - start) / len(rows)


def apart(order: Tensor) -> float:
    """How far neighbours of the order lie apart, a permutation being 1."""
    return float(order.diff().abs().double().mean()) / (len(order) / 3)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = torch.rand(ROWS, 10)
    field = [entry for entry in FIELD if find_spec(entry[2])]
    print("missing:", *(name for name, *_ in FIELD if name not in [entry[0] for entry in field]))
    print(f"{'rows of 40 bytes; index_select is 1':32}", *(f"{size:>7,}" for size in SIZES), end="")
    print("   first batch   neighbours   each row once")
    with tempfile.TemporaryDirectory() as temporary:
        folder, other = Path(temporary) / "rows", Path(temporary) / "numbers"
        folder.mkdir()
        other.mkdir()
        for name, loader, _, count in field:
            part, ratios, firsts = rows[:count], [], []
            numbers = torch.arange(count).unsqueeze(1)
            order = torch.cat(list(loader(numbers, 256, other)))
            order = order.flatten()
            for size in SIZES:
                pairs = []
                for _ in range(ROUNDS + 1):
                    _, before = seconds(index_select, rows, size, folder)
                    first, after = seconds(loader, part, size, folder)
                    pairs.append(before / after)
                    firsts.append(first)
                ratios.append(median(pairs[1:]))
            once = torch.equal(order.sort().values, torch.arange(count))
            print(f"{name:32}", *(f"{ratio:7.3g}" for ratio in ratios), end="")
            print(f"{median(firsts) * 1000:11.2f} ms{apart(order):13.2f}", "  ", once, flush=True)


if __name__ == "__main__":
    main()
