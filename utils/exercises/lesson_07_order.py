"""Lesson 07, which rows and in what order: exercises 07.3 and 07.4."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown

_random = torch.Generator().manual_seed(7)


def _my_rows(rows: int, worker: int, workers: int, rank: int, world_size: int) -> Tensor:
    mine = []
    for row in range(rows):
        if row % (world_size * workers) == rank * workers + worker:
            mine.append(row)
    return torch.tensor(mine, dtype=torch.int64)


def _use_rows(answer: Callable, rows: int, *shares: int) -> object:
    """How often each row is taken, whatever their order."""
    result = answer(rows, *shares)
    if not isinstance(result, Tensor):
        return result
    if result.dtype != torch.int64 or result.dim() != 1:
        form = f"shape {tuple(result.shape)} and dtype {result.dtype}"
        raise TypeError(f"the rows have {form}, expected one dimension and torch.int64")
    if result.numel() and not 0 <= int(result.min()) <= int(result.max()) < rows:
        raise IndexError(f"row {int(result.max())} is taken, and there are {rows}")
    return result.bincount(minlength=rows)


def _block_order(rows: int, block_rows: int, blocks: Tensor) -> Tensor:
    parts = []
    for block in blocks.tolist():
        start = block * block_rows
        parts.append(torch.arange(start, min(start + block_rows, rows)))
    return torch.cat(parts)


def _all_places(block_rows: int, blocks: Tensor) -> Tensor:
    return (blocks[:, None] * block_rows + torch.arange(block_rows)).flatten()


EXERCISES = {
    "07.3": Exercise(
        loop=_my_rows,
        use=_use_rows,
        cases={
            "the second of two workers on the second of three ranks": (20, 1, 2, 1, 3),
            "the first of all": (20, 0, 2, 0, 3),
            "one worker on one rank": (7, 0, 1, 0, 1),
            "workers on one rank": (10, 2, 3, 0, 1),
            "ranks of one worker": (10, 0, 1, 2, 4),
            "numbers that do not divide": (23, 1, 3, 1, 2),
            "fewer rows than workers": (3, 1, 2, 2, 3),
            "no rows": (0, 0, 2, 1, 2),
        },
        growing={"rows": grown(lambda n: (n, 1, 2, 1, 3))},
        mistakes={
            "the rank is left out, so all ranks read the same rows": (
                lambda n, w, ws, r, rs: torch.arange(w, n, ws)
            ),
            "the worker is left out, so all workers of a rank read the same rows": (
                lambda n, w, ws, r, rs: torch.arange(r, n, rs)
            ),
            "worker and rank have changed places in the count": (
                lambda n, w, ws, r, rs: torch.arange(w * rs + r, n, ws * rs)
            ),
            "every worker of every rank reads all rows": lambda n, w, ws, r, rs: torch.arange(n),
            "rank and worker are added, so that several have the same share": (
                lambda n, w, ws, r, rs: torch.arange(r + w, n, ws * rs)
            ),
            "the rows that are left over at the end are dropped": (
                lambda n, w, ws, r, rs: torch.arange(r * ws + w, n - n % (ws * rs), ws * rs)
            ),
            "rows are repeated so that all shares are of equal size": (
                lambda n, w, ws, r, rs: (
                    torch.arange(r * ws + w, -(-n // (ws * rs)) * ws * rs, ws * rs) % max(n, 1)
                )
            ),
            "each gets a piece of neighbouring rows; they are dealt out one by one": (
                lambda n, w, ws, r, rs: torch.arange(n).tensor_split(ws * rs)[r * ws + w]
            ),
        },
    ),
    "07.4": Exercise(
        loop=_block_order,
        cases={
            "ten rows in blocks of 4": (10, 4, torch.tensor([2, 0, 1])),
            "the short block in the middle": (11, 3, torch.tensor([1, 3, 0, 2])),
            "blocks that divide the rows": (12, 3, torch.tensor([3, 1, 0, 2])),
            "one block": (5, 8, torch.tensor([0])),
            "blocks of one row": (5, 1, torch.tensor([4, 2, 0, 1, 3])),
            "blocks that are not contiguous": (
                10,
                2,
                torch.tensor([[3, 0], [1, 0], [4, 0], [0, 0], [2, 0]])[:, 0],
            ),
            "many blocks": (1001, 10, torch.randperm(101, generator=_random)),
        },
        growing={
            "blocks": grown(lambda n: (4 * n - 1, 4, torch.randperm(n, generator=_random))),
            "rows of a block": grown(lambda n: (3 * n - 1, n, torch.tensor([2, 0, 1]))),
        },
        may_iterate=("blocks",),
        mistakes={
            "the short block runs on beyond the last row, where the rows are cut off at the end "
            "of the order": lambda n, b, i: _all_places(b, i)[:n],
            "rows beyond the last are made the last one, so it comes again and again": (
                lambda n, b, i: _all_places(b, i).clamp(max=n - 1)
            ),
            "rows beyond the last begin again at 0": lambda n, b, i: _all_places(b, i) % n,
            "the short block is left out": lambda n, b, i: _all_places(b, i[i < n // b]),
            "the blocks are in the file's order": lambda n, b, i: torch.arange(n),
            "the rows of each block come in the opposite order": (
                lambda n, b, i: (p := (i[:, None] * b + torch.arange(b).flip(0)).flatten())[p < n]
            ),
            "the blocks take turns: the first rows of all, then the second": (
                lambda n, b, i: (p := (i[:, None] * b + torch.arange(b)).T.flatten())[p < n]
            ),
            "a block's number is taken for its first row; multiply by the rows of a block": (
                lambda n, b, i: (i[:, None] + torch.arange(b)).flatten()[:n]
            ),
        },
    ),
}
