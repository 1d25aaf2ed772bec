"""Hidden tests of `scores`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def oracle(first, second, matrices, clinic):
    result = torch.empty(len(first), dtype=first.dtype)
    for n in range(len(first)):
        result[n] = first[n] @ matrices[clinic[n]] @ second[n]
    return result


def form(first, matrices, second):
    return torch.einsum("np,npq,nq->n", first, matrices, second)


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def sent(tumours, p, q, clinics, dtype=torch.float32):
        shapes = (tumours, p), (tumours, q), (clinics, p, q)
        parts = [torch.rand(shape, generator=chance, dtype=dtype) for shape in shapes]
        return *parts, torch.randint(clinics, (tumours,), generator=chance)

    strided = (
        torch.rand(3, 6, generator=chance).T,
        torch.rand(4, 6, generator=chance).T,
        torch.rand(5, 4, 3, generator=chance).mT,
        torch.tensor([0, 9, 4, 9, 1, 9, 2, 9, 0, 9, 3, 9])[::2],
    )
    exercise = Exercise(
        loop=oracle,
        cases={
            "seven tumours and three clinics": sent(7, 3, 4, 3),
            "as many tumours as clinics": sent(4, 3, 2, 4),
            "square matrices": sent(5, 3, 3, 2),
            "all sizes equal": sent(4, 4, 4, 4),
            "a batch of one": sent(1, 3, 4, 3),
            "a single clinic": sent(5, 3, 4, 1),
            "more clinics than tumours": sent(3, 2, 4, 9),
            "matrices of one row": sent(5, 1, 4, 3),
            "matrices of one column": sent(5, 4, 1, 3),
            "float64": sent(5, 3, 4, 3, torch.float64),
            "inputs that are not contiguous": strided,
            "an empty batch": sent(0, 3, 4, 3),
        },
        growing={
            "tumours": (sent(4, 3, 4, 3), sent(160, 3, 4, 3)),
            "clinics": (sent(6, 3, 4, 2), sent(6, 3, 4, 160)),
        },
        mistakes={
            "the first clinic's matrix serves all tumours": (
                lambda x, y, m, c: form(x, m[:1].expand(len(x), -1, -1), y)
            ),
            "tumour n gets matrix n, not that of its clinic": lambda x, y, m, c: form(x, m, y),
            "the matrices of all clinics are added up; each tumour has one": (
                lambda x, y, m, c: torch.einsum("np,kpq,nq->n", x, m, y)
            ),
            "it takes the largest score of all clinics; each tumour has one": (
                lambda x, y, m, c: torch.einsum("np,kpq,nq->nk", x, m, y).amax(1)
            ),
            "each matrix is transposed": lambda x, y, m, c: form(x, m[c].mT, y),
            "the products are averaged; a bilinear form adds them": (
                lambda x, y, m, c: (x[:, :, None] * m[c] * y[:, None]).mean((1, 2))
            ),
            "the two vectors have changed places": lambda x, y, m, c: form(y, m[c], x),
        },
    )
    return Task("test-4", "scores", (Part(exercise),))
