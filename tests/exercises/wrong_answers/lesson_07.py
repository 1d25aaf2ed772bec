"""Typical wrong answers to the exercises of lesson 07, each with words its hint must hold."""

import numpy as np
import torch


def mean_of_means(chunks):
    parts = [(len(c), c.double().mean(dim=0), c.double().std(dim=0, correction=0)) for c in chunks]
    _, means, deviations = zip(*parts, strict=True)
    return torch.stack(means).mean(dim=0), torch.stack(deviations).mean(dim=0)


def sums(chunks):
    rows, total, squares = 0, 0.0, 0.0
    for chunk in chunks:
        values = chunk.double()
        rows += len(values)
        total, squares = total + values.sum(dim=0), squares + values.square().sum(dim=0)
    return rows, total / rows, squares / rows


def finished(result):
    """A mistake made from the number of rows, the mean, and the mean of the squares."""

    def answer(chunks):
        rows, mean, squares = sums(chunks)
        return result(rows, mean, (squares - mean**2).clamp(min=0))

    return answer


def weighted_deviations(chunks):
    rows, mean, deviation = 0, 0.0, 0.0
    for chunk in chunks:
        if len(chunk):
            values = chunk.double()
            rows += len(values)
            mean = mean + values.sum(dim=0)
            deviation = deviation + values.std(dim=0, correction=0) * len(values)
    return mean / rows, deviation / rows


def weighted_variances(chunks):
    rows, mean, variance = 0, 0.0, 0.0
    for chunk in chunks:
        if len(chunk):
            values = chunk.double()
            rows += len(values)
            mean = mean + values.sum(dim=0)
            variance = variance + values.var(dim=0, correction=0) * len(values)
    return mean / rows, (variance / rows).sqrt()


def in_the_chunks_dtype(chunks):
    rows, total, squares = 0, 0, 0
    for chunk in chunks:
        rows += len(chunk)
        total = total + chunk.sum(dim=0).double()
        squares = squares + chunk.square().sum(dim=0).double()
    mean = total / rows
    return mean, (squares / rows - mean**2).clamp(min=0).sqrt()


def row_by_row(chunks):
    rows, total, squares = 0, 0.0, 0.0
    for chunk in chunks:
        for row in chunk:
            rows += 1
            total, squares = total + row.double(), squares + row.double() ** 2
    mean = total / rows
    return mean, (squares / rows - mean**2).clamp(min=0).sqrt()


def all_at_once(chunks):
    whole = torch.cat(list(chunks)).double()
    return whole.mean(dim=0), whole.std(dim=0, correction=0)


def only_the_last(chunks):
    for chunk in chunks:
        values = chunk.double()
    return values.mean(dim=0), values.std(dim=0, correction=0)


def unclamped(chunks):
    rows, mean, squares = sums(chunks)
    return mean, (squares - mean**2).sqrt()


def numbers_by_python(chunks):
    rows, mean, squares = 0, np.zeros(()), np.zeros(())
    for chunk in chunks:
        for row in chunk.double().numpy():
            rows += 1
            step = row - mean
            mean = mean + step / rows
            squares = squares + step * (row - mean)
    return torch.from_numpy(mean), torch.from_numpy(np.sqrt(squares / rows))


def float32(array):
    return torch.from_numpy(array.astype(np.float32, order="C"))


def nchw(array):
    return float32(array).permute(0, 3, 1, 2)


def one_by_one(array):
    return torch.stack([torch.tensor(a.astype(np.float32)).permute(2, 0, 1) for a in array])


def four_deep(array):
    n, h, w, c = array.shape
    result = np.empty((n, c, h, w), np.float32)
    for i in range(n):
        for k in range(c):
            for y in range(h):
                for x in range(w):
                    result[i, k, y, x] = array[i, y, x, k]
    return torch.from_numpy(result)


def photo_by_photo(array):
    return torch.from_numpy(np.stack([a.transpose(2, 0, 1).astype(np.float32) for a in array]))


def row_after_row(array):
    n, h, w, c = array.shape
    result = np.empty((n, c, h, w), np.float32)
    for y in range(h):
        result[:, :, y] = array[:, y].transpose(0, 2, 1)
    return torch.from_numpy(result)


def changing(array):
    array[...] = 0
    return nchw(array)


def dealt(rows, start, step):
    return torch.arange(min(start, rows), rows, step)


def the_loop_itself(rows, worker, workers, rank, world_size):
    mine = []
    for row in range(rows):
        if row % (world_size * workers) == rank * workers + worker:
            mine.append(row)
    return torch.tensor(mine, dtype=torch.int64)


def rows_in_python(rows, block_rows, blocks):
    numbers = blocks.tolist()
    return torch.tensor(
        [r for b in numbers for r in range(b * block_rows, min((b + 1) * block_rows, rows))]
    )


def full(block_rows, blocks):
    return blocks[:, None] * block_rows + torch.arange(block_rows)


