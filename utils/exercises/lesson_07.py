"""The exercises of lesson 07: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown

_random = torch.Generator().manual_seed(7)


def _rand(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=_random, dtype=dtype)


def _photos(*shape: int, dtype: str = "uint8") -> np.ndarray:
    return torch.randint(256, shape, generator=_random).numpy().astype(dtype)


def _mean_and_std(chunks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    rows, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for chunk in chunks:
        for row in chunk.double():
            rows += 1
            step = row - mean
            mean = mean + step / rows
            squares = squares + step * (row - mean)
    return mean, (squares / rows).sqrt()


def _one_by_one(chunks: tuple[Tensor, ...]) -> Iterator[Tensor]:
    """As a reader yields them: all but the last two must be gone."""
    given: list[weakref.ref] = []
    for chunk in chunks:
        if any(earlier() is not None for earlier in given[:-2]):
            raise RuntimeError(
                "an earlier chunk is still held when the next is read; all together would not "
                "fit into memory"
            )
        copy = chunk.clone()
        given.append(weakref.ref(copy))
        yield copy
        del copy


def _use_reader(answer: Callable, *chunks: Tensor) -> object:
    return answer(_one_by_one(chunks))


def _from_chunks(make: Callable) -> Callable:
    """A mistake that is told what each chunk has: rows, means, variances."""

    def mistake(chunks: Iterable[Tensor]) -> object:
        parts = [chunk.double().clone() for chunk in chunks if len(chunk)]
        rows = torch.tensor([len(part) for part in parts], dtype=torch.float64)[:, None]
        means = torch.stack([part.mean(dim=0) for part in parts])
        variances = torch.stack([part.var(dim=0, correction=0) for part in parts])
        return make(rows, means, variances)

    return mistake


def _whole(rows: Tensor, means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    mean = (rows * means).sum(dim=0) / rows.sum()
    squares = rows * (variances + (means - mean) ** 2)
    return mean, squares.sum(dim=0) / rows.sum()


def _weighted(values: Tensor, rows: Tensor) -> Tensor:
    return (rows * values).sum(dim=0) / rows.sum()


def _in_its_own_dtype(chunks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    rows, total, squares = 0, torch.zeros(()), torch.zeros(())
    for chunk in chunks:
        rows += len(chunk)
        total, squares = total + chunk.sum(dim=0).double(), squares + (chunk**2).sum(dim=0).double()
    return total / rows, (squares / rows - (total / rows) ** 2).clamp(min=0).sqrt()


def _to_batch(array: np.ndarray) -> Tensor:
    n, h, w, c = array.shape
    result = torch.empty(n, c, h, w)
    for i in range(n):
        for k in range(c):
            result[i, k] = torch.tensor(array[i, :, :, k].astype(np.float32))
    return result


def _use_array(answer: Callable, array: np.ndarray, how: str) -> object:
    """The answer for the array as ``how`` says; refused if it shares the array's memory."""
    given = array[:, ::-1] if how == "flipped" else array
    before = array.copy()
    given.flags.writeable = how != "read-only"
    result = answer(given)
    if not np.array_equal(array, before):
        raise ValueError("the array that it was given has been changed")
    if isinstance(result, Tensor) and result.numel():
        low, high = np.lib.array_utils.byte_bounds(array)
        if low <= result.untyped_storage().data_ptr() < high:
            raise ValueError(
                "the tensor shares its memory with the array, so writing into one changes both"
            )
    return result


def _native(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.float32, order="C"))


