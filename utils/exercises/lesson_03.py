"""The exercises of lesson 03: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown

_random = torch.Generator().manual_seed(3)


def _rows(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random numbers, normally distributed."""
    return torch.randn(shape, generator=_random, dtype=dtype)


def _clip(rows: Tensor, limit: float) -> Tensor:
    result = torch.empty_like(rows)
    for index, row in enumerate(rows):
        norm = row.square().sum().sqrt()
        if norm > limit:
            result[index] = row * limit / norm
        else:
            result[index] = row
    return result


def _farthest(a: Tensor, b: Tensor) -> Tensor:
    result = torch.empty(len(a), len(b), dtype=a.dtype)
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            result[i, j] = (left - right).abs().max()
    return result


def _gradients(inputs: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    result = torch.empty_like(inputs)
    for index, (row, target) in enumerate(zip(inputs, targets, strict=True)):
        leaf = weight.detach().clone().requires_grad_()
        loss = (row @ leaf - target) ** 2
        (result[index],) = torch.autograd.grad(loss, leaf)
    return result


def _norms(rows: Tensor, dim: int = 1) -> Tensor:
    return rows.square().sum(dim=dim, keepdim=True).sqrt()


def _errors(inputs: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    return (inputs @ weight - targets)[:, None]


def _with_a_zero_row() -> Tensor:
    rows = _long_and_short(5, 3)
    rows[2] = 0
    return rows


def _long_and_short(count: int, length: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Rows of norms from well under 1 to well over 1."""
    rows = _rows(count, length, dtype=dtype)
    return rows / _norms(rows) * torch.linspace(0.2, 3.0, count, dtype=dtype)[:, None]


def _problem(count: int, length: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    return _rows(count, length, dtype=dtype), _rows(count, dtype=dtype), _rows(length, dtype=dtype)


EXERCISES = {
    "03.1": Exercise(
        loop=_clip,
        cases={
            "seven rows of four": (_long_and_short(7, 4), 1.0),
            "as many rows as columns": (_long_and_short(6, 6), 1.0),
            "another limit": (_long_and_short(7, 4), 0.5),
            "a batch of one": (_long_and_short(1, 4) * 9, 1.0),
            "a short last batch, of two": (_long_and_short(2, 4), 1.0),
            "float64 rows": (_long_and_short(5, 4, dtype=torch.float64), 1.0),
            "rows that are not contiguous": (_long_and_short(4, 7).T, 1.0),
            "a row of zeros": (_with_a_zero_row(), 1.0),
        },
        growing={"rows": grown(lambda n: (_long_and_short(n, 5), 1.0))},
        mistakes={
            "every row is scaled to the limit, the short ones too; a row within it stays as it "
            "is": lambda rows, limit: rows * limit / _norms(rows),
            "the two sides of torch.where are swapped: long rows stay, short ones are scaled": (
                lambda rows, limit: torch.where(
                    _norms(rows) > limit, rows, rows * limit / _norms(rows)
                )
            ),
            "one norm serves the whole batch; each row has its own": (
                lambda rows, limit: rows * min(1.0, limit / rows.square().sum().sqrt())
            ),
            "the norms are those of the columns, over the batch; each row has its own": (
                lambda rows, limit: torch.where(
                    _norms(rows, 0) > limit, rows * limit / _norms(rows, 0), rows
                )
            ),
            "without keepdim the norm of row i meets column i": (
                lambda rows, limit: torch.where(
                    _norms(rows)[:, 0] > limit, rows * limit / _norms(rows)[:, 0], rows
                )
            ),
            "single numbers are cut off at the limit; the norm of the whole row counts": (
                lambda rows, limit: rows.clamp(-limit, limit)
            ),
            "long rows get norm 1, whatever the limit is": (
                lambda rows, limit: torch.where(_norms(rows) > limit, rows / _norms(rows), rows)
            ),
            "the square root is missing: that is the square of the norm": (
                lambda rows, limit: torch.where(
                    _norms(rows) ** 2 > limit, rows * limit / _norms(rows) ** 2, rows
                )
            ),
            "the norm is a sum of absolute values; the loop adds squares and takes the root": (
                lambda rows, limit: torch.where(
                    rows.abs().sum(1, True) > limit, rows * limit / rows.abs().sum(1, True), rows
                )
            ),
            "long rows become zero, where the loop scales them": (
                lambda rows, limit: torch.where(_norms(rows) > limit, 0.0, rows)
            ),
        },
    ),
    "03.2": Exercise(
        loop=_farthest,
        cases={
            "five rows and three others": (_rows(5, 4) - 1.5, _rows(3, 4)),
            "as many of these as of those": (_rows(4, 6), _rows(4, 6)),
            "a batch of one": (_rows(1, 4), _rows(3, 4)),
            "a single other row": (_rows(5, 4), _rows(1, 4)),
            "float64 rows": (_rows(5, 4, dtype=torch.float64), _rows(3, 4, dtype=torch.float64)),
            "rows that are not contiguous": (_rows(4, 5).T, _rows(4, 3).T),
        },
        growing={
            "rows of a": grown(lambda n: (_rows(n, 5), _rows(3, 5))),
            "rows of b": grown(lambda n: (_rows(4, 5), _rows(n, 5))),
        },
        mistakes={
            "element [i, j] belongs to a[j] and b[i]: the outer vmap has to go over a": (
                lambda a, b: (b[:, None] - a).abs().amax(dim=2)
            ),
            "the absolute value is missing: a large negative difference counts as well": (
                lambda a, b: (a[:, None] - b).amax(dim=2)
            ),
            "the absolute value is taken after the maximum; it has to come before": (
                lambda a, b: (a[:, None] - b).amax(dim=2).abs()
            ),
            "the differences are added up; the loop takes the largest": (
                lambda a, b: (a[:, None] - b).abs().sum(dim=2)
            ),
            "it takes the smallest difference, not the largest": (
                lambda a, b: (a[:, None] - b).abs().amin(dim=2)
            ),
            "it takes the Euclidean distance; the loop takes the largest difference": (
                lambda a, b: (a[:, None] - b).square().sum(dim=2).sqrt()
            ),
            "it takes the mean difference; the loop takes the largest": (
                lambda a, b: (a[:, None] - b).abs().mean(dim=2)
            ),
            "the largest difference is squared": (
                lambda a, b: (a[:, None] - b).square().amax(dim=2)
            ),
        },
    ),
    "03.3": Exercise(
        loop=_gradients,
        cases={
            "seven samples of four numbers": _problem(7, 4),
            "as many samples as numbers in each": _problem(5, 5),
            "a batch of one": _problem(1, 4),
            "a short last batch, of two": _problem(2, 4),
            "float64 samples": _problem(5, 4, dtype=torch.float64),
            "samples that are not contiguous": (_rows(4, 6).T, _rows(6), _rows(4)),
        },
        growing={"samples": grown(lambda n: _problem(n, 5))},
        mistakes={
            "every sample gets the mean gradient of the batch; each has its own": (
                lambda x, t, w: (2 * _errors(x, t, w) * x).mean(0).expand_as(x)
            ),
            "every sample gets the gradient of the summed loss; each has its own": (
                lambda x, t, w: (2 * _errors(x, t, w) * x).sum(0).expand_as(x)
            ),
            "the gradients are divided by the number of samples: that is the share of each in the "
            "gradient of the mean": lambda x, t, w: 2 * _errors(x, t, w) * x / len(x),
            "the factor 2 from the square is missing": lambda x, t, w: _errors(x, t, w) * x,
            "the sign is wrong: the error is prediction minus target": (
                lambda x, t, w: -2 * _errors(x, t, w) * x
            ),
            "that is the gradient with respect to the inputs; asked for is the weight (argnums)": (
                lambda x, t, w: 2 * _errors(x, t, w) * w
            ),
            "that is the gradient of the absolute error; the loop squares it": (
                lambda x, t, w: _errors(x, t, w).sign() * x
            ),
            "those are the predictions' gradients; the loop differentiates the squared error": (
                lambda x, t, w: x
            ),
            "the error of sample i meets column i: without a dimension of size 1 the (N,) errors "
            "are lined up with the last dimension": lambda x, t, w: 2 * (x @ w - t) * x,
        },
    ),
}
