"""Hidden tests of `clipped_gradient`."""

from __future__ import annotations

import torch
from torch.nn import functional
from utils.exercises.checking import Exercise
from utils.classroom.judging import Part, Task


def each_gradient(inputs, labels, weight):
    rows = []
    for row, label in zip(inputs, labels, strict=True):
        leaf = weight.clone().requires_grad_()
        loss = functional.cross_entropy((row @ leaf).unsqueeze(0), label.unsqueeze(0))
        rows.append(torch.autograd.grad(loss, leaf)[0])
    gradients = torch.stack(rows)
    return gradients, gradients.square().sum(dim=(1, 2)).sqrt()


def oracle(inputs, labels, weight, limit, chunk):
    gradients, norms = each_gradient(inputs, labels, weight)
    scales = (limit / norms).clamp(max=1)
    return (gradients * scales[:, None, None]).mean(dim=0), norms


def mean_of_means(inputs, labels, weight, limit, chunk):
    parts = zip(inputs.split(chunk), labels.split(chunk), strict=True)
    found = [oracle(*part, weight, limit, chunk) for part in parts]
    return torch.stack([one for one, _ in found]).mean(dim=0), torch.cat([n for _, n in found])


def mean_clipped(inputs, labels, weight, limit, chunk):
    gradients, norms = each_gradient(inputs, labels, weight)
    mean = gradients.mean(dim=0)
    return mean * (limit / mean.square().sum().sqrt()).clamp(max=1), norms


def added(inputs, labels, weight, limit, chunk):
    mean, norms = oracle(inputs, labels, weight, limit, chunk)
    return mean * len(inputs), norms


def all_scaled(inputs, labels, weight, limit, chunk):
    gradients, norms = each_gradient(inputs, labels, weight)
    return (gradients * (limit / norms)[:, None, None]).mean(dim=0), norms


def unclipped(inputs, labels, weight, limit, chunk):
    gradients, norms = each_gradient(inputs, labels, weight)
    return gradients.mean(dim=0), norms


def norms_after(inputs, labels, weight, limit, chunk):
    mean, norms = oracle(inputs, labels, weight, limit, chunk)
    return mean, norms.clamp(max=limit)


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def job(samples, numbers, classes, limit, chunk, dtype=torch.float32):
        return (
            torch.randn(samples, numbers, generator=chance, dtype=dtype),
            torch.randint(classes, (samples,), generator=chance),
            torch.randn(numbers, classes, generator=chance, dtype=dtype),
            limit,
            chunk,
        )

    zero = job(6, 4, 3, 0.8, 4)
    zero[0][2] = 0
    wide = job(7, 4, 3, 0.8, 3)
    exercise = Exercise(
        loop=oracle,
        cases={
            "nine samples in chunks of three": job(9, 4, 3, 0.8, 3),
            "a shorter last chunk": job(10, 4, 3, 0.8, 4),
            "a last chunk of one": job(7, 4, 3, 0.8, 3),
            "chunks of one": job(5, 4, 3, 0.8, 1),
            "a chunk larger than the batch": job(5, 4, 3, 0.8, 64),
            "a batch of one": job(1, 4, 3, 0.8, 4),
            "a limit that all exceed": job(8, 4, 3, 1e-3, 4),
            "a limit that none exceeds": job(8, 4, 3, 1e3, 4),
            "all sizes equal": job(4, 4, 4, 0.8, 4),
            "a sample of zeros": zero,
            "float64 samples": job(7, 4, 3, 0.8, 3, torch.float64),
            "samples that are not contiguous": (
                torch.randn(4, 7, generator=chance).T,
                wide[1],
                torch.randn(3, 4, generator=chance).T,
                *wide[3:],
            ),
        },
        growing={"samples in a chunk": (job(6, 5, 3, 0.8, 256), job(160, 5, 3, 0.8, 256))},
        mistakes={
            "it averages the means of the chunks, and a short chunk weighs too much": mean_of_means,
            "the mean gradient is clipped; each sample's own has to be": mean_clipped,
            "the clipped gradients are added up, not averaged": added,
            "gradients within the limit are scaled up to it": all_scaled,
            "nothing is clipped": unclipped,
            "the norms are those after clipping": norms_after,
        },
    )

    def memory(watch):
        for chunk in (4, 12):
            inputs = job(120, 40, 30, 0.8, chunk)
            most = watch("memory", *inputs).peak / inputs[2].nbytes
            if most > 8 * chunk:
                return (
                    f"with chunk={chunk} it holds up to {most:.0f} gradients; {8 * chunk} are "
                    "allowed"
                )
        return ""

    return Task("test-6", "clipped_gradient", (Part(exercise, evidence=memory),))
