"""Typical wrong answers to the exercises of lesson 03, each with words its hint must hold."""

import numpy as np
import torch

from tests.exercises.jit import scripted

NORM = {"dim": 1, "keepdim": True}


def norms(rows):
    return torch.linalg.vector_norm(rows, **NORM)


def branch(row, limit):
    norm = torch.linalg.vector_norm(row)
    return row * limit / norm if norm > limit else row


def as_a_number(row, limit):
    norm = torch.linalg.vector_norm(row).item()
    return row * min(1.0, limit / norm)


def both(row, limit):
    norm = torch.linalg.vector_norm(row)
    return torch.where(norm > limit, row * limit / norm, row)


def masked_assignment(rows, limit):
    long = norms(rows)[:, 0] > limit
    rows[long] = rows[long] * limit / norms(rows)[long]
    return rows


def by_multiplying(rows, limit):
    long = (norms(rows) > limit).to(rows.dtype)
    return long * rows * limit / norms(rows) + (1 - long) * rows


def largest(left, right):
    return (left - right).abs().max()


def largest_in_a_loop(a, b):
    return torch.stack([(row - b).abs().amax(dim=1) for row in a])


def largest_in_a_loop_over_b(a, b):
    return torch.stack([(a - row).abs().amax(dim=1) for row in b], dim=1)


def loss(weight, row, target):
    return (row @ weight - target) ** 2


def batch_loss(weight, inputs, targets):
    return ((inputs @ weight - targets) ** 2).mean()


grad, vmap = torch.func.grad, torch.vmap


def backward_in_a_loop(inputs, targets, weight):
    return torch.stack(
        [grad(loss)(weight, row, target) for row, target in zip(inputs, targets, strict=True)]
    )


def by_jacobian(inputs, targets, weight):
    """Differentiates each loss with respect to every sample's gradient at once."""
    return torch.func.jacrev(lambda w: (inputs @ w - targets) ** 2)(weight)


def largest_in_numpy(a, b):
    return torch.from_numpy(np.abs(a.numpy()[:, None] - b.numpy()).max(axis=2))


def largest_in_lists(a, b):
    rows, others = a.tolist(), b.tolist()
    found = [[max(abs(x - y) for x, y in zip(r, o, strict=True)) for o in others] for r in rows]
    return torch.tensor(found, dtype=a.dtype)


def clip_by_map(rows, limit):
    """Python for each number, with the norm of its row."""
    scale = (limit / norms(rows)).clamp(max=1).nan_to_num(1).expand_as(rows)
    return rows.clone().map_(scale, lambda value, factor: value * factor)


@scripted
def clip_compiled(rows: torch.Tensor, limit: float):
    result = rows.clone()
    for index in range(rows.shape[0]):
        norm = float(rows[index].square().sum().sqrt())
        if norm > limit:
            result[index] = rows[index] * limit / norm
    return result


def errors(inputs, targets, weight):
    return (inputs @ weight - targets)[:, None]


WRONG = {
    "03.1": [
        (vmap(branch, in_dims=(0, None)), "data-dependent control flow"),
        (vmap(as_a_number, in_dims=(0, None)), "calling .item()"),
        (vmap(both), "Got in_dim=0 for an input"),
        (lambda rows, limit: rows * limit / norms(rows), "the short ones too"),
        (lambda rows, limit: both(rows, limit), "one norm serves the whole batch"),
        (
            lambda rows, limit: torch.where(norms(rows) > limit, rows, rows * limit / norms(rows)),
            "are swapped",
        ),
        (vmap(both, in_dims=(1, None), out_dims=1), "those of the columns"),
        (vmap(both, in_dims=(0, None), out_dims=1), "the batch comes first"),
        (lambda rows, limit: rows.clamp(-limit, limit), "single numbers are cut off"),
        (
            lambda rows, limit: torch.where(norms(rows) > limit, rows / norms(rows), rows),
            "whatever the limit is",
        ),
        (masked_assignment, "changes its input in place"),
        (by_multiplying, "holds NaN"),
        (
            lambda rows, limit: torch.stack([both(row, limit) for row in rows]),
            "still loops over the rows",
        ),
        (lambda rows, limit: torch.where(norms(rows) > limit, 0.0, rows), "become zero"),
        (clip_by_map, "calls Python for each number"),
        (clip_compiled, "in compiled code or in threads"),
        (lambda rows, limit: torch.vmap(both, (0, None), chunk_size=1)(rows, limit), "still loops"),
    ],
    "03.2": [
        (vmap(largest), "same size in the mapped dimension"),
        (vmap(vmap(largest, in_dims=(0, None)), in_dims=(None, 0)), "the batch comes first"),
        (vmap(vmap(largest, in_dims=(None, 0)), in_dims=(0, None), out_dims=1), "in the wrong"),
        (vmap(largest, in_dims=(0, None)), "1 dimensions, expected 2"),
        (lambda a, b: (a[:, None] - b).amax(dim=2), "absolute value is missing"),
        (lambda a, b: (a[:, None] - b).amax(dim=2).abs(), "after the maximum"),
        (lambda a, b: (a[:, None] - b).abs().sum(dim=2), "are added up"),
        (lambda a, b: torch.cdist(a, b), "Euclidean"),
        (lambda a, b: (a[:, None] - b).abs().amin(dim=2), "the smallest difference"),
        (lambda a, b: (a[:, None] - b).abs(), "3 dimensions, expected 2"),
        (lambda a, b: (a[:, None] - b).abs().max(), "one number for the whole batch"),
        (lambda a, b: (a[:, None] - b).abs().amax(dim=2).float(), "expected torch.float64"),
        (largest_in_numpy, "leaves PyTorch"),
        (largest_in_lists, "Python still loops over the rows of a"),
        (largest_in_a_loop, "still loops over the rows of a"),
        (largest_in_a_loop_over_b, "still loops over the rows of b"),
    ],
    "03.3": [
        (lambda x, t, w: grad(batch_loss)(w, x, t), "the batch dimension is gone"),
        (lambda x, t, w: grad(batch_loss)(w, x, t).expand_as(x), "the mean gradient"),
        (lambda x, t, w: errors(x, t, w) * x, "the factor 2"),
        (lambda x, t, w: -2 * errors(x, t, w) * x, "the sign is wrong"),
        (vmap(lambda x, t, w: grad(loss, argnums=1)(w, x, t), (0, 0, None)), "argnums"),
        (lambda x, t, w: vmap(grad(loss))(w, x, t), "same size in the mapped dimension"),
        (lambda x, t, w: vmap(loss, in_dims=(None, 0, 0))(w, x, t), "1 dimensions, expected 2"),
        (lambda x, t, w: 2 * errors(x, t, w) * x / len(x), "divided by the number of samples"),
        (lambda x, t, w: 2 * errors(x, t, w)[:, 0] * x, "RuntimeError"),
        (lambda x, t, w: errors(x, t, w).sign() * x, "absolute error"),
        (
            lambda x, t, w: vmap(grad(loss), in_dims=(None, 0, 0), out_dims=1)(w, x, t),
            "the batch comes first",
        ),
        (lambda x, t, w: x, "predictions' gradients"),
        (backward_in_a_loop, "still loops over the samples"),
        (by_jacobian, "as much memory"),
        (
            lambda x, t, w: vmap(grad(loss), (None, 0, 0), chunk_size=1)(w, x, t),
            "still loops over the samples",
        ),
    ],
}
