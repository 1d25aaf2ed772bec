"""Lesson 04, what a sample is and how samples become a batch: exercises 04.1 and 04.2."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from utils.exercises.exercise import Exercise, grown
from utils.exercises.inputs import labels, scans, uniform
from utils.measuring.agreement import kind

_random = torch.Generator().manual_seed(4)
_rand = partial(uniform, _random)
_scans = partial(scans, _random)
_labels = partial(labels, _random)


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
}