WRONG = {
    "07.1": [
        (mean_of_means, "as if all were of equal size"),
        (weighted_deviations, "standard deviations are averaged; that leaves out"),
        (weighted_variances, "leaves out how far the chunks' means are apart"),
        (finished(lambda n, m, v: (m, (v * n / (n - 1)).sqrt())), "rows less one"),
        (finished(lambda n, m, v: (m, v)), "the root is missing"),
        (finished(lambda n, m, v: (m, (v + m**2).sqrt())), "square is not subtracted"),
        (finished(lambda n, m, v: (m.float(), v.sqrt().float())), "expected torch.float64"),
        (finished(lambda n, m, v: m), "tuple of 2"),
        (finished(lambda n, m, v: (m.mean(), v.sqrt())), "one number for the whole batch"),
        (in_the_chunks_dtype, "in the chunk's own dtype"),
        (all_at_once, "an earlier chunk is still held"),
        (lambda chunks: sum(map(len, chunks)) / len(chunks), "has no len"),
        (only_the_last, "the values are not"),
        (row_by_row, "still loops over the rows of a chunk"),
        (numbers_by_python, "Python still loops over the rows of a chunk"),
        (finished(lambda n, m, v: (m, v.sqrt())), "the digits of the deviation are gone"),
        (unclamped, "with numbers so far from zero"),
    ],
    "07.2": [
        (lambda a: torch.tensor(a).permute(0, 3, 1, 2).float(), "byte order different"),
        (lambda a: torch.tensor(a).permute(0, 3, 1, 2), "dtype torch.uint8, expected"),
        (lambda a: torch.from_numpy(a).permute(0, 3, 1, 2).float(), "shares its memory"),
        (
            lambda a: torch.from_numpy(np.asarray(a, np.float32)).permute(0, 3, 1, 2),
            "shares its memory with the array",
        ),
        (
            lambda a: (
                torch.tensor(a.astype(a.dtype.newbyteorder("="), copy=False))
                .permute(0, 3, 1, 2)
                .float()
            ),
            "negative",
        ),
        (
            lambda a: (
                torch.tensor(np.ascontiguousarray(a).view(a.dtype.newbyteorder("=")))
                .permute(0, 3, 1, 2)
                .float()
            ),
            "the bytes are read in the wrong order",
        ),
        (lambda a: float32(a).reshape(len(a), a.shape[3], *a.shape[1:3]), "reshape keeps"),
        (float32, "in the wrong order"),
        (lambda a: float32(a).permute(0, 3, 2, 1), "in the wrong order; the batch comes first"),
        (lambda a: nchw(a) / 255, "divided by 255"),
        (lambda a: nchw(a).double(), "expected torch.float32"),
        (lambda a: nchw(a).flip(1), "channels come in the opposite order"),
        (lambda a: nchw(a.astype(np.int8)), "wrapped around"),
        (lambda a: a.astype(np.float32).transpose(0, 3, 1, 2), "expected is one tensor"),
        (changing, "has been changed"),
        (four_deep, "Python still loops over the photographs"),
        (photo_by_photo, "Python still loops over the photographs"),
        (row_after_row, "Python still loops over the rows of a photograph"),
        (one_by_one, "still loops over the photographs"),
    ],
    "07.3": [
        (lambda n, w, ws, r, rs: dealt(n, w, ws), "the rank is left out"),
        (lambda n, w, ws, r, rs: dealt(n, r, rs), "the worker is left out"),
        (lambda n, w, ws, r, rs: dealt(n, w * rs + r, ws * rs), "have changed places"),
        (lambda n, w, ws, r, rs: dealt(n, r + w, ws * rs), "rank and worker are added"),
        (lambda n, w, ws, r, rs: torch.arange(n), "reads all rows"),
        (
            lambda n, w, ws, r, rs: dealt(n - n % (ws * rs), r * ws + w, ws * rs),
            "are dropped",
        ),
        (
            lambda n, w, ws, r, rs: torch.arange(n).tensor_split(ws * rs)[r * ws + w],
            "neighbouring rows",
        ),
        (lambda n, w, ws, r, rs: torch.arange(r * ws + w, n, ws * rs), "inconsistent"),
        (lambda n, w, ws, r, rs: list(range(r * ws + w, n, ws * rs)), "expected is one tensor"),
        (
            lambda n, w, ws, r, rs: torch.tensor(list(range(r * ws + w, n, ws * rs))).int(),
            "and torch.int64",
        ),
        (
            lambda n, w, ws, r, rs: torch.tensor(list(range(r * ws + w, n, ws * rs))),
            "and torch.int64",
        ),
        (lambda n, w, ws, r, rs: dealt(n, r * ws + w, ws + rs), "samples differ"),
        (lambda n, w, ws, r, rs: torch.arange(r * ws + w, n + 6, ws * rs), "there are 20"),
        (the_loop_itself, "Python still loops over the rows"),
        (
            lambda n, w, ws, r, rs: torch.tensor(
                [row for row in range(n) if row % (ws * rs) == r * ws + w], dtype=torch.int64
            ),
            "Python still loops over the rows",
        ),
    ],
    "07.4": [
        (lambda n, b, i: full(b, i).flatten(), "right number of dimensions"),
        (lambda n, b, i: full(b, i).flatten()[:n], "runs on beyond the last row"),
        (lambda n, b, i: full(b, i).flatten().clamp(max=n - 1), "not the right sizes"),
        (lambda n, b, i: full(b, i[i < n // b]).flatten(), "not the right sizes"),
        (lambda n, b, i: torch.arange(n), "in the file's order"),
        (lambda n, b, i: torch.cat([torch.arange(n).split(b)[k] for k in i]), "still loops"),
        (lambda n, b, i: (p := full(b, i).T.flatten())[p < n], "take turns"),
        (lambda n, b, i: (p := full(b, i).flip(1).flatten())[p < n], "opposite order"),
        (lambda n, b, i: i * b, "not the right sizes"),
        (lambda n, b, i: (i[:, None] + torch.arange(b)).flatten()[:n], "taken for its first row"),
        (lambda n, b, i: torch.randperm(n).int(), "expected torch.int64"),
        (rows_in_python, "Python still loops over the rows of a block"),
        (
            lambda n, b, i: torch.cat([torch.arange(k * b, min((k + 1) * b, n)) for k in i.tolist()]),
            "still loops over the blocks",
        ),
    ],
}
