"""Lesson 07, what is in the chunks: exercises 07.1 and 07.2."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown
from utils.exercises.inputs import uniform

_random = torch.Generator().manual_seed(7)
_rand = partial(uniform, _random)


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
}
