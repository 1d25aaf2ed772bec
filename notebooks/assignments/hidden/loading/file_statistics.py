"""Hidden tests of `file_statistics`."""

from __future__ import annotations

import numpy as np
import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def loop(array, rows, correction=0, zero=False, filled=False):
    array = array.astype(np.float64)
    if filled:
        array = np.nan_to_num(array)
    count, mean, variance = [], [], []
    for column in range(array.shape[1]):
        values = array[~np.isnan(array[:, column]), column]
        there = len(values)
        count.append(there)
        mean.append(values.mean() if there else 0.0 if zero else np.nan)
        squares = ((values - values.mean()) ** 2).sum() if there else 0.0
        variance.append(squares / max(there - correction, 1) if there else 0.0 if zero else np.nan)
    return {
        "count": torch.tensor(count),
        "mean": torch.tensor(mean, dtype=torch.float64),
        "variance": torch.tensor(variance, dtype=torch.float64),
    }


def parts(array, rows):
    return [loop(array[start : start + rows], rows) for start in range(0, len(array), rows)]


def combined(equal_means=False, within=False):
    def mistake(array, rows):
        right, each = loop(array, rows), parts(array, rows)
        means = torch.stack([part["mean"] for part in each])
        variances = torch.stack([part["variance"] for part in each])
        counts = torch.stack([part["count"] for part in each])
        if equal_means:
            return {**right, "mean": means.nanmean(dim=0), "variance": variances.nanmean(dim=0)}
        if within:
            return {**right, "variance": (variances * counts).nansum(dim=0) / counts.sum(dim=0)}
        raise ValueError

    return mistake


def without_the_last(array, rows):
    return loop(array[: len(array) // rows * rows], rows)


def use(answer, array, rows):
    found = answer(array, rows)
    return {key: found[key] for key in sorted(found)} if isinstance(found, dict) else found


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    draw = np.random.default_rng(chance_seed)

    def missing(array, share=0.3):
        array = np.array(array)
        array[draw.random(array.shape) < share] = np.nan
        return array

    def random_rows(*shape):
        return draw.random(shape)

    late = random_rows(9, 3).astype("f4")
    late[:6, 1] = np.nan
    never = missing(random_rows(11, 3))
    never[:, 2] = np.nan
    exercise = Exercise(
        loop=loop,
        use=use,
        cases={
            "12 rows in chunks of 4": (random_rows(12, 3).astype("f4"), 4),
            "a short last chunk": (random_rows(11, 3).astype("f4"), 4),
            "a last chunk of one row": (random_rows(9, 2).astype("f4"), 4),
            "missing values": (missing(random_rows(23, 4)).astype("f4"), 5),
            "a chunk in which a column has no value": (late, 3),
            "a column without any value": (never, 4),
            "chunks that differ in their mean": (
                missing(random_rows(20, 3) + np.arange(20)[:, None]),
                6,
            ),
            "one chunk": (missing(random_rows(7, 3)), 100),
            "chunks of one row": (missing(random_rows(7, 3)), 1),
            "a single row": (random_rows(1, 3), 4),
            "one column": (missing(random_rows(14, 1)), 4),
            "as many columns as rows of a chunk": (missing(random_rows(10, 4)), 4),
            "float64": (missing(random_rows(10, 3)), 4),
            "numbers far from zero": ((random_rows(60, 3) + 1000).astype("f4"), 7),
            "columns that never change": (np.full((9, 2), 3.0), 4),
            "uint8": (draw.integers(256, size=(19, 3)).astype("u1"), 5),
            "int32": (draw.integers(-70_000, 70_000, size=(19, 3)).astype("i4"), 5),
            "big-endian float32": (missing(random_rows(13, 3)).astype(">f4"), 5),
            "big-endian int16": (draw.integers(-999, 999, size=(13, 3)).astype(">i2"), 5),
            "columns that lie one behind the other in the file": (
                np.asfortranarray(missing(random_rows(13, 3)).astype("f4")),
                5,
            ),
        },
        growing={
            "rows of a chunk": (
                (random_rows(11, 3).astype("f4"), 4),
                (random_rows(440, 3).astype("f4"), 160),
            ),
        },
        mistakes={
            "means and variances of the chunks are averaged as if all had equally many values": (
                combined(equal_means=True)
            ),
            "the variance leaves out how far the chunks' means are apart": combined(within=True),
            "the variance is divided by the count less one": (
                lambda array, rows: loop(array, rows, correction=1)
            ),
            "a column without any value has zeros, where NaN was asked for": (
                lambda array, rows: loop(array, rows, zero=True)
            ),
            "missing values are taken for zeros": (
                lambda array, rows: loop(array, rows, filled=True)
            ),
            "the short last chunk is left out": without_the_last,
        },
    )

    def evidence(watch):
        large = random_rows(20_000, 8).astype("f4")
        if watch("rows", large, 500).rows > len(large):
            return "the rows of the file are read more than once"
        peak = watch("memory", large, 500).peak
        if peak >= 400_000:
            return (
                "of a file of 640 kB, chunks of 16 kB were asked for, and "
                f"{peak / 1000:.0f} kB were in memory at a time"
            )
        return ""

    part = Part(exercise, "from_file", pure=False, evidence=evidence)
    return Task("file_statistics-test", "file_statistics", (part,))
