"""Lesson 05, sequences with padding: exercises 05.1 and 05.4."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from utils.exercises.exercise import Exercise, grown
from utils.exercises.inputs import normal

_random = torch.Generator().manual_seed(5)
_rand = partial(normal, _random)


def _mask(padded: Tensor, lengths: Tensor) -> Tensor:
    """Shape (N, T, 1), True where a position holds a real item."""
    return (torch.arange(padded.shape[1]) < lengths[:, None]).unsqueeze(2)


def _padded(lengths: list[int], width: int, **settings: torch.dtype) -> tuple[Tensor, Tensor]:
    """Sequences with something in the padding that is not zero."""
    longest = max(lengths, default=3)
    return _rand(len(lengths), longest, width, **settings), torch.tensor(lengths, dtype=torch.long)


def _with(value: float, padded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    return padded.masked_fill(~_mask(padded, lengths), value), lengths


def _with_real_nan(padded: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The second item of the first sequence holds a NaN."""
    padded[0, 1, 0] = torch.nan
    return padded, lengths


def _masked_mean(padded: Tensor, lengths: Tensor) -> Tensor:
    result = padded.new_zeros(len(padded), padded.shape[2])
    for n, length in enumerate(lengths.tolist()):
        if length > 0:
            result[n] = padded[n, :length].mean(dim=0)
    return result


