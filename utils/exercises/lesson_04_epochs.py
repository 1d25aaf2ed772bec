"""Lesson 04, what an epoch is made of: exercises 04.3 and 04.4."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from utils.exercises.exercise import Exercise, grown, use_apart_from_random_numbers
from utils.exercises.inputs import uniform

_random = torch.Generator().manual_seed(4)
_rand = partial(uniform, _random)


def _epoch_mean(losses: Tensor, counts: Tensor) -> Tensor:
    total = losses.new_zeros(())
    for loss, count in zip(losses, counts, strict=True):
        if count > 0:
            total += loss * count
    return total / counts.sum()


def _epoch_batches(
    samples: int, batch_size: int, seed: int, epoch: int, drop_last: bool
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed + epoch)
    batches, batch = [], []
    for index in torch.randperm(samples, generator=generator).tolist():
        batch.append(index)
        if len(batch) == batch_size:
            batches.append(torch.tensor(batch))
            batch = []
    if batch and not drop_last:
        batches.append(torch.tensor(batch))
    return batches


def _ordered(order: Tensor, batch_size: int, drop_last: bool) -> list[Tensor]:
    batches = list(order.split(batch_size))
    return batches[:-1] if drop_last and len(order) % batch_size else batches


def _shuffled_globally(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    torch.manual_seed(seed + epoch)
    return _ordered(torch.randperm(n), b, drop)


def _permuted(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def _loader(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed + epoch)
    return list(DataLoader(range(n), b, True, drop_last=drop, generator=generator))  # type: ignore[arg-type]


def _drawn_again(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epoch + 1):
        order = torch.randperm(n, generator=generator)
    return _ordered(order, b, drop)


EXERCISES = {
    "04.3": Exercise(
        loop=_epoch_mean,
        cases={
            "batches of 4, 4 and 2": (
                torch.tensor([11.5, 12.28, 25.24]),
                torch.tensor([4, 4, 2]),
            ),
            "batches of equal size": (_rand(5), torch.full((5,), 32)),
            "57 batches, the last one short": (_rand(57), torch.tensor([32] * 56 + [5])),
            "one batch": (_rand(1), torch.tensor([3])),
            "a batch in which nothing counted": (
                torch.tensor([1.5, torch.nan, 0.25]),
                torch.tensor([6, 0, 2]),
            ),
            "float64 losses": (_rand(3, dtype=torch.float64), torch.tensor([5, 5, 1])),
            "a loss that became NaN where something counted": (
                torch.tensor([1.5, torch.nan, 0.25, torch.nan]),
                torch.tensor([6, 3, 2, 0]),
            ),
            "an infinite loss": (torch.tensor([1.5, torch.inf, 0.5]), torch.tensor([6, 3, 2])),
            "negative losses": (-_rand(3), torch.tensor([5, 5, 1])),
            "losses that are not contiguous": (_rand(8)[::2], torch.tensor([9, 9, 9, 2])),
        },
        growing={
            "batches": grown(
                lambda n: (_rand(n, dtype=torch.float64), torch.tensor([4] * (n - 1) + [2]))
            )
        },
        mistakes={
            "the NaN of the batch in which nothing counted goes into the total: 0 × NaN is NaN": (
                lambda losses, counts: (losses * counts).sum() / counts.sum()
            ),
            "it hides a loss that became NaN: leave out where nothing counted, not what is NaN": (
                lambda losses, counts: (losses * counts).nansum() / counts.sum()
            ),
            "it hides a loss that became NaN or infinite: leave out where nothing counted, not "
            "what is no number": (
                lambda losses, counts: losses.nan_to_num(0, 0, 0) @ counts.to(losses) / counts.sum()
            ),
            "this is the mean of the means, in which the elements of a short batch count more than "
            "the others": lambda losses, counts: losses.mean(),
            "this is the mean of the batches that counted, each with the same weight": (
                lambda losses, counts: losses.nanmean()
            ),
            "the total is divided by the number of batches, not by that of the elements": (
                lambda losses, counts: (losses * counts).nansum() / len(losses)
            ),
            "the total is divided as if every batch were as large as the largest": (
                lambda losses, counts: (losses * counts).nansum() / (counts.max() * len(counts))
            ),
            "this is the total, and not divided by anything": (
                lambda losses, counts: (losses * counts).nansum()
            ),
            "the means are added and divided by the number of elements, without a weight": (
                lambda losses, counts: losses.nansum() / counts.sum()
            ),
            "the short batch at the end is left out": (
                lambda losses, counts: (losses[:-1] * counts[:-1]).nansum() / counts[:-1].sum()
            ),
        },
    ),
    "04.4": Exercise(
        loop=_epoch_batches,
        use=use_apart_from_random_numbers,
        cases={
            "ten samples in batches of 4": (10, 4, 0, 0, False),
            "ten samples in batches of 4, without the last": (10, 4, 0, 0, True),
            "another seed": (10, 4, 7, 0, False),
            "another epoch": (10, 4, 0, 3, False),
            "seed and epoch": (23, 5, 11, 2, True),
            "batches that fill up, drop_last": (12, 4, 1, 1, True),
            "batches of one": (5, 1, 1, 2, False),
            "fewer samples than a batch": (3, 8, 1, 2, False),
            "fewer samples than a batch, drop_last": (3, 8, 1, 2, True),
        },
        growing={"samples of a batch": grown(lambda n: (2 * n + 3, n, 0, 0, False))},
        mistakes={
            "it seeds the generator that everybody draws from; make one of your own": (
                _shuffled_globally
            ),
            "nothing is shuffled": lambda n, b, seed, epoch, drop: _ordered(
                torch.arange(n), b, drop
            ),
            "every epoch has the same order; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed), b, drop)
            ),
            "every seed gives the same order; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, epoch), b, drop)
            ),
            "seed and epoch are multiplied; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed * epoch), b, drop)
            ),
            "the epochs are drawn one after the other from one generator, so an epoch depends on "
            "those before it; the seed is seed + epoch": _drawn_again,
            "this is the order of a DataLoader, which draws a seed for its workers first": _loader,
            "each batch is sorted": lambda n, b, seed, epoch, drop: [
                batch.sort().values for batch in _ordered(_permuted(n, seed + epoch), b, drop)
            ],
            "the indices start at 1; the first sample is number 0": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed + epoch) + 1, b, drop)
            ),
        },
    ),
}