def _misread(array: np.ndarray) -> Tensor:
    return _native(array.view(array.dtype.newbyteorder("="))).permute(0, 3, 1, 2)


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
    "07.1": Exercise(
        loop=_mean_and_std,
        use=_use_reader,
        cases={
            "chunks of 5, 3, 2, 4 and 1 rows": (
                _rand(5, 4),
                _rand(3, 4) + 1,
                _rand(2, 4) - 1,
                _rand(4, 4),
                _rand(1, 4),
            ),
            "one chunk": (_rand(6, 3),),
            "chunks of one row": (_rand(1, 3), _rand(1, 3), _rand(1, 3)),
            "an empty chunk": (_rand(4, 3), _rand(0, 3), _rand(2, 3)),
            "float64": (_rand(5, 2, dtype=torch.float64), _rand(1, 2, dtype=torch.float64)),
            "uint8": (
                torch.randint(256, (7, 3), generator=_random, dtype=torch.uint8),
                torch.randint(256, (4, 3), generator=_random, dtype=torch.uint8),
            ),
            "numbers far from zero": (_rand(50, 3) + 10_000, _rand(31, 3) + 10_000),
            "numbers so far from zero that their squares hold no digits of the deviation": (
                _rand(50, 3, dtype=torch.float64) + 1e8,
                _rand(31, 3, dtype=torch.float64) + 1e8,
            ),
            "chunks that are not contiguous": (_rand(3, 5).T, _rand(3, 2).T),
            "columns that never change": (torch.ones(4, 2), torch.ones(3, 2)),
        },
        growing={
            "rows of a chunk": grown(lambda n: (_rand(n, 3), _rand(n // 2 + 1, 3))),
        },
        may_leave=True,
        mistakes={
            "the chunks' means are averaged as if all were of equal size": _from_chunks(
                lambda n, m, v: (m.mean(dim=0), _whole(n, m, v)[1].sqrt())
            ),
            "means and standard deviations of the chunks are averaged as if all were of equal "
            "size": _from_chunks(lambda n, m, v: (m.mean(dim=0), v.sqrt().mean(dim=0))),
            "the standard deviation leaves out how far the chunks' means are apart": _from_chunks(
                lambda n, m, v: (_weighted(m, n), _weighted(v, n).sqrt())
            ),
            "the chunks' standard deviations are averaged; that leaves out how far their means "
            "are apart": _from_chunks(lambda n, m, v: (_weighted(m, n), _weighted(v.sqrt(), n))),
            "it divides by the number of rows less one": _from_chunks(
                lambda n, m, v: (
                    _weighted(m, n),
                    (_whole(n, m, v)[1] * n.sum() / (n.sum() - 1)).sqrt(),
                )
            ),
            "it returns the variance; the root is missing": _from_chunks(_whole),
            "the mean's square is not subtracted from the mean of the squares": _from_chunks(
                lambda n, m, v: (
                    _weighted(m, n),
                    (_whole(n, m, v)[1] + _weighted(m, n) ** 2).sqrt(),
                )
            ),
            "it subtracts the square of the mean from the mean of the squares: far from zero these "
            "are nearly equal, and the digits of the deviation are gone, in float64 too": (
                lambda chunks: _in_its_own_dtype(chunk.double() for chunk in chunks)
            ),
            "it adds up in the chunk's own dtype, where squares of uint8 wrap around and large "
            "float32 sums lose digits": _in_its_own_dtype,
        },
    ),
    "07.2": Exercise(
        loop=_to_batch,
        use=_use_array,
        cases={
            "uint8 photographs of 4 × 6 pixels": (_photos(5, 4, 6, 3), "plain"),
            "square photographs": (_photos(2, 5, 5, 3), "plain"),
            "a batch of one": (_photos(1, 4, 6, 3), "plain"),
            "one channel": (_photos(3, 4, 6, 1), "plain"),
            "float32, which needs no conversion": (_photos(3, 4, 6, 3, dtype="f4"), "plain"),
            "float64": (_photos(3, 4, 6, 3, dtype="f8"), "plain"),
            "big-endian numbers": (_photos(3, 4, 6, 3, dtype=">i2"), "plain"),
            "big-endian float32": (_photos(3, 4, 6, 3, dtype=">f4"), "plain"),
            "uint16": (_photos(3, 4, 6, 3, dtype="u2"), "plain"),
            "flipped photographs": (_photos(3, 4, 6, 3), "flipped"),
            "flipped float32": (_photos(3, 4, 6, 3, dtype="f4"), "flipped"),
            "a read-only array": (_photos(3, 4, 6, 3, dtype="f4"), "read-only"),
            "an array that is not contiguous": (_photos(3, 6, 4, 3).swapaxes(1, 2), "plain"),
        },
        growing={
            "photographs": grown(lambda n: (_photos(n, 4, 6, 3), "plain")),
            "rows of a photograph": grown(lambda n: (_photos(2, n, 6, 3), "plain")),
        },
        may_leave=True,
        mistakes={
            "reshape keeps the numbers in their order and regroups them, so pixels and channels "
            "are mixed": lambda a: _native(a).reshape(len(a), a.shape[3], *a.shape[1:3]),
            "rows and columns of each photograph have changed places": (
                lambda a: _native(a).permute(0, 3, 2, 1)
            ),
            "the dimensions are still those of the input, with the channels last": _native,
            "the values are divided by 255; they should stay as they are": (
                lambda a: _native(a).permute(0, 3, 1, 2) / 255
            ),
            "the channels come in the opposite order": (
                lambda a: _native(a).flip(3).permute(0, 3, 1, 2)
            ),
            "the bytes are read in the wrong order: view changes what they mean, astype converts "
            "them": _misread,
            "the flipped array is turned back": (lambda a: _native(a[:, ::-1]).permute(0, 3, 1, 2)),
            "numbers above 127 or 255 have wrapped around in a type of 8 bits": (
                lambda a: torch.from_numpy(a.astype(np.int8)).permute(0, 3, 1, 2).float()
            ),
        },
    ),
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
