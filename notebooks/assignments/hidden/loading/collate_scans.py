"""Hidden tests of `collate_scans`."""

from __future__ import annotations

import random
import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    padding = -float(  # as in the cell of the constants
        random.Random(year).randrange(2, 60)
    )
    generator = torch.Generator().manual_seed(chance_seed)

    def pieces(*lengths, width=4, low=0):
        return [
            torch.randint(low, 256, (n, width), generator=generator).to(torch.uint8)
            for n in lengths
        ]

    def collate_loop(samples, padding=padding, scale=255, none=torch.nan, missing=(None,)):
        longest, width = max(len(s["lines"]) for s in samples), samples[0]["lines"].shape[1]
        lines = torch.empty(len(samples), longest, width)
        for n, sample in enumerate(samples):
            for t in range(longest):
                if t < len(sample["lines"]):
                    lines[n, t] = sample["lines"][t].float() / scale
                else:
                    lines[n, t] = padding
        weights = [none if s["weight"] in missing else s["weight"] for s in samples]
        return {
            "name": [sample["name"] for sample in samples],
            "lines": lines,
            "length": torch.tensor([len(s["lines"]) for s in samples]),
            "weight": torch.tensor(weights, dtype=torch.float32),
        }

    def use_collate(answer, pieces, weights):
        names = [f"piece {number}" for number in range(len(pieces))]
        samples = [
            {"name": name, "lines": piece, "weight": weight}
            for name, piece, weight in zip(names, pieces, weights, strict=True)
        ]
        given = list(samples)
        found = answer(samples)
        if len(samples) != len(given) or any(
            sample is not before or list(sample) != ["name", "lines", "weight"]
            for sample, before in zip(samples, given, strict=True)
        ):
            raise ValueError("the list or its dicts have been changed")
        if any(
            sample["lines"] is not piece or sample["weight"] is not weight
            for sample, piece, weight in zip(samples, pieces, weights, strict=True)
        ):
            raise ValueError("the dicts have been changed")
        if not isinstance(found, dict):
            return found
        if found.get("name") != names:
            raise ValueError(f"the names are {found.get('name')}, expected the list {names}")
        return {key: found[key] for key in sorted(found) if key != "name"}

    exercise = Exercise(
        loop=collate_loop,
        use=use_collate,
        cases={
            "three objects": (pieces(3, 5, 2), [0.5, 1.5, 2.5]),
            "the longest object first": (pieces(6, 1, 4), [0.5, 1.5, 2.5]),
            "objects of the same length": (pieces(4, 4, 4), [0.5, 1.5, 2.5]),
            "a batch of one": (pieces(3), [0.5]),
            "an object without lines": (pieces(3, 0, 2), [0.5, 1.5, 2.5]),
            "no object with lines": (pieces(0, 0), [0.5, 1.5]),
            "black lines": (
                [torch.zeros(2, 4, dtype=torch.uint8), *pieces(5)],
                [0.5, 1.5],
            ),
            "a weight that is missing": (pieces(3, 5, 2), [0.5, None, 2.5]),
            "a weight of zero": (pieces(3, 5, 2), [0.0, None, 2.5]),
            "no weight at all": (pieces(3, 5), [None, None]),
            "weights that are whole numbers": (pieces(3, 5), [2, 7]),
            "lines of one pixel": (pieces(3, 5, width=1), [0.5, 1.5]),
            "dark objects": ([piece // 9 for piece in pieces(3, 5)], [0.5, 1.5]),
            "pieces that are not contiguous": (
                [piece.T for piece in pieces(4, 4, 4, width=3)],
                [0.5, 1.5, 2.5],
            ),
        },
        growing={
            "samples": (
                (pieces(3, 5), [0.5, None]),
                (pieces(*[1 + n % 9 for n in range(160)]), [0.5, None] * 80),
            ),
            "lines": ((pieces(3, 5), [0.5, 1.5]), (pieces(160, 200), [0.5, 1.5])),
        },
        mistakes={
            "the padding is zero, which is a black line": lambda s: collate_loop(s, padding=0.0),
            "the padding is divided by 255 as well": (
                lambda s: collate_loop(s, padding=padding / 255)
            ),
            "the grey values still run to 255": lambda s: collate_loop(s, scale=1),
            "the grey values are divided by 256": lambda s: collate_loop(s, scale=256),
            "a missing weight is zero, which is a weight; NaN says that there is none": (
                lambda s: collate_loop(s, none=0.0)
            ),
            "a weight of 0.0 is taken for a missing one": (
                lambda s: collate_loop(s, missing=(None, 0.0))
            ),
            "the grey values that are negative as int8 have wrapped around": (
                lambda s: collate_loop([{**x, "lines": x["lines"].view(torch.int8)} for x in s])
            ),
        },
    )
    return Task("collate_scans-test", "collate_scans", (Part(exercise, lines=False),))
