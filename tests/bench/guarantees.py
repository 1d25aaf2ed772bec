"""Which promises loaders keep, found by running them: ``python -m tests.bench.guarantees``.

Each loader goes through 1,001 shuffled rows in global batches of 48: neither these nor 2 or 4 ranks
divide the rows. No promise is quoted from a manual.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice, zip_longest
from typing import Any

import torch
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from utils.loading import ChunkedRows, TensorBatchSampler

ROWS, STEP, STOP = 1001, 48, 7
DATA = TensorDataset(torch.arange(ROWS))
Make = Callable[[int, int, int], Any]


def batches(loader: Any) -> list[list[int]]:
    return [
        (part[0] if isinstance(part, list | tuple) else part).flatten().tolist() for part in loader
    ]


def ranks(make: Make, world_size: int) -> list[list[list[int]]]:
    return [batches(make(rank, world_size, 0)) for rank in range(world_size)]


def steps(parts: list[list[list[int]]]) -> list[list[int]]:
    turns = zip_longest(*parts, fillvalue=[])
    return [sorted(row for batch in turn for row in batch) for turn in turns]


def each_row_once(make: Make) -> bool:
    seen = [row for part in ranks(make, 4) for batch in part for row in batch]
    return sorted(seen) == list(range(ROWS))


def same_for_workers(make: Make) -> bool:
    return batches(make(0, 2, 0)) == batches(make(0, 2, 2))


def same_steps_for_ranks(make: Make) -> bool:
    return steps(ranks(make, 1)) == steps(ranks(make, 2)) == steps(ranks(make, 4))


def equal_steps(make: Make) -> bool:
    return len({len(part) for part in ranks(make, 4)}) == 1


def goes_on(make: Make, before: int, after: int, workers: int = 0) -> bool:
    seen, states = [], []
    for rank in range(before):
        loader = make(rank, before, workers)
        running = iter(loader)
        seen.append(batches(islice(running, STOP)))
        states.append(loader.state_dict())
        del running
    rest = []
    for rank in range(after):
        loader = make(rank, after, workers)
        loader.load_state_dict(states[rank % before])
        rest.append(batches(loader))
    return steps(seen) + steps(rest) == steps(ranks(make, before))


PROMISES: dict[str, Callable[[Make], bool]] = {
    "each row exactly once on 4 ranks": each_row_once,
    "4 ranks end together": equal_steps,
    "the same batches with workers": same_for_workers,
    "the same steps on 1, 2 and 4 ranks": same_steps_for_ranks,
    "goes on at the next batch": lambda make: goes_on(make, 1, 1),
    "goes on with 2 workers": lambda make: goes_on(make, 1, 1, workers=2),
    "stopped on 2 ranks, goes on with 4": lambda make: goes_on(make, 2, 4),
}


def plain(rank: int, world_size: int, workers: int) -> DataLoader:
    sampler = DistributedSampler(DATA, world_size, rank, seed=1)
    return DataLoader(DATA, STEP // world_size, sampler=sampler, num_workers=workers)


def loaders() -> dict[str, Make]:
    found: dict[str, Make] = {"DataLoader, DistributedSampler": plain}
    if not find_spec("torchdata"):
        return found
    from torchdata.stateful_dataloader import StatefulDataLoader
    from torchdata.stateful_dataloader.sampler import StatefulDistributedSampler

    def stateful(rank: int, world_size: int, workers: int) -> StatefulDataLoader:
        sampler = StatefulDistributedSampler(DATA, world_size, rank, seed=1)
        options = {"sampler": sampler, "num_workers": workers}
        return StatefulDataLoader(DATA, STEP // world_size, **options)

    def of_sampler(rank: int, world_size: int, workers: int) -> StatefulDataLoader:
        options = {"rank": rank, "world_size": world_size, "empty_last": True}
        sampler = TensorBatchSampler(ROWS, STEP // world_size, shuffle=True, seed=1, **options)
        options = {"batch_size": None, "num_workers": workers}
        return StatefulDataLoader(DATA, sampler=sampler, **options)

    def chunked(rank: int, world_size: int, workers: int) -> Any:
        options = {"rank": rank, "world_size": world_size, "empty_last": True, "chunk_rows": 192}
        size = STEP // world_size
        rows = ChunkedRows(*DATA.tensors, batch_size=size, shuffle=True, seed=1, **options)
        if not workers:  # its own state is the same for all ranks
            return rows
        return StatefulDataLoader(rows, batch_size=None, num_workers=workers)

    found["torchdata's loader, its DistributedSampler"] = stateful
    found["torchdata's loader, TensorBatchSampler"] = of_sampler
    found["ChunkedRows, with workers in torchdata's loader"] = chunked
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    for name, make in loaders().items():
        print(name)
        for promise, kept in PROMISES.items():
            try:
                told = "yes" if kept(make) else "no"
            except Exception as error:
                told = f"no ({type(error).__name__})"
            print(f"  {promise:38} {told}", flush=True)


if __name__ == "__main__":
    main()
