"""The exercises of lesson 01: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown

_random = torch.Generator().manual_seed(1)


def _images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random images, with whole numbers from 0 to 255 if ``dtype`` is an integer."""
    return (torch.rand(shape, generator=_random) * 255).to(dtype)


def _to_batch(images: list[Tensor]) -> Tensor:
    batch = torch.empty(len(images), *images[0].shape, dtype=images[0].dtype)
    for index, image in enumerate(images):
        batch[index] = image
    return batch


def _standardise(images: Tensor) -> Tensor:
    result = torch.empty_like(images)
    for index, image in enumerate(images):
        result[index] = (image - image.mean()) / image.std(correction=0)
    return result


def _nearest(images: Tensor, templates: Tensor) -> Tensor:
    result = torch.empty(len(images), dtype=torch.int64)
    for index, image in enumerate(images):
        distances = []
        for template in templates:
            distances.append(((image.float() - template.float()) ** 2).sum().item())
        result[index] = distances.index(min(distances))
    return result


def _near(count: int, templates: int) -> tuple[Tensor, Tensor]:
    """Images that are each much nearer to one of the templates than to the others."""
    patterns = _images(templates, 4, 6)
    chosen = torch.randint(templates, (count,), generator=_random)
    return patterns[chosen] + _images(count, 4, 6) / 10, patterns


def _squares(images: Tensor, templates: Tensor) -> Tensor:
    return (images.float()[:, None] - templates.float()) ** 2


