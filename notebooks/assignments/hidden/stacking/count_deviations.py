"""Hidden tests of `count_deviations`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def oracle(reports, reference, tolerance):
    result = torch.zeros(len(reports), dtype=torch.int64)
    for index, report in enumerate(reports):
        result[index] = ((report - reference).abs() > tolerance).sum()
    return result


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def day(count, analyses, dtype=torch.float32):
        rows = torch.randn(count, analyses, generator=chance, dtype=dtype)
        middle = 0.5 * torch.randn(analyses, generator=chance, dtype=dtype)
        return list(rows), middle, 0.2 + torch.rand(analyses, generator=chance, dtype=dtype)

    exact = [torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([3.0, 2.0, 0.0, 8.0])]
    failed = day(6, 5)
    failed[0][2][1] = float("nan")
    table = torch.randn(5, 7, generator=chance)
    exercise = Exercise(
        loop=oracle,
        cases={
            "seven reports of five analyses": day(7, 5),
            "as many reports as analyses": day(6, 6),
            "a single report": day(1, 5),
            "reports of a single analysis": day(4, 1),
            "more analyses than reports": day(3, 13),
            "deviations that are exactly the tolerance": (exact, torch.ones(4), torch.ones(4) * 2),
            "a NaN among the analyses": failed,
            "float64 reports": day(5, 4, torch.float64),
            "reports that are columns of a table": (list(table.T), *day(1, 5)[1:]),
            "an empty list": ([], *day(1, 5)[1:]),
        },
        growing={"reports": (day(4, 5), day(160, 5))},
        mistakes={
            "it counts over the reports, for each analysis; each report has its own count": (
                lambda r, m, t: ((torch.stack(r) - m).abs() > t).sum(dim=0)
            ),
            "only deviations upwards count; those downwards are missing": (
                lambda r, m, t: ((torch.stack(r) - m) > t).sum(dim=1)
            ),
            "a deviation that is exactly the tolerance counts, and should not": (
                lambda r, m, t: ((torch.stack(r) - m).abs() >= t).sum(dim=1)
            ),
            "it counts the analyses within the tolerance": (
                lambda r, m, t: ((torch.stack(r) - m).abs() <= t).sum(dim=1)
            ),
            "an analysis that failed counts, and should not": (
                lambda r, m, t: (~((torch.stack(r) - m).abs() <= t)).sum(dim=1)
            ),
        },
    )
    return Task("test-1", "count_deviations", (Part(exercise, lines=False),))
