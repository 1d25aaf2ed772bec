"""Typical wrong answers to the exercises of lesson 04, each with words its hint must hold."""

import torch
from torch.utils.data import DataLoader, Dataset, default_collate


def scans(item, length=lambda self: len(self.images)):
    """A `Dataset` with this ``item(images, labels, index)`` and this length."""

    class Scans(Dataset):
        def __init__(self, images, labels):
            self.images, self.labels = images, labels

        __len__ = length

        def __getitem__(self, index):
            return item(self.images, self.labels, index)

    return Scans


class NoIndex(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self):
        return self.images[0][None].float() / 16, self.labels[0]


class NoLength(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __getitem__(self, index):
        return right(self.images, self.labels, index)


class InPlace(NoLength):
    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index][None].float().div_(16), self.labels[index]


def right(images, labels, index):
    return images[index].unsqueeze(0).float() / 16, labels[index]


def good(samples):
    return [sample for sample in samples if sample is not None]


def columns(samples):
    return zip(*good(samples), strict=True)


def batch(samples, **changes):
    image, label, weight = columns(samples)
    made = {
        "image": torch.stack(image),
        "label": torch.tensor(label),
        "weight": torch.tensor(weight),
    }
    return {**made, **{name: change(made) for name, change in changes.items()}}


def collate_default(samples):
    image, label, weight = default_collate(good(samples))
    return {"image": image, "label": label, "weight": weight}


def zeros_for_none(samples):
    size = good(samples)[0][0].shape
    return batch([sample or (torch.zeros(size), 0, 0.0) for sample in samples])


def collate_in_a_loop(samples):
    image, label, weight = columns(samples)
    image = torch.cat([one.unsqueeze(0) for one in image])
    return {"image": image, "label": torch.tensor(label), "weight": torch.tensor(weight)}


def in_numbers(losses, counts):
    pairs = zip(losses.tolist(), counts.tolist(), strict=True)
    total = sum(loss * count for loss, count in pairs if count)
    return torch.tensor(total / int(counts.sum()), dtype=losses.dtype)


def running(losses, counts):
    totals = [loss * count for loss, count in zip(losses, counts, strict=True) if count]
    return torch.stack(totals).sum() / counts.sum()


def order(samples, seed):
    return torch.randperm(samples, generator=torch.Generator().manual_seed(seed))


def batches(indices, batch_size, drop_last):
    made = list(indices.split(batch_size))
    return made[:-1] if drop_last and len(made[-1]) < batch_size else made


def globally(n, b, seed, epoch, drop):
    torch.manual_seed(seed + epoch)
    return batches(torch.randperm(n), b, drop)


def by_loader(n, b, seed, epoch, drop):
    generator = torch.Generator().manual_seed(seed + epoch)
    return list(DataLoader(range(n), b, shuffle=True, drop_last=drop, generator=generator))


def index_by_index(n, b, seed, epoch, drop):
    """The exercise's own loop."""
    found, batch = [], []
    for index in order(n, seed + epoch).tolist():
        batch.append(index)
        if len(batch) == b:
            found.append(torch.tensor(batch))
            batch = []
    if batch and not drop:
        found.append(torch.tensor(batch))
    return found


def tensor_by_tensor(n, b, seed, epoch, drop):
    indices = order(n, seed + epoch)
    stop = n - n % b if drop else n
    return [torch.stack([i for i in indices[s : s + b]]) for s in range(0, stop, b)]


def permuted_twice(n, b, seed, epoch, drop):
    return batches(order(n, seed + epoch)[order(n, seed + epoch)], b, drop)


class NoItem(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)


