"""The exercises of lesson 04: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from utils.exercises.exercise import Exercise, grown
from utils.measuring.agreement import kind

_random = torch.Generator().manual_seed(4)


def _scans(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randint(17, shape, generator=_random).to(dtype)


def _labels(samples: int) -> Tensor:
    return torch.randint(10, (samples,), generator=_random)


def _rand(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=_random, dtype=dtype)


def _samples(count: int, *shape: int, missing: tuple[int, ...] = ()) -> list[tuple | None]:
    samples = [(_rand(*shape), 9 - index % 10, 0.1 + index) for index in range(count)]
    return [None if index in missing else sample for index, sample in enumerate(samples)]


def _transposed(samples: list) -> list[tuple]:
    return [(image.T, label, weight) for image, label, weight in samples]


def _scan_list(images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    samples = []
    for image, label in zip(images, labels, strict=True):
        samples.append((image.unsqueeze(0).float() / 16, label))
    return samples


def _use_dataset(make: Callable, images: Tensor, labels: Tensor) -> object:
    """Everything that a loader and a reader ask of a data set."""
    dataset = make(images, labels)
    if len(dataset) != len(images):
        raise ValueError(f"len(dataset) is {len(dataset)}, expected {len(images)}")
    if not len(images):
        return torch.tensor(len(dataset))
    samples = [dataset[index] for index in range(len(images))]
    if not (isinstance(samples[0], tuple) and len(samples[0]) == 2):
        raise TypeError(f"dataset[0] is {kind(samples[0])}, expected a tuple of image and label")
    shape, expected = tuple(samples[0][0].shape), (1, *images.shape[1:])
    if shape != expected:
        raise ValueError(f"the image of dataset[0] has shape {shape}, expected {expected}")
    return {
        "images": torch.stack([image for image, _ in samples]),
        "labels": torch.stack([torch.as_tensor(label) for _, label in samples]),
        "batch": list(DataLoader(dataset, batch_size=3))[-1],
    }


class _Listed(Dataset):
    """A data set made from a list of samples."""

    def __init__(self, samples: list) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> object:
        return self.samples[index]


def _with_image(change: Callable) -> Callable:
    """A data set with ``change(image)`` in the place of image / 16."""
    return lambda images, labels: _Listed(
        [(change(image)[None].float(), label) for image, label in zip(images, labels, strict=True)]
    )


def _collate_loop(samples: list[tuple | None]) -> dict[str, Tensor]:
    good = [sample for sample in samples if sample is not None]
    batch = {
        "image": torch.empty(len(good), *good[0][0].shape),
        "label": torch.empty(len(good), dtype=torch.int64),
        "weight": torch.empty(len(good)),
    }
    for index, (image, label, weight) in enumerate(good):
        batch["image"][index] = image
        batch["label"][index] = label
        batch["weight"][index] = weight
    return batch


def _collate(samples: list[tuple | None], **changes: Callable) -> dict[str, Tensor]:
    """A batch with some of its columns changed."""
    batch = _collate_loop(samples)
    return {name: changes.get(name, lambda column: column)(batch[name]) for name in batch}


def _epoch_mean(losses: Tensor, counts: Tensor) -> Tensor:
    total = losses.new_zeros(())
    for loss, count in zip(losses, counts, strict=True):
        if count > 0:
            total += loss * count
    return total / counts.sum()


def _epoch_batches(
    samples: int, batch_size: int, seed: int, epoch: int, drop_last: bool
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed + epoch)
    batches, batch = [], []
    for index in torch.randperm(samples, generator=generator).tolist():
        batch.append(index)
        if len(batch) == batch_size:
            batches.append(torch.tensor(batch))
            batch = []
    if batch and not drop_last:
        batches.append(torch.tensor(batch))
    return batches


def _use_batches(answer: Callable, *settings: int) -> dict[str, object]:
    """The batches, and what everybody else's next random numbers come from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        found = answer(*settings)
        if isinstance(found, list | tuple):
            found = list(found)
        return {"batches": found, "others": torch.default_generator.get_state()}


def _ordered(order: Tensor, batch_size: int, drop_last: bool) -> list[Tensor]:
    batches = list(order.split(batch_size))
    return batches[:-1] if drop_last and len(order) % batch_size else batches


