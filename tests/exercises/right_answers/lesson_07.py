"""Answers to lesson 07 that differ from the solutions, and are as right."""

import numpy as np
import torch


def by_numpy(chunks):
    rows, mean, squares = 0, 0.0, 0.0
    for chunk in chunks:
        values = chunk.numpy().astype(np.float64)
        if len(values):
            new = rows + len(values)
            step = values.mean(axis=0) - mean
            squares = squares + values.var(axis=0) * len(values)
            squares = squares + step**2 * rows * len(values) / new
            mean, rows = mean + step * len(values) / new, new
    return torch.from_numpy(mean), torch.from_numpy(np.sqrt(squares / rows))


def shifted(chunks):
    """Sums about the first row: far from zero, but not far from the data."""
    rows, shift, total, squares = 0, None, 0.0, 0.0
    for chunk in chunks:
        values = chunk.double()
        if shift is None and len(values):
            shift = values[0].clone()
        if len(values):
            rows += len(values)
            total = total + (values - shift).sum(dim=0)
            squares = squares + (values - shift).square().sum(dim=0)
    mean = total / rows
    return shift + mean, (squares / rows - mean.square()).clamp(min=0).sqrt()


def in_place_of_numpy(array):
    batch = torch.empty(array.shape[0], array.shape[3], *array.shape[1:3])
    batch.numpy()[...] = array.transpose(0, 3, 1, 2)
    return batch


def by_reshape(rows, worker, workers, rank, world_size):
    shares = world_size * workers
    all_rows = torch.arange(-(-rows // shares) * shares).reshape(-1, shares)
    mine = all_rows[:, rank * workers + worker]
    return mine[mine < rows]


def by_mask(rows, worker, workers, rank, world_size):
    indices = torch.arange(rows)
    return indices[indices % (world_size * workers) == rank * workers + worker]


def by_list(rows, block_rows, blocks):
    parts = torch.arange(rows).split(block_rows)
    return torch.cat([parts[block] for block in blocks.tolist()])


def by_sorting(rows, block_rows, blocks):
    place = torch.empty_like(blocks)
    place[blocks] = torch.arange(len(blocks))
    return place[torch.arange(rows) // block_rows].argsort(stable=True)


RIGHT = {
    "07.1": [by_numpy, shifted],
    "07.2": [
        in_place_of_numpy,
        lambda a: torch.tensor(a.astype("f4").transpose(0, 3, 1, 2)),
        lambda a: torch.from_numpy(np.ascontiguousarray(np.moveaxis(a, 3, 1)).astype(np.float32)),
        lambda a: torch.from_numpy(np.array(a, dtype=np.float32, order="C")).permute(0, 3, 1, 2),
        lambda a: torch.einsum("nhwc->nchw", torch.from_numpy(a.astype("f8", order="C"))).float(),
    ],
    "07.3": [
        by_reshape,
        by_mask,
        lambda n, w, ws, r, rs: torch.arange(n)[r * ws + w :: rs * ws],
        lambda n, w, ws, r, rs: torch.tensor(range(r * ws + w, n, rs * ws), dtype=torch.int64),
    ],
    "07.4": [by_list, by_sorting],
}
