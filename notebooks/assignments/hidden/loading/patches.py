"""Hidden tests of `Patches`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def patch_loop(photo, corners, size, indices):
    batch = torch.empty(len(indices), 3, size, size)
    for place, index in enumerate(indices.tolist()):
        y, x = corners[index].tolist()
        patch = photo[y : y + size, x : x + size]
        for channel in range(3):
            batch[place, channel] = patch[:, :, channel].float() / 255
    return batch


def fetching(change):
    return lambda *given: {"length": len(given[1]), "batch": change(*given)}


def use(answer, photo, corners, size, indices):
    found = answer(photo, corners, size, indices)
    if found["length"] != len(corners):
        raise ValueError(f"len(dataset) is {found['length']}, and there are {len(corners)} corners")
    return found["batch"]


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    generator = torch.Generator().manual_seed(chance_seed)

    def photo(height, width):
        return torch.randint(256, (height, width, 3), generator=generator).to(torch.uint8)

    def corners(count, height, width):
        sides = [torch.randint(n, (count,), generator=generator) for n in (height, width)]
        return torch.stack(sides, dim=1)

    def some(corners, count):
        return torch.randint(corners, (count,), generator=generator)

    tall = photo(17, 9), corners(12, 17 - 4 + 1, 9 - 4 + 1), 4
    square = photo(12, 12), corners(12, 12 - 5 + 1, 12 - 5 + 1), 5
    edges = torch.tensor([[0, 0], [0, 7], [8, 0], [8, 7]])
    exercise = Exercise(
        loop=fetching(patch_loop),
        use=use,
        cases={
            "a tall photograph": (*tall, some(12, 5)),
            "a wide photograph": (photo(7, 20), corners(9, 5, 18), 3, some(9, 4)),
            "a square photograph": (*square, some(12, 6)),
            "the four edges": (photo(11, 10), edges, 3, torch.tensor([3, 2, 1, 0])),
            "a batch of one": (*tall, torch.tensor([7])),
            "as many patches as channels": (*tall, torch.tensor([11, 0, 4])),
            "patches of 3 × 3 pixels": (photo(9, 8), corners(9, 7, 6), 3, some(9, 3)),
            "patches of one pixel": (photo(9, 8), corners(9, 9, 8), 1, some(9, 4)),
            "a patch that is the whole photograph": (
                photo(6, 6),
                torch.zeros(2, 2, dtype=torch.int64),
                6,
                torch.tensor([0, 1]),
            ),
            "an index that comes twice": (*tall, torch.tensor([4, 1, 1, 4])),
            "a dark photograph": (photo(9, 12) // 8, corners(9, 6, 9), 4, some(9, 4)),
            "a photograph that is not contiguous": (
                photo(9, 14).transpose(0, 1),
                corners(9, 11, 6),
                4,
                some(9, 5),
            ),
            "corners that are not contiguous": (
                photo(9, 14),
                corners(9, 6, 6).T.contiguous().T,
                4,
                some(9, 5),
            ),
            "an empty batch": (*tall, torch.zeros(0, dtype=torch.int64)),
        },
        growing={
            "patches": ((*tall, some(12, 3)), (*tall, some(12, 160))),
            "corners": (
                (photo(9, 14), corners(5, 6, 11), 4, some(5, 3)),
                (photo(9, 14), corners(200, 6, 11), 4, some(5, 3)),
            ),
            "pixels of a patch": (
                (photo(166, 164), corners(9, 5, 5), 4, some(9, 3)),
                (photo(166, 164), corners(9, 5, 5), 160, some(9, 3)),
            ),
        },
        mistakes={
            "x and y have changed places": fetching(
                lambda p, c, s, i: patch_loop(p.transpose(0, 1), c, s, i).mT
            ),
            "rows and columns of each patch have changed places": fetching(
                lambda p, c, s, i: patch_loop(p, c, s, i).mT
            ),
            "the values still run to 255": fetching(
                lambda p, c, s, i: patch_loop(p, c, s, i) * 255
            ),
            "the channels come in the opposite order": fetching(
                lambda p, c, s, i: patch_loop(p, c, s, i).flip(1)
            ),
            "these are the first patches; use the indices": fetching(
                lambda p, c, s, i: patch_loop(p, c, s, torch.arange(len(i)))
            ),
            "the patches come sorted by index": fetching(
                lambda p, c, s, i: patch_loop(p, c, s, i.sort().values)
            ),
            "reshape keeps the numbers in their order, so pixels and channels are mixed": fetching(
                lambda p, c, s, i: (
                    patch_loop(p, c, s, i).permute(0, 2, 3, 1).reshape(len(i), 3, s, s)
                )
            ),
        },
    )

    def memory(watch):
        many = photo(48, 56), corners(6000, 32, 40), 16, some(6000, 8)
        peak = watch("memory", *many).peak
        if peak >= 1_500_000:
            return (
                f"for a photograph of 8 kB and a batch of 25 kB, the tensors made take "
                f"{peak / 1e6:.1f} MB: all patches are held, not only those of a batch"
            )
        return ""

    part = Part(exercise, "fetched", evidence=memory)
    return Task("patches-test", "Patches", (part,))