def _shuffled_globally(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    torch.manual_seed(seed + epoch)
    return _ordered(torch.randperm(n), b, drop)


def _permuted(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def _loader(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed + epoch)
    return list(
        DataLoader(_Listed(list(range(n))), b, shuffle=True, drop_last=drop, generator=generator)
    )


def _drawn_again(n: int, b: int, seed: int, epoch: int, drop: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epoch + 1):
        order = torch.randperm(n, generator=generator)
    return _ordered(order, b, drop)


EXERCISES = {
    "04.1": Exercise(
        loop=lambda images, labels: _Listed(_scan_list(images, labels)),
        use=_use_dataset,
        cases={
            "seven images of 8 × 8 pixels": (_scans(7, 8, 8), _labels(7)),
            "images of 4 × 6 pixels": (_scans(5, 4, 6), _labels(5)),
            "as many images as rows": (_scans(8, 8, 8), _labels(8)),
            "a single image": (_scans(1, 8, 8), _labels(1)),
            "uint8 images": (_scans(5, 4, 6, dtype=torch.uint8), _labels(5)),
            "float64 images": (_scans(5, 4, 6, dtype=torch.float64), _labels(5)),
            "images without much ink": (_scans(4, 4, 6) / 4, _labels(4)),
            "images that are not contiguous": (_scans(5, 6, 4).transpose(1, 2), _labels(5)),
            "no images at all": (_scans(0, 8, 8), _labels(0)),
        },
        mistakes={
            "the values still run to 16; the loop divides by 16": _with_image(lambda image: image),
            "it divides by 255, and the largest value is 16": _with_image(
                lambda image: image / 255
            ),
            "each image is divided by its own largest value; the loop divides by 16": _with_image(
                lambda image: image / image.max()
            ),
            "every sample is the first one; use the index": lambda images, labels: _Listed(
                [_scan_list(images, labels)[0]] * len(images)
            ),
            "every image has the label of the first; use the index": lambda images, labels: _Listed(
                [(image, labels[0]) for image, _ in _scan_list(images, labels)]
            ),
            "the labels belong to other images": lambda images, labels: _Listed(
                _scan_list(images, labels.roll(-1))
            ),
            "the samples come in the opposite order": lambda images, labels: _Listed(
                _scan_list(images.flip(0), labels.flip(0))
            ),
        },
    ),
    "04.2": Exercise(
        loop=_collate_loop,
        cases={
            "four samples": (_samples(4, 8, 8),),
            "a batch of one": (_samples(1, 8, 8),),
            "a sample that is None": (_samples(5, 8, 8, missing=(2,)),),
            "a first sample that is None": (_samples(5, 8, 8, missing=(0, 4)),),
            "one good sample among three": (_samples(3, 8, 8, missing=(0, 1)),),
            "images of 4 × 6 pixels": (_samples(6, 4, 6),),
            "images that are not contiguous": (_transposed(_samples(3, 6, 4)),),
            "images with a channel": (_samples(3, 1, 8, 8),),
        },
        growing={"samples": grown(lambda n: (_samples(n, 4, 6),))},
        mistakes={
            "the labels are not those of the samples": lambda s: _collate(
                s, label=lambda c: torch.arange(len(c))
            ),
            "label and weight have changed places": lambda s: {
                **(batch := _collate_loop(s)),
                "label": batch["weight"].long(),
                "weight": batch["label"].float(),
            },
            "every sample has the first one's weight": lambda s: _collate(
                s, weight=lambda c: c[:1].expand_as(c)
            ),
            "the weights lost their fractions on the way": lambda s: _collate(
                s, weight=torch.trunc
            ),
            "the weights are scaled to add up to 1; the loop keeps them": lambda s: _collate(
                s, weight=lambda c: c / c.sum()
            ),
            "every image is the first one": lambda s: _collate(
                s, image=lambda c: c[:1].expand_as(c)
            ),
            "the columns come in different orders: an image has another's label": (
                lambda s: _collate(s, image=lambda c: c.flip(0))
            ),
        },
    ),
    "04.3": Exercise(
        loop=_epoch_mean,
        cases={
            "batches of 4, 4 and 2": (
                torch.tensor([11.5, 12.28, 25.24]),
                torch.tensor([4, 4, 2]),
            ),
            "batches of equal size": (_rand(5), torch.full((5,), 32)),
            "57 batches, the last one short": (_rand(57), torch.tensor([32] * 56 + [5])),
            "one batch": (_rand(1), torch.tensor([3])),
            "a batch in which nothing counted": (
                torch.tensor([1.5, torch.nan, 0.25]),
                torch.tensor([6, 0, 2]),
            ),
            "float64 losses": (_rand(3, dtype=torch.float64), torch.tensor([5, 5, 1])),
            "a loss that became NaN where something counted": (
                torch.tensor([1.5, torch.nan, 0.25, torch.nan]),
                torch.tensor([6, 3, 2, 0]),
            ),
            "an infinite loss": (torch.tensor([1.5, torch.inf, 0.5]), torch.tensor([6, 3, 2])),
            "negative losses": (-_rand(3), torch.tensor([5, 5, 1])),
            "losses that are not contiguous": (_rand(8)[::2], torch.tensor([9, 9, 9, 2])),
        },
        growing={
            "batches": grown(
                lambda n: (_rand(n, dtype=torch.float64), torch.tensor([4] * (n - 1) + [2]))
            )
        },
        mistakes={
            "the NaN of the batch in which nothing counted goes into the total: 0 × NaN is NaN": (
                lambda losses, counts: (losses * counts).sum() / counts.sum()
            ),
            "it hides a loss that became NaN: leave out where nothing counted, not what is NaN": (
                lambda losses, counts: (losses * counts).nansum() / counts.sum()
            ),
            "it hides a loss that became NaN or infinite: leave out where nothing counted, not "
            "what is no number": (
                lambda losses, counts: losses.nan_to_num(0, 0, 0) @ counts.to(losses) / counts.sum()
            ),
            "this is the mean of the means, in which the elements of a short batch count more than "
            "the others": lambda losses, counts: losses.mean(),
            "this is the mean of the batches that counted, each with the same weight": (
                lambda losses, counts: losses.nanmean()
            ),
            "the total is divided by the number of batches, not by that of the elements": (
                lambda losses, counts: (losses * counts).nansum() / len(losses)
            ),
            "the total is divided as if every batch were as large as the largest": (
                lambda losses, counts: (losses * counts).nansum() / (counts.max() * len(counts))
            ),
            "this is the total, and not divided by anything": (
                lambda losses, counts: (losses * counts).nansum()
            ),
            "the means are added and divided by the number of elements, without a weight": (
                lambda losses, counts: losses.nansum() / counts.sum()
            ),
            "the short batch at the end is left out": (
                lambda losses, counts: (losses[:-1] * counts[:-1]).nansum() / counts[:-1].sum()
            ),
        },
    ),
    "04.4": Exercise(
        loop=_epoch_batches,
        use=_use_batches,
        cases={
            "ten samples in batches of 4": (10, 4, 0, 0, False),
            "ten samples in batches of 4, without the last": (10, 4, 0, 0, True),
            "another seed": (10, 4, 7, 0, False),
            "another epoch": (10, 4, 0, 3, False),
            "seed and epoch": (23, 5, 11, 2, True),
            "batches that fill up, drop_last": (12, 4, 1, 1, True),
            "batches of one": (5, 1, 1, 2, False),
            "fewer samples than a batch": (3, 8, 1, 2, False),
            "fewer samples than a batch, drop_last": (3, 8, 1, 2, True),
        },
        growing={"samples of a batch": grown(lambda n: (2 * n + 3, n, 0, 0, False))},
        mistakes={
            "it seeds the generator that everybody draws from; make one of your own": (
                _shuffled_globally
            ),
            "nothing is shuffled": lambda n, b, seed, epoch, drop: _ordered(
                torch.arange(n), b, drop
            ),
            "every epoch has the same order; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed), b, drop)
            ),
            "every seed gives the same order; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, epoch), b, drop)
            ),
            "seed and epoch are multiplied; the seed is seed + epoch": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed * epoch), b, drop)
            ),
            "the epochs are drawn one after the other from one generator, so an epoch depends on "
            "those before it; the seed is seed + epoch": _drawn_again,
            "this is the order of a DataLoader, which draws a seed for its workers first": _loader,
            "each batch is sorted": lambda n, b, seed, epoch, drop: [
                batch.sort().values for batch in _ordered(_permuted(n, seed + epoch), b, drop)
            ],
            "the indices start at 1; the first sample is number 0": (
                lambda n, b, seed, epoch, drop: _ordered(_permuted(n, seed + epoch) + 1, b, drop)
            ),
        },
    ),
}
