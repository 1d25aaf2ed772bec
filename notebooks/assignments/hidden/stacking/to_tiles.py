"""Hidden tests of `to_tiles`."""

from __future__ import annotations

import torch
from utils.classroom.judging import Part, Task
from utils.exercises.exercise import Exercise


def oracle(photo, side, mean, std):
    height, width, channels = photo.shape
    rows, columns = height // side, width // side
    result = torch.empty(rows * columns, channels, side, side)
    for row in range(rows):
        for column in range(columns):
            tile = photo[row * side : (row + 1) * side, column * side : (column + 1) * side]
            for c in range(channels):
                result[row * columns + column, c] = (tile[:, :, c] / 255 - mean[c]) / std[c]
    return result


def cut(photo, side, order=(0, 2, 4, 1, 3)):
    rows, columns = photo.shape[0] // side, photo.shape[1] // side
    whole = photo[: rows * side, : columns * side]
    grid = whole.reshape(rows, side, columns, side, -1).permute(order)
    return grid.reshape(rows * columns, -1, side, side) / 255


def mixed(photo, side):
    height, width, channels = photo.shape
    whole = photo[: height // side * side, : width // side * side]
    return whole.reshape(-1, channels, side, side) / 255


def normal(tiles, mean, std):
    return (tiles - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)


def task(year: int, chance_seed: int) -> Task:
    """The tests for a year, with inputs of their own for each ``chance_seed``."""
    chance = torch.Generator().manual_seed(chance_seed)

    def job(height, width, channels, side):
        pixels = torch.randint(256, (height, width, channels), generator=chance, dtype=torch.uint8)
        middle = 0.3 + 0.4 * torch.rand(channels, generator=chance)
        return pixels, side, middle, 0.1 + 0.3 * torch.rand(channels, generator=chance)

    def turned(job):
        return job[0].transpose(0, 1), *job[1:]

    def dark(job):
        return job[0] // 16, *job[1:]

    exercise = Exercise(
        loop=oracle,
        cases={
            "2 × 3 tiles of 4 × 4 pixels": job(8, 12, 3, 4),
            "something left over on both sides": job(11, 14, 3, 4),
            "something left over at the bottom": job(9, 8, 3, 4),
            "a square photograph": job(8, 8, 3, 4),
            "as many channels as pixels in a row": job(6, 9, 3, 3),
            "one channel": job(6, 10, 1, 3),
            "four channels": job(6, 10, 4, 3),
            "a single tile": job(5, 6, 3, 5),
            "a single column of tiles": job(9, 4, 3, 3),
            "tiles of a single pixel": job(3, 4, 3, 1),
            "a dark photograph": dark(job(8, 10, 3, 4)),
            "a photograph that is not contiguous": turned(job(8, 11, 3, 4)),
            "a photograph smaller than a tile": job(3, 9, 3, 4),
        },
        growing={
            "tiles": (job(8, 8, 3, 4), job(640, 8, 3, 4)),
            "channels": (job(8, 8, 2, 4), job(8, 8, 160, 4)),
        },
        mistakes={
            "reshape alone keeps the pixels in their order, so a tile holds what does not belong "
            "together": lambda p, s, m, d: normal(mixed(p, s), m, d),
            "the tiles come column by column": (
                lambda p, s, m, d: normal(cut(p, s, (2, 0, 4, 1, 3)), m, d)
            ),
            "rows and columns of each tile have changed places": (
                lambda p, s, m, d: normal(cut(p, s, (0, 2, 4, 3, 1)), m, d)
            ),
            "the tiles are not normalised": lambda p, s, m, d: cut(p, s),
            "the standard deviation is missing": lambda p, s, m, d: cut(p, s) - m.view(-1, 1, 1),
            "the mean is subtracted while the values still run to 255": (
                lambda p, s, m, d: (cut(p, s) * 255 - m.view(-1, 1, 1)) / d.view(-1, 1, 1)
            ),
            "the channels' numbers meet the columns of pixels": (
                lambda p, s, m, d: (cut(p, s) - m) / d
            ),
        },
    )
    return Task("test-2", "to_tiles", (Part(exercise),))
