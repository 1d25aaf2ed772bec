"""The exercises of lesson 02: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown

_random = torch.Generator().manual_seed(2)


def _photos(*shape: int) -> Tensor:
    return torch.randint(256, shape, generator=_random, dtype=torch.uint8)


def _rand(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=_random, dtype=dtype)


def _to_nchw(photos: Tensor) -> Tensor:
    samples, height, width, channels = photos.shape
    result = torch.empty(samples, channels, height, width)
    for n, photo in enumerate(photos):
        for c in range(channels):
            result[n, c] = photo[:, :, c] / 255
    return result


def _squared_errors(features: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    result = torch.empty_like(targets)
    for n in range(len(features)):
        result[n] = (features[n] @ weight[:, 0] - targets[n]) ** 2
    return result


def _pairs(features: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """The squared error of every prediction, (N, 1), with every target, (N,)."""
    return (features @ weight - targets) ** 2


def _problem(count: int, length: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    return tuple(_rand(*shape, dtype=dtype) for shape in ((count, length), (length, 1), (count,)))


def _pool(steps: Tensor, queries: Tensor) -> Tensor:
    result = torch.empty_like(queries)
    for n in range(len(queries)):
        sequence = steps[:, n]
        weights = (sequence @ queries[n]).softmax(dim=0)
        result[n] = weights @ sequence
    return result


def _pooled(
    reshaped: bool = False, dim: int | None = 1, scale: float = 1.0, average: bool = False
) -> Callable:
    """A way to pool that may regroup the steps, and weighs along ``dim`` (None: not at all)."""

    def pool(steps: Tensor, queries: Tensor) -> Tensor:
        sequences = steps.transpose(0, 1)
        if reshaped:
            sequences = steps.reshape(sequences.shape)
        weights = torch.einsum("ntd,nd->nt", sequences, queries) * steps.shape[2] ** (scale - 1)
        if dim is not None:
            weights = weights.softmax(dim=dim)
        result = torch.einsum("nt,ntd->nd", weights, sequences)
        return result / len(steps) if average else result

    return pool


def _steps(steps: int, count: int, length: int, dtype: torch.dtype = torch.float32) -> tuple:
    """Sequences, step by step, and a query for each of them."""
    return _rand(steps, count, length, dtype=dtype), 4 * _rand(count, length, dtype=dtype) - 2


EXERCISES = {
    "02.1": Exercise(
        loop=_to_nchw,
        cases={
            "five photographs of 4 × 6 pixels": (_photos(5, 4, 6, 3),),
            "square photographs of 5 × 5 pixels": (_photos(2, 5, 5, 3),),
            "photographs of 3 × 3 pixels": (_photos(4, 3, 3, 3),),
            "a batch of one": (_photos(1, 4, 6, 3),),
            "grey photographs, with one channel": (_photos(3, 4, 6, 1),),
            "four channels": (_photos(3, 4, 6, 4),),
            "dark photographs": (_photos(2, 4, 6, 3) // 8,),
            "photographs that are not contiguous": (_photos(3, 6, 4, 3).transpose(1, 2),),
        },
        growing={"photographs": grown(lambda n: (_photos(n, 4, 6, 3),))},
        mistakes={
            "reshape keeps the numbers in their order and regroups them, so pixels and channels "
            "are mixed: the dimensions have to be reordered": (
                lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]) / 255
            ),
            "reshape keeps the numbers in their order, so pixels and channels are mixed (and "
            "nothing is divided by 255)": (
                lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]).float()
            ),
            "rows and columns of each photograph have changed places": (
                lambda x: x.permute(0, 3, 2, 1) / 255
            ),
            "the dimensions are still those of the input, with the channels last": (
                lambda x: x / 255
            ),
            "the values still run to 255; the loop divides by 255": (
                lambda x: x.permute(0, 3, 1, 2).float()
            ),
            "it divides by 256; the largest value is 255": lambda x: x.permute(0, 3, 1, 2) / 256,
            "it divides by the largest value of the batch, so what a value means depends on the "
            "other photographs; the loop divides by 255": (
                lambda x: x.permute(0, 3, 1, 2) / x.max()
            ),
            "whole-number division leaves only zeros and ones": (
                lambda x: (x.permute(0, 3, 1, 2) // 255).float()
            ),
            "the colours come in the opposite order": (
                lambda x: x.flip(-1).permute(0, 3, 1, 2) / 255
            ),
        },
    ),
    "02.2": Exercise(
        loop=_squared_errors,
        cases={
            "five samples of four features": _problem(5, 4),
            "as many samples as features": _problem(4, 4),
            "a single feature": _problem(5, 1),
            "two samples": _problem(2, 3),
            "a batch of one": _problem(1, 4),
            "float64": _problem(5, 4, dtype=torch.float64),
            "features that are not contiguous": (_rand(4, 5).T, _rand(4, 1), _rand(5)),
        },
        growing={"samples": grown(lambda n: _problem(n, 4))},
        mistakes={
            "each prediction meets the targets of all samples, and a mean hides it: look at the "
            "shapes on both sides of the minus": lambda x, w, t: _pairs(x, w, t).mean(dim=1),
            "each target meets the predictions of all samples, and a mean hides it: look at the "
            "shapes on both sides of the minus": lambda x, w, t: _pairs(x, w, t).mean(dim=0),
            "each prediction meets the targets of all samples, and a sum hides it: look at the "
            "shapes on both sides of the minus": lambda x, w, t: _pairs(x, w, t).sum(dim=1),
            "every sample has the same error, the mean of the batch": (
                lambda x, w, t: _squared_errors(x, w, t).mean().expand_as(t)
            ),
            "every prediction meets the first target; each has its own": (
                lambda x, w, t: _pairs(x, w, t)[:, 0]
            ),
            "every target meets the first prediction; each has its own": (
                lambda x, w, t: _pairs(x, w, t)[0]
            ),
            "the errors are divided by the number of samples": (
                lambda x, w, t: _squared_errors(x, w, t) / len(t)
            ),
            "the square is missing": lambda x, w, t: (x @ w)[:, 0] - t,
            "it is the absolute error; the loop squares it": (
                lambda x, w, t: _squared_errors(x, w, t).sqrt()
            ),
            "the targets come in the opposite order": (
                lambda x, w, t: _squared_errors(x, w, t.flip(0))
            ),
            "those are the predictions; their errors are asked for": lambda x, w, t: (x @ w)[:, 0],
        },
    ),
    "02.3": Exercise(
        loop=_pool,
        cases={
            "seven steps of five samples": _steps(7, 5, 4),
            "as many steps as samples": _steps(5, 5, 4),
            "steps, samples and features all equal": _steps(4, 4, 4),
            "a single step": _steps(1, 5, 4),
            "a batch of one": _steps(7, 1, 4),
            "one feature": _steps(7, 5, 1),
            "float64": _steps(7, 5, 4, dtype=torch.float64),
            "steps that are not contiguous": (
                _rand(5, 7, 4).transpose(0, 1),
                4 * _rand(5, 4) - 2,
            ),
        },
        growing={
            "samples": grown(lambda n: _steps(7, n, 4)),
            "steps": grown(lambda n: _steps(n, 5, 4)),
        },
        mistakes={
            "both mistakes are still there: look at what reshape does to the steps of a sample, "
            "and over which dimension the weights add up to 1": (_pooled(reshaped=True, dim=0)),
            "one mistake is mended; now the softmax: the weights of a sample add up to 1 over its "
            "steps, and not over the samples": _pooled(dim=0),
            "one mistake is mended; now the reshape: it regroups the numbers, and mixes the steps "
            "of several samples, where the dimensions have to change places": (
                _pooled(reshaped=True)
            ),
            "the weights are not normalised: the softmax is missing": _pooled(dim=None),
            "the products are divided by the root of the number of features, as "
            "scaled_dot_product_attention does by itself; the loop does not": _pooled(scale=0.5),
            "all steps weigh the same; the loop weighs them by the query": (
                lambda steps, queries: steps.mean(dim=0)
            ),
            "it divides by the number of steps, although the weights add up to 1": (
                _pooled(average=True)
            ),
            "every sample is asked with the first query; each has its own": (
                lambda steps, queries: _pool(steps, queries[:1].expand_as(queries))
            ),
            "the queries meet the samples in the opposite order": (
                lambda steps, queries: _pool(steps, queries.flip(0))
            ),
            "it takes the step with the largest product alone; the loop takes a weighted mean": (
                lambda steps, queries: steps.take_along_dim(
                    (steps * queries).sum(dim=2).argmax(dim=0)[None, :, None], dim=0
                )[0]
            ),
        },
    ),
}
