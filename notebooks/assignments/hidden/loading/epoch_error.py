"""Hidden tests of `epoch_error`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def error_loop(batches, delta, power=None):
    total, count = 0.0, 0
    for predicted, measured, lengths in batches:
        for n, length in enumerate(lengths.tolist()):
            for t in range(length):
                distance = (predicted[n, t].double() - measured[n, t].double()).abs()
                if power:
                    total = total + distance**power
                elif distance <= delta:
                    total = total + distance**2 / 2
                else:
                    total = total + delta * (distance - delta / 2)
                count += 1
    return (total / count).float()


def parts(batches):
    return [b for b in batches if b[2].sum()]


def by_batch(batches, delta):
    return torch.stack([error_loop([batch], delta) for batch in parts(batches)]).mean()


def by_clinic(batches, delta):
    found = [
        error_loop([(p[n : n + 1], m[n : n + 1], s[n : n + 1])], delta)
        for p, m, s in batches
        for n in range(len(s))
        if s[n]
    ]
    return torch.stack(found).mean()


def with_padding(batches, delta):
    whole = [(p, m, torch.full_like(s, p.shape[1])) for p, m, s in batches]
    found = error_loop(whole, delta)
    if found.isnan():
        raise ValueError("NaN has many causes")
    return found


def padding_in_the_count(batches, delta):
    places = sum(p.numel() for p, _, _ in batches)
    return error_loop(batches, delta) * sum(int(s.sum()) for _, _, s in batches) / places


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    generator = torch.Generator().manual_seed(chance_seed)

    def padded_batch(*sizes, fill=torch.nan, width=None, dtype=torch.float32):
        shape = len(sizes), max([*sizes, width or 0])
        pair = 2 * torch.randn(2, *shape, generator=generator, dtype=dtype)
        lengths = torch.tensor(sizes, dtype=torch.int64)
        pair[:, torch.arange(shape[1]) >= lengths[:, None]] = fill
        return (*pair, lengths)

    one_nan = padded_batch(3, 2)
    one_nan[1][1, 0] = torch.nan
    infinite = padded_batch(2, 4, 1)
    infinite[0].nan_to_num_(nan=torch.inf)
    infinite[1].nan_to_num_(nan=-torch.inf)
    wide = padded_batch(4, 1, 2)
    delta = 0.4 + year % 89 / 70
    exercise = Exercise(
        loop=error_loop,
        cases={
            "zeros in the padding": (
                [padded_batch(5, 3, fill=0), padded_batch(2, fill=0)],
                delta,
            ),
            "numbers in the padding": (
                [padded_batch(5, 1, fill=7), padded_batch(2, fill=9)],
                1.0,
            ),
            "NaN in the padding": ([padded_batch(5, 3, 1), padded_batch(2, 2)], delta),
            "infinity in the padding": ([infinite, padded_batch(3)], 0.5),
            "one batch": ([padded_batch(4, 2, 3)], 2.0),
            "one patient": ([padded_batch(1)], 0.3),
            "nothing to pad": ([padded_batch(3, 3), padded_batch(4, 4)], delta),
            "a clinic without patients": ([padded_batch(0, 3, 1), padded_batch(2, 0)], delta),
            "a batch without patients": (
                [padded_batch(0, 0, width=3), padded_batch(2, 5)],
                delta,
            ),
            "a batch without clinics": ([padded_batch(width=4), padded_batch(2, 5)], delta),
            "more padding than the longest clinic needs": (
                [padded_batch(2, 3, width=7), padded_batch(1, width=5)],
                delta,
            ),
            "float64": ([padded_batch(2, 3, dtype=torch.float64)], delta),
            "int32 lengths": ([(*wide[:2], wide[2].int())], delta),
            "batches that are not contiguous": (
                [(wide[0].T.contiguous().T, wide[1].T.contiguous().T, wide[2])],
                delta,
            ),
            "a measured NaN": ([one_nan, padded_batch(2)], delta),
            "a large delta": ([padded_batch(5, 3), padded_batch(2)], 100.0),
        },
        growing={
            "clinics": (
                ([padded_batch(3, 2), padded_batch(4)], 1.0),
                ([padded_batch(*[3, 2] * 80), padded_batch(*[4] * 160)], 1.0),
            ),
            "patients": (
                ([padded_batch(3, 2), padded_batch(4)], 1.0),
                ([padded_batch(160, 20), padded_batch(200)], 1.0),
            ),
        },
        mistakes={
            "the means of the batches are averaged as if all batches were of equal size": by_batch,
            "the means of the clinics are averaged; each patient counts the same": by_clinic,
            "the padding counts as patients": with_padding,
            "the sum is right, and the padding is counted where it is divided": (
                padding_in_the_count
            ),
            "it returns the mean absolute error": lambda b, d: error_loop(b, d, power=1),
            "it returns the mean squared error": lambda b, d: error_loop(b, d, power=2),
            "delta is left out; it is taken for 1": lambda b, d: error_loop(b, 1.0),
            "the loss is divided by delta, as smooth_l1_loss does": (
                lambda b, d: error_loop(b, d) / d
            ),
            "it returns the sum over the patients": (
                lambda b, d: error_loop(b, d) * sum(int(s.sum()) for _, _, s in b)
            ),
        },
    )
    return Task("epoch_error-test", "epoch_error", (Part(exercise),))
