"""Typical wrong answers to the exercises of lesson 06, each with words its hint must hold."""

import numpy as np
import torch
from torch.utils.data import Dataset


def scans(item, length=lambda self: len(self.images)):
    """A `Dataset` with this ``item(images, labels, indices)`` and this length."""

    class Scans(Dataset):
        def __init__(self, images, labels):
            self.images, self.labels = images, labels

        __len__ = length

        def __getitem__(self, indices):
            return item(self.images, self.labels, indices)

    return Scans


class NoLength(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __getitem__(self, indices):
        return fetched(self.images, indices), self.labels[indices]


class OnlyGetItems(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitems__(self, indices):
        return fetched(self.images, indices), self.labels[indices]

    def __getitem__(self, index):
        return self.images[index].float() / 16, self.labels[index]


def fetched(images, indices):
    return images[indices].unsqueeze(1).float() / 16


def fetch_in_a_loop(images, labels, indices):
    batch = [images[index].unsqueeze(0).float() / 16 for index in indices]
    return torch.stack(batch) if batch else fetched(images, indices), labels[indices]


def a_list_of_samples(images, labels, indices):
    return [(images[index].unsqueeze(0).float() / 16, labels[index]) for index in indices]


def by_numbers(images, labels, indices):
    """No PyTorch call for each sample, but a turn of Python."""
    rows, chosen = images.numpy(), indices.numpy()
    batch = np.stack([rows[index] for index in chosen])
    return torch.from_numpy(batch).unsqueeze(1).float() / 16, labels[indices]


def joined(texts):
    return torch.tensor(list("".join(texts).encode()), dtype=torch.uint8)


def running(lengths):
    return torch.tensor([0, *lengths]).cumsum(0)


def byte_lengths(texts):
    return [len(text.encode()) for text in texts]


def pack_in_a_loop(texts):
    parts = [torch.tensor(list(text.encode()), dtype=torch.uint8) for text in texts]
    return torch.cat(parts), running(map(len, parts))


def pack_fixed_width(texts):
    width = max(byte_lengths(texts))
    padded = b"".join(text.encode().ljust(width) for text in texts)
    return torch.tensor(list(padded), dtype=torch.uint8), torch.arange(len(texts) + 1) * width


def chunked(
    order=lambda n, g: torch.randperm(n, generator=g),
    mix=lambda n, g: torch.randperm(n, generator=g),
    cut=lambda rows, size: rows.split(size),
):
    def batches(data, batch_size, chunk_rows, seed):
        generator = torch.Generator().manual_seed(seed)
        parts = data.split(chunk_rows) if len(data) else ()
        found = []
        for chunk in order(len(parts), generator):
            found += cut(parts[chunk][mix(len(parts[chunk]), generator)], batch_size)
        return found

    return batches


def one_permutation(data, batch_size, chunk_rows, seed):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=generator)
    return list(data[order].split(batch_size)) if len(data) else []


def across_chunks(data, batch_size, chunk_rows, seed):
    batches = chunked()(data, batch_size, chunk_rows, seed)
    return list(torch.cat(batches).split(batch_size)) if batches else []


def globally(data, batch_size, chunk_rows, seed):
    torch.manual_seed(seed)
    return chunked(lambda n, g: torch.randperm(n), lambda n, g: torch.randperm(n))(
        data, batch_size, chunk_rows, seed
    )


def seeded_again(data, batch_size, chunk_rows, seed):
    def mix(n, generator):
        return torch.randperm(n, generator=generator.manual_seed(seed))

    return chunked(mix=mix)(data, batch_size, chunk_rows, seed)


def without_the_end(data, batch_size, chunk_rows, seed):
    whole = len(data) // chunk_rows * chunk_rows
    return chunked()(data[:whole], batch_size, chunk_rows, seed)


def with_an_empty_chunk(data, batch_size, chunk_rows, seed):
    generator = torch.Generator().manual_seed(seed)
    parts, found = data.split(chunk_rows), []
    for chunk in torch.randperm(len(parts), generator=generator):
        order = torch.randperm(len(parts[chunk]), generator=generator)
        found += parts[chunk][order].split(batch_size)
    return found


def chunk_batches_in_a_loop(data, batch_size, chunk_rows, seed):
    def cut(rows, size):
        return [torch.stack([part[i] for i in range(len(part))]) for part in rows.split(size)]

    return chunked(cut=cut)(data, batch_size, chunk_rows, seed)


def rows_by_python(data, batch_size, chunk_rows, seed):
    def cut(rows, size):
        numbers = rows.tolist()
        made = [[numbers[i] for i in range(s, min(s + size, len(rows)))]
                for s in range(0, len(rows), size)]
        return [torch.tensor(batch, dtype=data.dtype) for batch in made]

    return chunked(cut=cut)(data, batch_size, chunk_rows, seed)


def in_place(data, batch_size, chunk_rows, seed):
    generator = torch.Generator().manual_seed(seed)
    parts = data.split(chunk_rows) if len(data) else ()
    found = []
    for chunk in torch.randperm(len(parts), generator=generator):
        part = parts[chunk]
        part[:] = part[torch.randperm(len(part), generator=generator)]
        found += part.split(batch_size)
    return found


WRONG = {
    "06.1": [
        (NoLength, "has no len()"),
        (scans(fetch_in_a_loop), "still loops over the indices"),
        (scans(a_list_of_samples), "expected a tuple of images and labels"),
        (OnlyGetItems, "expected (5, 1, 8, 8)"),
        (scans(lambda x, y, i: (x[i].float() / 16, y[i])), "dimension of size 1 too few"),
        (scans(lambda x, y, i: (x[i].unsqueeze(0).float() / 16, y[i])), "the batch comes first"),
        (scans(lambda x, y, i: (x[i].unsqueeze(-1).float() / 16, y[i])), "wrong order"),
        (scans(lambda x, y, i: (fetched(x, i) * 16, y[i])), "still run to 16"),
        (scans(lambda x, y, i: (fetched(x, i) * 16 / 255, y[i])), "divides by 255"),
        (scans(lambda x, y, i: (x[i].unsqueeze(1) / 16, y[i])), "expected torch.float32"),
        (scans(lambda x, y, i: (fetched(x, i), y)), "for 'labels' shape (7,), expected (5,)"),
        (scans(lambda x, y, i: (fetched(x, i), y[: len(i)])), "they need the indices, too"),
        (
            scans(lambda x, y, i: (fetched(x, torch.arange(len(i))), y[: len(i)])),
            "the first samples of the data set",
        ),
        (
            scans(lambda x, y, i: (fetched(x, i.sort().values), y[i.sort().values])),
            "sorted by index",
        ),
        (scans(lambda x, y, i: (fetched(x, i.sort().values), y[i])), "the values are not"),
        (scans(lambda x, y, i: fetched(x, i)), "expected a tuple of images and labels"),
        (scans(lambda x, y, i: (fetched(x, i[0]), y[i[0]])), "one for each index"),
        (scans(lambda x, y, i: None), "a batch is None"),
        (
            scans(lambda x, y, i: (fetched(x, i) * 16 / fetched(x, i).max() / 16, y[i])),
            "its own largest value",
        ),
        (scans(by_numbers), "Python still loops over the indices"),
        (scans(lambda x, y, i: (fetched(x, i[:1]).expand(len(i), -1, -1, -1), y[i])), "values"),
        (
            scans(lambda x, y, i: (torch.stack([fetched(x, i)[n] for n in range(len(i))]), y[i])),
            "still loops over the indices",
        ),
    ],
    "06.2": [
        (lambda texts: (joined(texts), running(map(len, texts))), "the offsets count characters"),
        (lambda texts: (joined(texts), torch.tensor([0, *byte_lengths(texts)])), "the lengths"),
        (
            lambda texts: (joined(texts), running(byte_lengths(texts))[1:]),
            "index 1 shape (3,), expected (4,)",
        ),
        (
            lambda texts: (joined(texts), running(byte_lengths(texts))[:-1]),
            "index 1 shape (3,), expected (4,)",
        ),
        (
            lambda texts: (joined(texts).char(), running(byte_lengths(texts))),
            "torch.int8, expected torch.uint8",
        ),
        (
            lambda texts: (joined(texts).long(), running(byte_lengths(texts))),
            "torch.int64, expected torch.uint8",
        ),
        (
            lambda texts: (joined(texts), running(byte_lengths(texts)).int()),
            "torch.int32, expected torch.int64",
        ),
        (
            lambda texts: (
                torch.tensor([ord(c) for text in texts for c in text], dtype=torch.uint8),
                running(map(len, texts)),
            ),
            "several bytes",
        ),
        (pack_fixed_width, "expected (16,)"),
        (
            lambda texts: (
                joined([text.strip() for text in texts]),
                running(byte_lengths([text.strip() for text in texts])),
            ),
            "names that end in spaces",
        ),
        (
            lambda texts: (joined(sorted(texts)), running(byte_lengths(sorted(texts)))),
            "in another order: sorted",
        ),
        (
            lambda texts: (joined(texts), running(byte_lengths(texts)) + 1),
            "the offsets start at 1",
        ),
        (
            lambda texts: (
                torch.frombuffer(bytearray("".join(texts).encode()), dtype=torch.uint8),
                running(byte_lengths(texts)),
            ),
            "with nothing but an empty string it stops with ValueError",
        ),
        (lambda texts: joined(texts), "expected is a tuple of 2"),
        (pack_in_a_loop, "still loops over the strings"),
        (
            lambda texts: (joined(texts[::-1]), running(byte_lengths(texts[::-1]))),
            "in the opposite order",
        ),
        (
            lambda texts: (joined(texts), running(byte_lengths(texts)) + torch.arange(len(texts) + 1)),
            "a separator in it",
        ),
        (
            lambda texts: (
                torch.tensor(list("".join(texts).encode("utf-16-le")), dtype=torch.uint8),
                running(len(text.encode("utf-16-le")) for text in texts),
            ),
            "expected (16,)",
        ),
    ],
    "06.3": [
        (chunked(order=lambda n, g: range(n)), "the chunks come in their own order"),
        (chunked(mix=lambda n, g: torch.arange(n)), "the rows of a chunk stay in their order"),
        (
            chunked(order=lambda n, g: range(n), mix=lambda n, g: torch.arange(n)),
            "chunks and rows stay in their order",
        ),
        (one_permutation, "the form is right and the values are not"),
        (across_chunks, "with a short last chunk"),
        (globally, "everybody draws from"),
        (seeded_again, "seeded again for each chunk"),
        (without_the_end, "with a short last chunk"),
        (with_an_empty_chunk, "with no rows at all"),
        (lambda *given: tuple(chunked()(*given))[:-1], "expected is a list of 12"),
        (lambda *given: [batch.float() for batch in chunked()(*given)], "expected torch.int64"),
        (lambda *given: torch.cat(chunked()(*given)), "expected is a list of 12"),
        (in_place, "changes its input in place"),
        (chunk_batches_in_a_loop, "still loops over the rows of a batch"),
        (rows_by_python, "still loops over the rows of a batch"),
    ],
}