WRONG = {
    "04.1": [
        (NoItem, "should implement __getitem__"),
        (NoIndex, "takes 1 positional argument but 2 were given"),
        (NoLength, "has no len()"),
        (scans(lambda x, y, i: (x[i][None].float(), y[i])), "still run to 16"),
        (scans(lambda x, y, i: (x[i][None] / 255, y[i])), "divides by 255"),
        (scans(lambda x, y, i: (x[i].float() / 16, y[i])), "has shape (8, 8), expected (1, 8, 8)"),
        (
            scans(lambda x, y, i: (x[i, ..., None].float() / 16, y[i])),
            "has shape (8, 8, 1), expected",
        ),
        (scans(lambda x, y, i: (x[i][None].float() / 16, y)), "for 'labels' shape"),
        (scans(lambda x, y, i: (x[i][None].float() / 16, y[0])), "label of the first"),
        (scans(lambda x, y, i: right(x, y, 0)), "every sample is the first one"),
        (scans(lambda x, y, i: right(x, y, i)[0]), "expected a tuple of image and label"),
        (scans(lambda x, y, i: (x[i][None] / 16, y[i])), "expected torch.float32"),
        (scans(right, lambda self: len(self.images) - 1), "len(dataset) is 6, expected 7"),
        (
            scans(lambda x, y, i: (x[i][None].float() / x[i].max(), y[i])),
            "its own largest value",
        ),
        (scans(lambda x, y, i: None), "dataset[0] is None"),
    ],
    "04.2": [
        (
            lambda samples: batch(samples, label=lambda b: b["label"].float()),
            "dtype torch.float32, expected torch.int64",
        ),
        (collate_default, "dtype torch.float64, expected torch.float32"),
        (lambda samples: default_collate(good(samples)), "expected is a dict of"),
        (
            lambda samples: (
                batch([*samples, None]) if None not in samples else collate_default(samples)
            ),
            "expected torch.float32",
        ),
        (zeros_for_none, "with a sample that is None"),
        (
            lambda samples: {
                "image": torch.stack([s[0] for s in samples]),
                "label": torch.tensor([s[1] for s in samples]),
                "weight": torch.tensor([s[2] for s in samples]),
            },
            "NoneType",
        ),
        (lambda samples: batch(samples, label=lambda b: b["label"].int()), "torch.int32"),
        (lambda samples: batch(samples, image=lambda b: b["image"].flip(0)), "another's label"),
        (
            lambda samples: batch(samples, image=lambda b: b["image"].unsqueeze(1)),
            "of size 1 too many",
        ),
        (
            lambda samples: batch(samples, weight=lambda b: b["weight"] / b["weight"].sum()),
            "add up to 1",
        ),
        (
            lambda samples: batch(samples, image=lambda b: b["image"].flatten(1)),
            "not a dimension for each thing",
        ),
        (lambda samples: batch(samples, image=lambda b: b["image"][0]), "batch dimension is gone"),
        (
            lambda samples: batch(
                samples, weight=lambda b: b["weight"][:1].expand(len(b["weight"]))
            ),
            "the first one's weight",
        ),
        (collate_in_a_loop, "still loops over the samples"),
        (
            lambda samples: batch(
                samples, label=lambda b: torch.stack([torch.tensor(s[1]) for s in good(samples)])
            ),
            "still loops over the samples",
        ),
        (lambda samples: None, "Is there a return"),
    ],
    "04.3": [
        (lambda losses, counts: losses.mean(), "the mean of the means"),
        (lambda losses, counts: (losses * counts).sum() / counts.sum(), "0 × NaN is NaN"),
        (lambda losses, counts: losses.nanmean(), "the mean of the means"),
        (lambda losses, counts: (losses * counts).nansum() / len(losses), "the number of batches"),
        (
            lambda losses, counts: (losses * counts).nansum() / (len(counts) * counts.max()),
            "as large as the largest",
        ),
        (lambda losses, counts: (losses * counts).nansum(), "not divided by anything"),
        (lambda losses, counts: losses.nansum() / counts.sum(), "without a weight"),
        (lambda losses, counts: losses * counts / counts.sum(), "expected ()"),
        (
            lambda losses, counts: ((losses * counts).nansum() / counts.sum()).item(),
            "expected is one tensor",
        ),
        (
            lambda losses, counts: ((losses * counts).nansum() / counts.sum()).float(),
            "expected torch.float64",
        ),
        (lambda losses, counts: losses.mul_(counts).nansum() / counts.sum(), "in place"),
        (lambda losses, counts: losses.nan_to_num(0) @ counts / counts.sum(), "RuntimeError"),
        (running, "still loops over the batches"),
        (lambda losses, counts: (losses * counts).nansum() / counts.sum(), "hides a loss"),
        (
            lambda losses, counts: (losses * counts).nan_to_num(0, 0, 0).sum() / counts.sum(),
            "hides a loss that became NaN",
        ),
        (
            lambda losses, counts: (losses[~losses.isnan()] * counts[~losses.isnan()]).sum()
            / counts.sum(),
            "hides a loss that became NaN",
        ),
        (in_numbers, "Python still loops over the batches"),
    ],
    "04.4": [
        (globally, "everybody draws from"),
        (lambda n, b, seed, epoch, drop: batches(torch.arange(n), b, drop), "nothing is shuffled"),
        (
            lambda n, b, seed, epoch, drop: batches(torch.randperm(n), b, drop),
            "the form is right and the values are not",
        ),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, seed), b, drop),
            "every epoch has the same order",
        ),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, epoch), b, drop),
            "every seed gives the same order",
        ),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, seed + epoch), b, False),
            "expected is a list of 2",
        ),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, seed + epoch), b, True),
            "expected is a list of 3",
        ),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, seed + epoch), b, drop)[: n // b],
            "expected is a list of 3",
        ),
        (
            lambda n, b, seed, epoch, drop: list(order(n, seed + epoch).split(b))[
                : -1 if drop else n
            ],
            "with batches that fill up, drop_last",
        ),
        (lambda n, b, seed, epoch, drop: order(n, seed + epoch), "expected is a list of 3"),
        (
            lambda n, b, seed, epoch, drop: [x.tolist() for x in batches(order(n, seed), b, drop)],
            "expected is one tensor",
        ),
        (index_by_index, "Python still loops over the samples of a batch"),
        (tensor_by_tensor, "still loops over the samples of a batch"),
        (permuted_twice, "the values are not"),
        (
            lambda n, b, seed, epoch, drop: batches(order(n, seed + epoch) + 1, b, drop),
            "start at 1",
        ),
        (
            lambda n, b, seed, epoch, drop: [
                x.sort().values for x in batches(order(n, seed + epoch), b, drop)
            ],
            "each batch is sorted",
        ),
        (by_loader, "draws a seed for its workers first"),
    ],
}
