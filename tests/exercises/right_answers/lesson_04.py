"""Answers to lesson 04 that differ from the solutions, and are as right."""

import torch
from torch.utils.data import Dataset, StackDataset, TensorDataset, default_collate


class Eager:
    def __init__(self, images, labels):
        self.images, self.labels = images.float()[:, None] / 16, labels

    def __len__(self):
        return self.labels.shape[0]

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


class InNumPy(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images.numpy(), labels.numpy()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index].copy()).float().div(16).unsqueeze(0)
        return image, torch.tensor(self.labels[index])


def good(samples):
    return [sample for sample in samples if sample is not None]


def by_list(samples):
    images, labels, weights = [], [], []
    for sample in samples:
        if sample is None:
            continue
        image, label, weight = sample
        images.append(image)
        labels.append(label)
        weights.append(weight)
    return {
        "image": torch.stack(images),
        "label": torch.as_tensor(labels),
        "weight": torch.as_tensor(weights, dtype=torch.float32),
    }


def by_default(samples):
    batch = default_collate(
        [{"image": i, "label": label, "weight": w} for i, label, w in good(samples)]
    )
    return {**batch, "weight": batch["weight"].float()}


def order(samples, seed):
    return torch.randperm(samples, generator=torch.Generator().manual_seed(seed))


def by_slices(samples, batch_size, seed, epoch, drop_last):
    indices = order(samples, seed + epoch)
    stop = samples - samples % batch_size if drop_last else samples
    return [indices[start : start + batch_size] for start in range(0, stop, batch_size)]


def by_lists(samples, batch_size, seed, epoch, drop_last):
    indices = order(samples, seed + epoch).tolist()
    batches = [indices[i : i + batch_size] for i in range(0, samples, batch_size)]
    return [torch.tensor(b) for b in batches if len(b) == batch_size or not drop_last]


def by_split(samples, batch_size, seed, epoch, drop_last):
    batches = order(samples, seed + epoch).split(batch_size)
    return tuple(batch for batch in batches if len(batch) == batch_size or not drop_last)


def forked(samples, batch_size, seed, epoch, drop_last):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + epoch)
        indices = torch.randperm(samples)
    batches = list(indices.split(batch_size))
    return batches[: samples // batch_size] if drop_last else batches


def counted(losses, counts):
    real = counts > 0
    return (losses[real] * counts[real]).sum() / counts.sum()


RIGHT = {
    "04.1": [
        Eager,
        InNumPy,
        lambda images, labels: TensorDataset((images.float() / 16).unsqueeze(1), labels),
        lambda images, labels: StackDataset(images.unsqueeze(1).to(torch.float32) / 16, labels),
        lambda images, labels: list(zip(images[:, None].float() / 16, labels, strict=True)),
    ],
    "04.2": [by_list, by_default],
    "04.3": [
        counted,
        lambda losses, counts: (
            losses.masked_fill(counts == 0, 0) @ counts.to(losses.dtype) / counts.sum()
        ),
        lambda losses, counts: torch.where(counts == 0, 0, losses * counts).sum() / counts.sum(),
        lambda losses, counts: (
            (losses.masked_select(counts > 0) * counts.masked_select(counts > 0)).sum()
            / counts.sum()
        ),
    ],
    "04.4": [by_slices, by_lists, by_split, forked],
}