EXERCISES = {
    "01.1": Exercise(
        loop=_to_batch,
        cases={
            "five images of 4 × 6 pixels": (list(_images(5, 4, 6)),),
            "five images of 5 × 5 pixels": (list(_images(5, 5, 5)),),
            "a list of one image": (list(_images(1, 4, 6)),),
            "integer images (uint8)": (list(_images(3, 4, 6, dtype=torch.uint8)),),
            "float64 images": (list(_images(3, 4, 6, dtype=torch.float64)),),
            "images that are not contiguous": (list(_images(3, 6, 4).transpose(1, 2)),),
        },
        growing={"images": grown(lambda n: (list(_images(n, 4, 6)),))},
        mistakes={
            "image i is at [:, :, i] and not at [i]: the batch is the last dimension": (
                lambda images: torch.stack(images, dim=-1)
            ),
            "image i is at [:, i] and not at [i]: the batch is the second dimension": (
                lambda images: torch.stack(images, dim=1)
            ),
            "the images come in the opposite order": lambda images: torch.stack(images[::-1]),
            "every image is a copy of the first": (
                lambda images: torch.stack(images[:1] * len(images))
            ),
            "rows and columns of each image have changed places": (
                lambda images: torch.stack(images).transpose(1, 2)
            ),
        },
    ),
    "01.2": Exercise(
        loop=_standardise,
        cases={
            "eight images of 8 × 8 pixels": (_images(8, 8, 8),),
            "five images of 4 × 6 pixels": (_images(5, 4, 6),),
            "a batch of one": (_images(1, 4, 6),),
            "a short last batch, of two": (_images(2, 8, 8),),
            "float64 images": (_images(5, 4, 6, dtype=torch.float64),),
            "images that are not contiguous": (_images(4, 6, 5).permute(2, 0, 1),),
            "images of so little contrast that a small number added to the deviation shows": (
                _images(4, 6, 6) * 4e-6,
            ),
        },
        growing={"images": grown(lambda n: (_images(n, 8, 8),))},
        mistakes={
            "one mean and one standard deviation serve the whole batch; each image has its own": (
                lambda x: (x - x.mean()) / x.std(correction=0)
            ),
            "one mean and one standard deviation serve the whole batch; each image has its own "
            "(and the loop says correction=0)": lambda x: (x - x.mean()) / x.std(),
            "mean and standard deviation run over the batch, at each pixel, not over each image "
            "(and the loop says correction=0)": lambda x: (x - x.mean(dim=0)) / x.std(dim=0),
            "the mean of image i is taken from column i of every image: without keepdim the (N,) "
            "means are lined up with the last dimension (and the loop says correction=0)": (
                lambda x: (x - x.mean(dim=(1, 2))) / x.std(dim=(1, 2))
            ),
            "the means meet their images, but without keepdim the standard deviations are lined up "
            "with the last dimension": (
                lambda x: (x - x.mean(dim=(1, 2), keepdim=True)) / x.std(dim=(1, 2), correction=0)
            ),
            "mean and standard deviation run over the batch, at each pixel, not over each image": (
                lambda x: (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
            ),
            "the mean of image i is taken from column i of every image: without keepdim the (N,) "
            "means are lined up with the last dimension, not with the first": (
                lambda x: (x - x.mean(dim=(1, 2))) / x.std(dim=(1, 2), correction=0)
            ),
            "mean and standard deviation are those of each row; they belong to the image": (
                lambda x: (
                    (x - x.mean(dim=2, keepdim=True)) / x.std(dim=2, keepdim=True, correction=0)
                )
            ),
            "mean and standard deviation are those of each column; they belong to the image": (
                lambda x: (
                    (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, keepdim=True, correction=0)
                )
            ),
            "the standard deviation divides by one less than the number of pixels; the loop says "
            "correction=0": (
                lambda x: (x - x.mean(dim=(1, 2), keepdim=True)) / x.std(dim=(1, 2), keepdim=True)
            ),
            "the mean is subtracted, but nothing is divided by the standard deviation": (
                lambda x: x - x.mean(dim=(1, 2), keepdim=True)
            ),
            "it divides by the variance, not by the standard deviation": (
                lambda x: (
                    (x - x.mean(dim=(1, 2), keepdim=True))
                    / x.var(dim=(1, 2), keepdim=True, correction=0)
                )
            ),
        },
    ),
    "01.3": Exercise(
        loop=_nearest,
        cases={
            "seven images and four templates": (_images(7, 4, 6), _images(4, 4, 6)),
            "as many images as templates": (_images(8, 8, 8), _images(8, 8, 8)),
            "a batch of one": (_images(1, 4, 6), _images(4, 4, 6)),
            "a single template": (_images(5, 4, 6), _images(1, 4, 6)),
            "integer images (uint8)": (
                _images(9, 4, 6, dtype=torch.uint8),
                _images(5, 4, 6, dtype=torch.uint8),
            ),
            "images that are not contiguous": (_images(4, 6, 7).permute(2, 0, 1), _images(5, 4, 6)),
        },
        growing={
            "images": grown(lambda n: _near(n, 3)),
            "templates": grown(lambda n: _near(4, n)),
        },
        mistakes={
            "it finds the farthest template, not the nearest": (
                lambda x, t: _squares(x, t).sum(dim=(2, 3)).argmax(dim=1)
            ),
            "differences of opposite sign cancel: they have to be squared before they are added": (
                lambda x, t: (x.float()[:, None] - t.float()).sum(dim=(2, 3)).argmin(dim=1)
            ),
            "differences below zero wrap around in uint8 (3 - 5 is 254): change the dtype first": (
                lambda x, t: ((x[:, None] - t) ** 2).sum(dim=(2, 3)).argmin(dim=1)
            ),
            "differences below zero wrap around in uint8 (3 - 5 is 254): change the dtype before "
            "the subtraction, not after it": (
                lambda x, t: ((x[:, None] - t).float() ** 2).sum(dim=(2, 3)).argmin(dim=1)
            ),
            "it finds the nearest image for each template, not the nearest template for each "
            "image": lambda x, t: _squares(x, t).sum(dim=(2, 3)).argmin(dim=0),
            "absolute differences are added; the loop adds their squares": (
                lambda x, t: _squares(x, t).sqrt().sum(dim=(2, 3)).argmin(dim=1)
            ),
            "image i is compared with template i alone; every image meets every template": (
                lambda x, t: ((x - t) ** 2).sum(dim=(1, 2)).argmin().expand(len(x))
            ),
        },
    ),
}
