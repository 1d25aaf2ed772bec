"""Hidden tests of `distances`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def oracle(a, b, weights):
    result = torch.empty(len(a), len(b), dtype=a.dtype)
    for i in range(len(a)):
        for j in range(len(b)):
            result[i, j] = (weights[i] * (a[i] - b[j]) ** 2).sum().sqrt()
    return result


def differences(a, b):
    return a[:, None] - b


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def pairs(few, many, numbers, dtype=torch.float32):
        return (
            torch.randn(few, numbers, generator=chance, dtype=dtype),
            torch.randn(many, numbers, generator=chance, dtype=dtype),
            0.1 + 2 * torch.rand(few, numbers, generator=chance, dtype=dtype),
        )

    twins = pairs(9, 9, 3)
    twins[0].mul_(30)
    twins[1].copy_(twins[0].flip(0))
    zeros = pairs(4, 3, 5)
    zeros[2][1] = 0
    exercise = Exercise(
        loop=oracle,
        cases={
            "five rows and three references": pairs(5, 3, 4),
            "more references than rows": pairs(2, 6, 4),
            "as many rows as references": pairs(4, 4, 3),
            "as many rows as references and numbers": pairs(4, 4, 4),
            "as many rows as numbers": pairs(4, 3, 4),
            "a batch of one": pairs(1, 3, 4),
            "a single reference": pairs(5, 1, 4),
            "a single number in a row": pairs(5, 3, 1),
            "weights of zero": zeros,
            "rows that are equal to references": twins,
            "float64 rows": pairs(5, 3, 4, torch.float64),
            "rows that are not contiguous": tuple(
                torch.rand(4, n, generator=chance).T for n in (6, 3, 6)
            ),
            "no row": pairs(0, 3, 4),
            "no reference": pairs(3, 0, 4),
        },
        growing={
            "rows": (pairs(4, 3, 5), pairs(160, 3, 5)),
            "references": (pairs(4, 3, 5), pairs(4, 160, 5)),
            "numbers in a row": (pairs(4, 3, 5), pairs(4, 3, 160)),
        },
        mistakes={
            "the weights are those of the reference; each row of a has its own": (
                lambda a, b, w: (w * differences(a, b) ** 2).sum(2).sqrt()
            ),
            "the first row's weights serve all rows": (
                lambda a, b, w: (w[0] * differences(a, b) ** 2).sum(2).sqrt()
            ),
            "the weights are missing": lambda a, b, w: (differences(a, b) ** 2).sum(2).sqrt(),
            "the square root is missing": lambda a, b, w: (w[:, None] * differences(a, b) ** 2).sum(
                2
            ),
            "the weights are squared along with the differences": (
                lambda a, b, w: ((w[:, None] * differences(a, b)) ** 2).sum(2).sqrt()
            ),
            "element [i, j] belongs to b[i] and a[j]": (
                lambda a, b, w: (w[:, None] * differences(a, b) ** 2).sum(2).sqrt().T
            ),
            "the squares are averaged; the loop adds them": (
                lambda a, b, w: (w[:, None] * differences(a, b) ** 2).mean(2).sqrt()
            ),
            "absolute differences are added, not squares": (
                lambda a, b, w: (w[:, None] * differences(a, b).abs()).sum(2)
            ),
        },
    )
    return Task("test-3", "distances", (Part(exercise),))
