"""Hidden tests of `Wines`."""

from __future__ import annotations

import random
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_wine
from utils.classroom.answering import samples
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


class Listed:
    def __init__(self, table, features, label, change=lambda x, y: (x, y), labels=False):
        self.samples = []
        for position in range(len(table)):
            row = table.loc[position] if labels else table.iloc[position]
            x = torch.tensor([float(row[name]) for name in features], dtype=torch.float32)
            self.samples.append(change(x, torch.tensor(int(row[label]), dtype=torch.int64)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, position):
        return self.samples[position]


def loop(table, features, label, **how):
    return samples(lambda *given: Listed(*given, **how), table, features, label)


def use(answer, table, features, label):
    found = answer(table, features, label)
    if found["length"] != len(table):
        raise ValueError(f"len(dataset) is {found['length']}, and the table has {len(table)} rows")
    if not all(isinstance(one, tuple) and len(one) == 2 for one in found["samples"]):
        raise TypeError("a sample is no tuple of x and y")
    return {
        "x": torch.stack([x for x, _ in found["samples"]]),
        "y": torch.stack([torch.as_tensor(y) for _, y in found["samples"]]),
        "x of dataset[0], asked for again": found["again"][0],
        "batch": found["batch"],
    }


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    draw = random.Random(chance_seed)
    frame = load_wine(as_frame=True).frame
    names = draw.sample(list(frame.columns[:-1]), 4)
    shuffled = frame.sample(n=23, random_state=draw.randrange(10**6))
    shuffled.insert(2, "cellar", [f"cellar {i}" for i in shuffled.index])
    ordered = frame.iloc[::8].reset_index(drop=True)
    renamed = ordered.rename(columns={"target": "class of wine"})[
        ["class of wine", *draw.sample(list(frame.columns[:-1]), 13)]
    ]
    twice = shuffled.iloc[[0, 1, 0, 2]]
    mixed = pd.DataFrame(
        {
            "year": np.array([2001, 1999, 2010], np.int16),
            "proline": np.array([1.5, 2.5, 1e6]),
            "rating": np.array([200, 3, 255], np.uint8),
            "red": [True, False, True],
            "kind": np.array([2, 0, 1], np.int32),
        },
        index=["b", "a", "c"],
    )
    exercise = Exercise(
        loop=loop,
        use=use,
        cases={
            "a shuffled table": (shuffled, names, "target"),
            "an index in order": (ordered, names, "target"),
            "the columns in the opposite order": (ordered, names[::-1], "target"),
            "another name of the label, in the first column": (
                renamed,
                names,
                "class of wine",
            ),
            "one feature": (shuffled, names[:1], "target"),
            "a table of one row": (shuffled.iloc[5:6], names, "target"),
            "an index with the same label twice": (twice, names, "target"),
            "columns of different types": (mixed, ["rating", "proline", "year", "red"], "kind"),
            "a column of whole numbers": (mixed, ["year"], "kind"),
        },
        mistakes={
            "rows are looked up by the index's labels, not by position": (
                lambda t, f, n: loop(t, f, n, labels=True)
            ),
            "rows come in the order of the index, not of the table": (
                lambda t, f, n: loop(t.sort_index(), f, n)
            ),
            "the features come in the table's order, not in the order asked for": (
                lambda t, f, n: loop(t, [c for c in t.columns if c in f], n)
            ),
            "the features are scaled; the loop takes them as they are": (
                lambda t, f, n: loop(
                    t.assign(**{c: (t[c] - t[c].mean()) / t[c].std() for c in f}), f, n
                )
            ),
        },
    )
    return Task("wines-test", "Wines", (Part(exercise, "samples"),))