def _scored(
    lengths: list[int], longest: int = 6, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Scores of four classes, and targets with -100 in the padding."""
    targets = torch.randint(4, (len(lengths), longest), generator=_random)
    past = torch.arange(longest) >= torch.tensor(lengths, dtype=torch.long)[:, None]
    return _rand(len(lengths), longest, 4, dtype=dtype), targets.masked_fill(past, -100)


def _with_padding(value: float, lengths: list[int]) -> tuple[Tensor, Tensor]:
    """Scores that are all ``value`` in the padding."""
    scores, targets = _scored(lengths)
    scores[targets == -100] = value
    return scores, targets


def _with_score(value: float, lengths: list[int]) -> tuple[Tensor, Tensor]:
    """Scores of which one, that of a real position and its class, is ``value``."""
    scores, targets = _scored(lengths)
    scores[0, 1, targets[0, 1]] = value
    return scores, targets


def _sequence_loss(scores: Tensor, targets: Tensor) -> Tensor:
    result = scores.new_zeros(len(scores))
    for n in range(len(scores)):
        real = targets[n] != -100
        if real.any():
            result[n] = functional.cross_entropy(scores[n][real], targets[n][real])
    return result


def _all_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """The loss of every position, with class 0 in the padding."""
    return _token_losses(scores, targets.clamp(min=0))


def _divided(sums: Tensor, targets: Tensor) -> Tensor:
    return sums / (targets != -100).sum(dim=1).clamp(min=1)


def _token_losses(scores: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(scores.transpose(1, 2), targets, reduction="none")


EXERCISES = {
    "05.1": Exercise(
        loop=_masked_mean,
        cases={
            "three sequences": _padded([3, 5, 2], 4),
            "as many sequences as positions": _padded([3, 1, 2], 4),
            "sequences that are all equally long": _padded([4, 4], 3),
            "a batch of one": _padded([5], 4),
            "vectors of one number": _padded([3, 5, 2], 1),
            "an empty sequence": _padded([3, 0, 2], 4),
            "float64": _padded([2, 6, 3], 4, dtype=torch.float64),
            "a padding of infinity": _with(torch.inf, *_padded([3, 5, 2], 4)),
            "a padding of NaN": _with(torch.nan, *_padded([3, 5, 2], 4)),
            "a NaN at a real position": _with_real_nan(*_padded([3, 5, 2], 4)),
            "a NaN at a real position and an empty sequence": (
                _with_real_nan(*_padded([3, 0, 2], 4))
            ),
            "a padded tensor that is not contiguous": (
                _rand(5, 3, 4).transpose(0, 1),
                torch.tensor([5, 1, 4]),
            ),
            "an empty batch": _padded([], 4),
        },
        growing={"sequences": grown(lambda n: _padded([3, 5, 2, 1] * (n // 4), 4))},
        mistakes={
            "the padding is in the mean: summed as if it were part of the sequence, and counted "
            "as well": lambda x, n: x.mean(dim=1),
            "the padding is left out of the sum but counted: it divides by the longest length": (
                lambda x, n: torch.where(_mask(x, n), x, 0).mean(dim=1)
            ),
            "it divides by the right count, but the padding is in the sum": (
                lambda x, n: x.sum(dim=1) / n[:, None].to(x.dtype)
            ),
            "it is the sum: nothing divides by the length": (
                lambda x, n: torch.where(_mask(x, n), x, 0).sum(dim=1)
            ),
            "the last item of each sequence is missing: an index from 0 on is below the length, "
            "not below the length minus 1": lambda x, n: _masked_mean(x, n - 1),
            "one item of the padding is counted in: the index of an item is below the length, and "
            "not equal to it": lambda x, n: _masked_mean(x, (n + 1).clamp(max=x.shape[1])),
            "the mask is the wrong way round: it keeps the padding": (
                lambda x, n: torch.where(_mask(x, n), 0, x).sum(dim=1) / n[:, None].to(x.dtype)
            ),
            "it is the largest value of each sequence, not the mean": (
                lambda x, n: x.masked_fill(~_mask(x, n), -torch.inf).amax(dim=1)
            ),
            "it hides a NaN of the data: replace what is padding, not what is NaN": (
                lambda x, n: _masked_mean(x.nan_to_num(0), n)
            ),
            "it hides a NaN of the data: a zero replaces every mean that is NaN, and only an empty "
            "sequence has the mean zero": lambda x, n: _masked_mean(x, n).nan_to_num(0),
        },
    ),
    "05.4": Exercise(
        loop=_sequence_loss,
        cases={
            "three sequences": _scored([3, 6, 1]),
            "as many positions as classes": _scored([3, 4, 2], longest=4),
            "sequences without padding": _scored([6, 6]),
            "a batch of one": _scored([4]),
            "class 0 everywhere": (_rand(2, 5, 4), torch.tensor([[0] * 5, [0, 0, 0, -100, -100]])),
            "padding at the beginning": tuple(part.flip(1) for part in _scored([3, 5])),
            "a sequence that is all padding": _scored([3, 0, 5]),
            "float64": _scored([2, 5, 3], dtype=torch.float64),
            "scores that are NaN in the padding": _with_padding(torch.nan, [3, 6, 2]),
            "scores that are infinite in the padding": _with_padding(torch.inf, [3, 6, 2]),
            "a score that is NaN at a real position": _with_score(torch.nan, [3, 6, 2]),
            "a score of minus infinity at a real position": _with_score(-torch.inf, [3, 6, 2]),
            "scores that are not contiguous": (
                _rand(3, 4, 6).transpose(1, 2),
                _scored([2, 6, 4])[1],
            ),
            "an empty batch": (_rand(0, 6, 4), torch.zeros(0, 6, dtype=torch.long)),
        },
        growing={"sequences": grown(lambda n: _scored([3, 6, 1, 2] * (n // 4)))},
        mistakes={
            "it divides by the number of positions, padding included; divide by each sequence's "
            "own number of real ones": lambda s, t: _token_losses(s, t).mean(dim=1),
            "it is the sum over each sequence; the loop takes the mean of its real positions": (
                lambda s, t: _token_losses(s, t).sum(dim=1)
            ),
            "it divides by the number of real positions in the whole batch; each sequence has its "
            "own": lambda s, t: _token_losses(s, t).sum(dim=1) / (t != -100).sum(),
            "it divides by the mean number of real positions; each sequence has its own": (
                lambda s, t: _token_losses(s, t).sum(dim=1) / (t != -100).sum() * len(t)
            ),
            "the padding counts as class 0, so its loss is in the mean": (
                lambda s, t: _token_losses(s, t.clamp(min=0)).mean(dim=1)
            ),
            "class 0 is ignored as well, and it is a class like the others": (
                lambda s, t: (_token_losses(s, t) * (t > 0)).sum(dim=1) / (t > 0).sum(dim=1)
            ),
            "the losses of the padding are multiplied by zero, and zero times NaN is NaN: choose, "
            "as torch.where does, or let cross_entropy ignore them": (
                lambda s, t: _divided((_all_losses(s, t) * (t != -100)).sum(dim=1), t)
            ),
            "it hides a NaN of the scores: leave out what is padding, not what is NaN": (
                lambda s, t: _divided(_token_losses(s, t).nansum(dim=1), t)
            ),
            "it hides a NaN or an infinity of the scores: leave out what is padding, and not what "
            "is no number": (
                lambda s, t: _divided(_token_losses(s, t).nan_to_num(0, 0, 0).sum(dim=1), t)
            ),
            "all sequences have the same loss, that of the whole batch": (
                lambda s, t: functional.cross_entropy(s.transpose(1, 2), t).expand(len(t))
            ),
            "the sign is wrong: a loss is not below zero here": (
                lambda s, t: -_sequence_loss(s, t)
            ),
        },
    ),
}
