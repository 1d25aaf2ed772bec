"""Lesson 05, sequences end to end: exercises 05.2 and 05.3."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from utils.exercises.exercise import Exercise, grown
from utils.exercises.inputs import normal

_random = torch.Generator().manual_seed(5)
_rand = partial(normal, _random)


def _targets(*counts: int, dtype: torch.dtype = torch.float32) -> tuple[list[Tensor]]:
    return ([_rand(count, 5, dtype=dtype) for count in counts],)


def _collate(targets: list[Tensor]) -> Tensor:
    rows = [targets[0].new_zeros(0, 6)]
    for index, target in enumerate(targets):
        for box in target:
            rows.append(torch.cat([box.new_tensor([index]), box]).unsqueeze(0))
    return torch.cat(rows)


def _numbered(targets: list[Tensor], numbers: Tensor) -> Tensor:
    return torch.cat([numbers[:, None].to(targets[0].dtype), torch.cat(targets)], dim=1)


def _counts(targets: list[Tensor]) -> Tensor:
    return torch.tensor([len(target) for target in targets])


def _index(targets: list[Tensor]) -> Tensor:
    return torch.arange(len(targets)).repeat_interleave(_counts(targets))


def _sequence_with(value: float, *lengths: int) -> tuple[Tensor, Tensor]:
    """Segments of which the first of several items is ``value``, in one column."""
    values, counts = _segments(*lengths)
    values[0, 0] = value
    return values, counts


def _segments(*lengths: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    return _rand(sum(lengths), 3, dtype=dtype), torch.tensor(lengths, dtype=torch.long)


def _segment_mean(values: Tensor, lengths: Tensor) -> Tensor:
    result = values.new_zeros(len(lengths), values.shape[1])
    start = 0
    for n, length in enumerate(lengths.tolist()):
        if length > 0:
            result[n] = values[start : start + length].mean(dim=0)
        start += length
    return result


def _segment_sum(values: Tensor, lengths: Tensor) -> Tensor:
    sums = values.new_zeros(len(lengths), values.shape[1])
    return sums.index_add_(0, _owners(lengths), values)


def _owners(lengths: Tensor) -> Tensor:
    return torch.arange(len(lengths)).repeat_interleave(lengths)


def _by_difference(values: Tensor, lengths: Tensor) -> Tensor:
    sums = functional.pad(values.cumsum(0), (0, 0, 1, 0))
    ends = lengths.cumsum(0)
    return (sums[ends] - sums[ends - lengths]) / lengths.clamp(min=1)[:, None]


def _by_product(values: Tensor, lengths: Tensor) -> Tensor:
    members = functional.one_hot(_owners(lengths), len(lengths)).T.to(values.dtype)
    return members @ values / lengths.clamp(min=1)[:, None]


EXERCISES = {
    "05.2": Exercise(
        loop=_collate,
        cases={
            "three images with two, one and three boxes": _targets(2, 1, 3),
            "one box in each image": _targets(1, 1, 1, 1),
            "an image without a box": _targets(2, 0, 3),
            "a first image without a box": _targets(0, 2),
            "a last image without a box": _targets(2, 1, 0),
            "a batch of one": _targets(4),
            "no box in the whole batch": _targets(0, 0),
            "float64": _targets(2, 1, dtype=torch.float64),
            "int32": ([torch.arange(5 * n, dtype=torch.int32).reshape(n, 5) for n in (2, 0, 1)],),
            "targets that are not contiguous": ([_rand(5, 3).T, _rand(5, 2).T],),
        },
        growing={"images": grown(lambda n: _targets(*[2, 0, 3, 1] * (n // 4)))},
        mistakes={
            "the images are numbered from 1; the first is image 0": (
                lambda targets: _numbered(targets, _index(targets) + 1)
            ),
            "the image index is the last column; it belongs in the first": (
                lambda targets: _numbered(targets, _index(targets)).roll(-1, dims=1)
            ),
            "every box has a number of its own; a box carries the number of its image": (
                lambda targets: _numbered(targets, torch.arange(len(_index(targets))))
            ),
            "the first column holds how many boxes the image has, not which image it is": (
                lambda targets: _numbered(targets, _counts(targets)[_index(targets)])
            ),
            "all boxes belong to image 0": (
                lambda targets: _numbered(targets, torch.zeros(len(_index(targets))))
            ),
            "the images without a box are not counted, so the later ones have too small a number": (
                lambda targets: _numbered(targets, _index([t for t in targets if len(t)]))
            ),
            "the boxes count within their image; the first column says which image it is": (
                lambda targets: _numbered(
                    targets, torch.cat([torch.arange(len(t)) for t in targets])
                )
            ),
        },
    ),
    "05.3": Exercise(
        loop=_segment_mean,
        cases={
            "three sequences": _segments(2, 4, 1),
            "sequences of one item": _segments(1, 1, 1),
            "equally long sequences": _segments(3, 3, 3),
            "a batch of one": _segments(5),
            "an empty sequence in the middle": _segments(2, 0, 3),
            "an empty sequence at the beginning": _segments(0, 2, 1),
            "an empty sequence at the end": _segments(2, 3, 0),
            "float64": _segments(3, 1, 2, dtype=torch.float64),
            "a NaN in one of the sequences": _sequence_with(torch.nan, 2, 3, 1),
            "an infinity in one of the sequences": _sequence_with(torch.inf, 2, 0, 3),
            "one number that is much larger than all others": (
                torch.tensor([[1e8], [1.0], [2.0]]),
                torch.tensor([1, 1, 1]),
            ),
            "values that are not contiguous": (_rand(3, 6).T, torch.tensor([4, 2])),
            "an empty batch": _segments(),
        },
        growing={"sequences": grown(lambda n: _segments(*[2, 0, 3, 1] * (n // 4)))},
        mistakes={
            "it adds up each sequence; the sum has to be divided by the length": _segment_sum,
            "every sum is divided by the number of sequences, and not by its own length": (
                lambda v, n: _segment_sum(v, n) / len(n)
            ),
            "every sum is divided by the longest length, and not by its own": (
                lambda v, n: _segment_sum(v, n) / n.max()
            ),
            "every sum is divided by the mean length, and not by its own": (
                lambda v, n: _segment_sum(v, n) / n.to(v.dtype).mean()
            ),
            "one is added to each length, so a zero is in every mean (as with scatter_reduce and "
            "include_self=True)": lambda v, n: _segment_sum(v, n) / (n[:, None] + 1).to(v.dtype),
            "the lengths divide the columns and not the rows; each row has its own length": (
                lambda v, n: _segment_sum(v, n) / n
            ),
            "the values are cut into equally long parts; each sequence has its own length": (
                lambda v, n: v.reshape(len(n), -1, v.shape[1]).mean(dim=1)
            ),
            "all sequences have the same mean, that of all values": (
                lambda v, n: v.mean(dim=0).expand(len(n), -1)
            ),
            "it takes differences of a running sum over all sequences, so one of them reaches into "
            "the others: a NaN spoils those after it, a large number takes their digits": (
                _by_difference
            ),
            "it multiplies the values of other sequences by zero, and zero times NaN is NaN": (
                _by_product
            ),
            "it is the largest value of each sequence, not the mean": (
                lambda v, n: torch.segment_reduce(v, "max", lengths=n)
            ),
        },
    ),
}
