"""Hidden tests of `alarm`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def one(report, limit, knee):
    above = report[report > limit]
    if len(above) == 0:
        return report.max() - limit
    excess = (above - limit).mean()
    if excess.item() > knee:
        return knee * (1 + torch.log(excess / knee))
    return excess


def oracle(reports, limit, knee):
    return torch.stack([one(report, limit, knee) for report in reports])


def oracle_gradients(reports, limit, knee):
    leaf = reports.detach().clone().requires_grad_()
    return torch.autograd.grad(oracle(leaf, limit, knee).sum(), leaf)[0]


def excess(reports, limit):
    above = (reports > limit).sum(dim=1)
    return (reports - limit).clamp(min=0).sum(dim=1) / above.clamp(min=1), above > 0


def undamped(reports, limit, knee):
    mean, some = excess(reports, limit)
    return torch.where(some, mean, reports.amax(dim=1) - limit)


def zero_without(reports, limit, knee):
    alarms = oracle(reports, limit, knee)
    return torch.where((reports > limit).any(dim=1), alarms, 0.0)


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def day(count, analyses, limit, knee, dtype=torch.float32):
        return torch.randn(count, analyses, generator=chance, dtype=dtype), limit, knee

    steps = torch.tensor([[1.0, 1.0, 0.0], [1.0, 3.0, 2.0], [0.0, -1.0, -3.0], [9.0, 8.0, 1.0]])
    cases = {
        "eight reports of five": day(8, 5, 0.8, 0.5),
        "as many reports as analyses": day(6, 6, 0.8, 0.5),
        "a batch of one": day(1, 5, 0.3, 0.4),
        "another limit": day(8, 5, -0.4, 0.5),
        "a low knee": day(8, 5, 0.5, 0.05),
        "a knee that is never reached": day(8, 5, 0.5, 50.0),
        "reports below the limit": day(6, 4, 9.0, 0.5),
        "reports above the limit": day(6, 4, -9.0, 0.5),
        "a single analysis": day(7, 1, 0.2, 0.3),
        "float64 reports": day(7, 5, 0.6, 0.5, torch.float64),
        "reports that are not contiguous": (torch.randn(5, 7, generator=chance).T, 0.4, 0.5),
    }
    exercise = Exercise(
        loop=oracle,
        cases=cases | {"values that are exactly the limit": (steps, 1.0, 2.0)},
        growing={
            "reports": (day(4, 5, 0.5, 0.5), day(160, 5, 0.5, 0.5)),
            "analyses": (day(4, 5, 0.5, 0.5), day(4, 160, 0.5, 0.5)),
        },
        mistakes={
            "an average above the knee is not damped": undamped,
            "a report without a high value gets 0, not its distance from the limit": zero_without,
            "the excess is divided by the number of all analyses, not of the high ones": (
                lambda r, limit, knee: (r - limit).clamp(min=0).mean(dim=1)
            ),
        },
    )
    gradients = Part(
        Exercise(loop=oracle_gradients, cases=cases),
        "gradient",
        before="the alarms are right, but as to their gradients: ",
    )
    return Task("test-5", "alarm", (Part(exercise, "vmap"), gradients))
