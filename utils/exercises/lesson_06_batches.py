"""Lesson 06, whole batches at once: exercises 06.1 and 06.3."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown, use_apart_from_random_numbers
from utils.exercises.inputs import labels, scans, uniform
from utils.measuring.agreement import kind

_random = torch.Generator().manual_seed(6)
_rand = partial(uniform, _random)
_scans = partial(scans, _random)
_labels = partial(labels, _random)


def _some(samples: int, batch_size: int) -> Tensor:
    return torch.randint(samples, (batch_size,), generator=_random)


class _ByBatch:
    """A data set that answers a tensor of indices with ``fetch(images, labels, indices)``."""

    def __init__(self, images: Tensor, labels: Tensor, fetch: Callable) -> None:
        self.images, self.labels, self.fetch = images, labels, fetch

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        return self.fetch(self.images, self.labels, indices)


def _fetch_loop(images: Tensor, labels: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    batch = torch.empty(len(indices), 1, *images.shape[1:])
    batch_labels = torch.empty(len(indices), dtype=labels.dtype)
    for place, index in enumerate(indices):
        batch[place, 0] = images[index].float() / 16
        batch_labels[place] = labels[index]
    return batch, batch_labels


def _fetching(fetch: Callable) -> Callable:
    return lambda images, labels: _ByBatch(images, labels, fetch)


def _fetched(images: Tensor, indices: Tensor) -> Tensor:
    return images[indices].unsqueeze(1).float() / 16


def _use_dataset(make: Callable, images: Tensor, labels: Tensor, indices: Tensor) -> object:
    """One batch, as a loader with ``batch_size=None`` asks for it."""
    dataset = make(images, labels)
    if len(dataset) != len(images):
        raise ValueError(f"len(dataset) is {len(dataset)}, expected {len(images)}")
    batch = dataset[indices]
    if not (isinstance(batch, tuple | list) and len(batch) == 2):
        raise TypeError(f"a batch is {kind(batch)}, expected a tuple of images and labels")
    if isinstance(batch[1], Tensor) and not batch[1].dim():
        raise ValueError("there is one label; a batch has one for each index")
    return {"images": batch[0], "labels": batch[1]}


def _chunks_loop(data: Tensor, batch_size: int, chunk_rows: int, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    batches = []
    chunks = math.ceil(len(data) / chunk_rows)
    for chunk in torch.randperm(chunks, generator=generator):
        rows = data[chunk * chunk_rows : (chunk + 1) * chunk_rows]
        order = torch.randperm(len(rows), generator=generator)
        for start in range(0, len(rows), batch_size):
            batch = [rows[index] for index in order[start : start + batch_size]]
            batches.append(torch.stack(batch))
    return batches


def _chunked(
    mixed: bool = True, shuffled: bool = True, again: bool = False, drawn: bool = True
) -> Callable:
    """The right batches but for one thing."""

    def batches(data: Tensor, batch_size: int, chunk_rows: int, seed: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        parts = data.split(chunk_rows) if len(data) else ()
        chunks, found = list(range(len(parts))), []
        if drawn:
            drawn_order = torch.randperm(len(parts), generator=generator).tolist()
            chunks = drawn_order if shuffled else chunks
        for chunk in chunks:
            if again:
                generator.manual_seed(seed)
            order = torch.randperm(len(parts[chunk]), generator=generator)
            rows = parts[chunk][order] if mixed else parts[chunk]
            found += rows.split(batch_size)
        return found

    return batches


def _globally(data: Tensor, batch_size: int, chunk_rows: int, seed: int) -> list[Tensor]:
    torch.manual_seed(seed)
    parts = data.split(chunk_rows) if len(data) else ()
    found = []
    for chunk in torch.randperm(len(parts)).tolist():
        found += parts[chunk][torch.randperm(len(parts[chunk]))].split(batch_size)
    return found


EXERCISES = {
    "06.1": Exercise(
        loop=_fetching(_fetch_loop),
        use=_use_dataset,
        cases={
            "five of seven images": (_scans(7, 8, 8), _labels(7), torch.tensor([4, 0, 6, 2, 3])),
            "images of 4 × 6 pixels": (_scans(5, 4, 6), _labels(5), _some(5, 4)),
            "as many images as rows": (_scans(8, 8, 8), _labels(8), torch.arange(8).flip(0)),
            "a batch of one": (_scans(6, 8, 8), _labels(6), torch.tensor([3])),
            "an index that comes twice": (
                _scans(5, 4, 6),
                _labels(5),
                torch.tensor([4, 1, 1, 4]),
            ),
            "neighbouring indices": (_scans(9, 4, 6), _labels(9), torch.arange(3, 7)),
            "uint8 images": (_scans(5, 4, 6, dtype=torch.uint8), _labels(5), _some(5, 3)),
            "float64 images": (_scans(5, 4, 6, dtype=torch.float64), _labels(5), _some(5, 3)),
            "images without much ink": (_scans(5, 4, 6) // 4, _labels(5), _some(5, 3)),
            "images that are not contiguous": (
                _scans(5, 6, 4).transpose(1, 2),
                _labels(5),
                _some(5, 3),
            ),
        },
        growing={
            "indices": grown(lambda n: (_scans(9, 4, 6), _labels(9), _some(9, n))),
            "images": grown(lambda n: (_scans(n, 4, 6), _labels(n), _some(n, 3))),
        },
        may_leave=True,
        mistakes={
            "the values still run to 16; the loop divides by 16": _fetching(
                lambda x, y, i: (_fetched(x, i) * 16, y[i])
            ),
            "it divides by 255, and the largest value is 16": _fetching(
                lambda x, y, i: (_fetched(x, i) * 16 / 255, y[i])
            ),
            "each batch is divided by its own largest value; the loop divides by 16": _fetching(
                lambda x, y, i: (_fetched(x, i) / _fetched(x, i).max(), y[i])
            ),
            "the batch is a slice that begins at the first index; the others are not neighbours": (
                _fetching(
                    lambda x, y, i: (
                        _fetched(x, torch.arange(int(i[0]), int(i[0]) + len(i))),
                        y[int(i[0]) : int(i[0]) + len(i)],
                    )
                )
            ),
            "these are the first samples of the data set; use the indices": _fetching(
                lambda x, y, i: (_fetched(x, torch.arange(len(i))), y[: len(i)])
            ),
            "the labels are the first ones of the data set; they need the indices, too": _fetching(
                lambda x, y, i: (_fetched(x, i), y[: len(i)])
            ),
            "every sample is that of the first index": _fetching(
                lambda x, y, i: (_fetched(x, i[:1].expand_as(i)), y[i[:1].expand_as(i)])
            ),
            "the samples come sorted by index; the batch has the order of the indices": _fetching(
                lambda x, y, i: (_fetched(x, i.sort().values), y[i.sort().values])
            ),
            "the labels come sorted by index, and the images do not": _fetching(
                lambda x, y, i: (_fetched(x, i), y[i.sort().values])
            ),
        },
    ),
    "06.3": Exercise(
        loop=_chunks_loop,
        use=use_apart_from_random_numbers,
        cases={
            "48 rows, chunks of 12, batches of 4": (_rand(48, 3), 4, 12, 0),
            "a short last chunk": (_rand(29, 3), 4, 12, 1),
            "chunks that batches do not divide": (_rand(20, 2), 4, 10, 0),
            "one chunk": (_rand(7, 3), 3, 100, 2),
            "a batch larger than a chunk": (_rand(10, 3), 8, 5, 1),
            "batches of one": (_rand(6, 2), 1, 3, 3),
            "a single row": (_rand(1, 3), 4, 8, 0),
            "numbers instead of rows": (torch.arange(15), 2, 5, 4),
            "images": (_rand(9, 4, 6), 2, 4, 5),
            "float64 rows that are not contiguous": (_rand(3, 12, dtype=torch.float64).T, 4, 8, 1),
            "no rows at all": (_rand(0, 3), 4, 8, 0),
        },
        growing={
            "rows of a batch": grown(lambda n: (_rand(6 * n, 3), n, 3 * n, 0)),
        },
        mistakes={
            "the chunks come in their own order; the loop shuffles them": _chunked(shuffled=False),
            "the chunks come in their own order; the loop shuffles them, and draws for that before "
            "it mixes": _chunked(drawn=False),
            "the rows of a chunk stay in their order; the loop mixes them": _chunked(mixed=False),
            "chunks and rows stay in their order; the loop shuffles both": _chunked(
                mixed=False, shuffled=False
            ),
            "the generator is seeded again for each chunk, so all of them are mixed alike": (
                _chunked(again=True)
            ),
            "it seeds the generator that everybody draws from; make one of your own": _globally,
        },
    ),
}
