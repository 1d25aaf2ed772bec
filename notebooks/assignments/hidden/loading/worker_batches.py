"""Hidden tests of `worker_batches`."""

from __future__ import annotations

import random
from functools import partial
import torch
from utils.classroom.answering import with_generator
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def use(answer, *settings):
    found = answer(*settings)
    batches = found["result"]
    if not isinstance(batches, list):
        raise TypeError(f"it returns a {type(batches).__name__}, expected a list")
    for batch in batches:
        if not isinstance(batch, torch.Tensor):
            raise TypeError(f"a batch is a {type(batch).__name__}, expected a tensor")
        if batch.dim() != 1:
            raise ValueError(f"a batch has shape {tuple(batch.shape)}, expected one dimension")
        if batch.dtype != torch.int64:
            raise TypeError(f"a batch is {batch.dtype}, expected torch.int64")
    return {
        "rows of the batches": torch.tensor([len(batch) for batch in batches], dtype=torch.int64),
        "indices": torch.cat([torch.empty(0, dtype=torch.int64), *batches]),
        "everybody's generator": found["state"],
    }


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    draws = random.Random(year)  # as in the cell of the constants
    draws.randrange(2, 60)
    multiplier = draws.randrange(1000, 10_000)

    def dealing(
        batch_of=lambda number, r, rs, w, ws: number % rs == r and number // rs % ws == w,
        seed_of=lambda seed, epoch: multiplier * seed + epoch,
        drop_last=False,
        order_of=lambda order: order,
        globally=False,
    ):
        def deal(rows, batch_size, seed, epoch, rank, world_size, worker, workers):
            generator = torch.Generator().manual_seed(seed_of(seed, epoch))
            order = order_of(torch.randperm(rows, generator=generator)).tolist()
            if globally:
                torch.manual_seed(seed_of(seed, epoch))
                torch.randperm(rows)
            found = []
            for number, start in enumerate(range(0, rows, batch_size)):
                batch = order[start : start + batch_size]
                if batch_of(number, rank, world_size, worker, workers) and not (
                    drop_last and len(batch) < batch_size
                ):
                    found.append(torch.tensor(batch, dtype=torch.int64))
            return found

        return partial(with_generator, deal)

    exercise = Exercise(
        loop=dealing(),
        use=use,
        cases={
            "the second worker of the second machine": (100, 4, 3, 2, 1, 2, 1, 3),
            "the first worker of the third machine": (100, 4, 3, 2, 2, 3, 0, 2),
            "three machines of two workers": (61, 5, 7, 1, 1, 3, 1, 2),
            "one worker on one machine": (10, 4, 0, 0, 0, 1, 0, 1),
            "the next epoch": (10, 4, 1, 1, 0, 1, 0, 1),
            "the next seed": (10, 4, 2, 0, 0, 1, 0, 1),
            "a later epoch of a larger seed": (33, 4, 12, 40, 0, 2, 1, 2),
            "the worker with the short last batch": (27, 4, 5, 1, 0, 2, 1, 2),
            "batches that divide the rows": (24, 4, 5, 1, 1, 2, 0, 2),
            "batches of one": (7, 1, 5, 1, 1, 2, 0, 2),
            "a batch larger than the rows": (3, 8, 5, 1, 0, 2, 0, 2),
            "a worker for whom nothing is left": (3, 8, 5, 1, 1, 2, 0, 2),
            "one row": (1, 4, 5, 1, 0, 1, 0, 1),
            "no rows": (0, 4, 5, 1, 0, 2, 0, 2),
        },
        growing={
            "rows of a batch": ((26, 4, 3, 2, 1, 2, 1, 2), (1040, 160, 3, 2, 1, 2, 1, 2)),
        },
        mistakes={
            "the workers of a machine all have the same batches": dealing(
                lambda n, r, rs, w, ws: n % rs == r
            ),
            "all machines have the same batches": dealing(lambda n, r, rs, w, ws: n % ws == w),
            "neighbouring batches go to the workers of one machine; they go to the machines": (
                dealing(lambda n, r, rs, w, ws: n % (rs * ws) == r * ws + w)
            ),
            "every worker has all batches": dealing(lambda *numbers: True),
            "the short last batch is left out": dealing(drop_last=True),
            "the epoch does not count, so all have the same order": dealing(
                seed_of=lambda seed, epoch: multiplier * seed
            ),
            "the seed is not the one that rule 1 makes of seed and epoch": dealing(
                seed_of=lambda seed, epoch: seed + epoch
            ),
            "seed and epoch have changed places in rule 1": dealing(
                seed_of=lambda seed, epoch: multiplier * epoch + seed
            ),
            "the rows are not shuffled": dealing(order_of=lambda order: order.sort().values),
            "it seeds the generator that everybody draws from; make one of your own": dealing(
                globally=True
            ),
        },
    )
    return Task(
        "worker_batches-test",
        "worker_batches",
        (Part(exercise, "with_generator", pure=False, lines=False),),
    )
