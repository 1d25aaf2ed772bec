"""Answers to lesson 06 that differ from the solutions, and are as right."""

import itertools

import torch
from torch.utils.data import Dataset, TensorDataset


class InNumPy(Dataset):
    """Keeps the rows in NumPy, as a memory map would, and gives out tensors."""

    def __init__(self, images, labels):
        self.images, self.labels = images.numpy(), labels.numpy()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, indices):
        indices = indices.numpy()
        images = torch.from_numpy(self.images[indices]).unsqueeze(1).float() / 16
        return images, torch.from_numpy(self.labels[indices])


class Indexed:
    def __init__(self, images, labels):
        self.images, self.labels = images[:, None], labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, indices):
        return self.images[indices].to(torch.float32).div_(16), self.labels[indices]


def by_accumulate(texts):
    data = [text.encode("utf-8") for text in texts]
    joined = b"".join(data)
    buffer = torch.zeros(len(joined), dtype=torch.uint8)
    if joined:
        buffer = torch.frombuffer(bytearray(joined), dtype=torch.uint8)
    return buffer, torch.tensor(list(itertools.accumulate(map(len, data), initial=0)))


def by_numbers(texts):
    lengths = torch.tensor([len(text.encode()) for text in texts])
    buffer = torch.tensor([byte for text in texts for byte in text.encode()], dtype=torch.uint8)
    return buffer, torch.nn.functional.pad(lengths.cumsum(0), (1, 0))


def by_lists(data, batch_size, chunk_rows, seed):
    """The same with the chunks' numbers as a list."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for chunk in torch.randperm(-(-len(data) // chunk_rows), generator=generator).tolist():
        rows = data[chunk * chunk_rows : (chunk + 1) * chunk_rows]
        rows = rows[torch.randperm(len(rows), generator=generator)]
        batches.extend(rows[i : i + batch_size] for i in range(0, len(rows), batch_size))
    return batches


def by_indices(data, batch_size, chunk_rows, seed):
    """Splits the indices, and fetches each batch by itself."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for chunk in torch.randperm(-(-len(data) // chunk_rows), generator=generator):
        start = int(chunk) * chunk_rows
        rows = min(chunk_rows, len(data) - start)
        order = torch.randperm(rows, generator=generator) + start
        batches += [data[indices] for indices in order.split(batch_size)]
    return batches


RIGHT = {
    "06.1": [
        InNumPy,
        Indexed,
        lambda images, labels: TensorDataset(images.unsqueeze(1).float() / 16, labels),
    ],
    "06.2": [by_accumulate, by_numbers],
    "06.3": [by_lists, by_indices],
}
