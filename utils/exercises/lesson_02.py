"""The exercises of lesson 02: their loops, the inputs to try, and the mistakes people make."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise

_random = torch.Generator().manual_seed(2)


def _photos(*shape: int) -> Tensor:
    return torch.randint(256, shape, generator=_random, dtype=torch.uint8)


def _rand(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(shape, generator=_random, dtype=dtype)


def _labels(samples: int, classes: int) -> Tensor:
    return torch.randint(classes, (samples,), generator=_random)


def _masked(samples: int, classes: int) -> Tensor:
    scores = _rand(samples, classes)
    scores[:, 1] = -torch.inf
    return scores


def _to_nchw(photos: Tensor) -> Tensor:
    samples, height, width, channels = photos.shape
    result = torch.empty(samples, channels, height, width)
    for n, photo in enumerate(photos):
        for c in range(channels):
            result[n, c] = photo[:, :, c] / 255
    return result


def _per_sample_matvec(matrices: Tensor, vectors: Tensor) -> Tensor:
    result = torch.empty(matrices.shape[:2], dtype=matrices.dtype)
    for b in range(len(matrices)):
        result[b] = matrices[b] @ vectors[b]
    return result


def _pick(scores: Tensor, labels: Tensor) -> Tensor:
    result = torch.empty(len(scores), dtype=scores.dtype)
    for n, label in enumerate(labels):
        result[n] = scores[n, label]
    return result


EXERCISES = {
    "02.1": Exercise(
        loop=_to_nchw,
        cases={
            "five photographs of 4 × 6 pixels": (_photos(5, 4, 6, 3),),
            "square photographs of 5 × 5 pixels": (_photos(2, 5, 5, 3),),
            "photographs of 3 × 3 pixels": (_photos(4, 3, 3, 3),),
            "a batch of one": (_photos(1, 4, 6, 3),),
            "grey photographs, with one channel": (_photos(3, 4, 6, 1),),
            "four channels": (_photos(3, 4, 6, 4),),
            "dark photographs": (_photos(2, 4, 6, 3) // 8,),
            "photographs that are not contiguous": (_photos(3, 6, 4, 3).transpose(1, 2),),
            "an empty batch": (_photos(0, 4, 6, 3),),
        },
        growing={"photographs": ((_photos(2, 4, 6, 3),), (_photos(8, 4, 6, 3),))},
        mistakes={
            "reshape keeps the numbers in their order and regroups them, so pixels and channels "
            "are mixed: the dimensions have to be reordered": (
                lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]) / 255
            ),
            "reshape keeps the numbers in their order, so pixels and channels are mixed (and "
            "nothing is divided by 255)": (
                lambda x: x.reshape(len(x), x.shape[3], *x.shape[1:3]).float()
            ),
            "rows and columns of each photograph have changed places": (
                lambda x: x.permute(0, 3, 2, 1) / 255
            ),
            "the dimensions are still those of the input, with the channels last": (
                lambda x: x / 255
            ),
            "the values still run to 255; the loop divides by 255": (
                lambda x: x.permute(0, 3, 1, 2).float()
            ),
            "it divides by 256; the largest value is 255": lambda x: x.permute(0, 3, 1, 2) / 256,
            "it divides by the largest value of the batch, so what a value means depends on the "
            "other photographs; the loop divides by 255": (
                lambda x: x.permute(0, 3, 1, 2) / x.max()
            ),
            "whole-number division leaves only zeros and ones": (
                lambda x: (x.permute(0, 3, 1, 2) // 255).float()
            ),
            "the colours come in the opposite order": (
                lambda x: x.flip(-1).permute(0, 3, 1, 2) / 255
            ),
        },
    ),
    "02.2": Exercise(
        loop=_per_sample_matvec,
        cases={
            "five samples of 3 × 4": (_rand(5, 3, 4), _rand(5, 4)),
            "as many samples as columns": (_rand(4, 3, 4), _rand(4, 4)),
            "as many samples as rows": (_rand(3, 3, 4), _rand(3, 4)),
            "square matrices": (_rand(5, 4, 4), _rand(5, 4)),
            "samples, rows and columns all equal": (_rand(4, 4, 4), _rand(4, 4)),
            "a batch of one": (_rand(1, 3, 4), _rand(1, 4)),
            "matrices of one row": (_rand(5, 1, 4), _rand(5, 4)),
            "float64": (_rand(5, 3, 4, dtype=torch.float64), _rand(5, 4, dtype=torch.float64)),
            "inputs that are not contiguous": (_rand(5, 4, 3).transpose(1, 2), _rand(4, 5).T),
            "an empty batch": (_rand(0, 3, 4), _rand(0, 4)),
        },
        growing={"samples": ((_rand(3, 3, 4), _rand(3, 4)), (_rand(12, 3, 4), _rand(12, 4)))},
        mistakes={
            "every matrix is multiplied by the first vector; each sample has its own": (
                lambda m, v: m @ v[0]
            ),
            "every vector is multiplied by the first matrix; each sample has its own": (
                lambda m, v: v @ m[0].T
            ),
            "every matrix is multiplied by the last vector; each sample has its own": (
                lambda m, v: m @ v[-1]
            ),
            "each matrix is transposed: the sum runs over its rows, not over its columns": (
                lambda m, v: torch.einsum("bnm,bn->bm", m, v)
            ),
            "the products are averaged; a matrix product adds them": (
                lambda m, v: (m * v.unsqueeze(1)).mean(dim=2)
            ),
            "the vectors meet the samples in the opposite order": (
                lambda m, v: torch.einsum("bnm,bm->bn", m, v.flip(0))
            ),
            "the vectors are added up first, over all samples; each sample has its own": (
                lambda m, v: m @ v.sum(dim=0)
            ),
        },
    ),
    "02.3": Exercise(
        loop=_pick,
        cases={
            "six samples and four classes": (_rand(6, 4), torch.tensor([3, 0, 2, 1, 3, 0])),
            "as many samples as classes": (_rand(5, 5), torch.tensor([4, 0, 3, 3, 1])),
            "a batch of one": (_rand(1, 4), _labels(1, 4)),
            "more classes than samples": (_rand(3, 7), _labels(3, 7)),
            "scores of minus infinity": (_masked(5, 4), torch.tensor([0, 2, 3, 1, 0])),
            "float64 scores": (_rand(5, 4, dtype=torch.float64), _labels(5, 4)),
            "integer scores": (
                torch.randint(100, (5, 4), generator=_random),
                torch.tensor([1, 0, 3, 2, 2]),
            ),
            "scores that are not contiguous": (_rand(4, 6).T, _labels(6, 4)),
            "an empty batch": (_rand(0, 4), _labels(0, 4)),
        },
        growing={"samples": ((_rand(3, 4), _labels(3, 4)), (_rand(12, 4), _labels(12, 4)))},
        mistakes={
            "all scores are taken from the first sample; each label belongs to its own sample": (
                lambda s, i: s[0, i]
            ),
            "all scores are taken from the last sample; each label belongs to its own sample": (
                lambda s, i: s[-1, i]
            ),
            "every sample is asked for the first label; each has its own": lambda s, i: s[:, i[0]],
            "it takes each sample's largest score, not that of its label": (
                lambda s, i: s.max(dim=1).values
            ),
            "it takes each sample's smallest score, not that of its label": (
                lambda s, i: s.min(dim=1).values
            ),
            "the scores of all the labels are averaged for each sample; it has one label": (
                lambda s, i: s[:, i].mean(dim=1)
            ),
            "labels and samples have changed places in the index": (
                lambda s, i: s[i, torch.arange(len(i))]
            ),
            "it returns the labels, not their scores": lambda s, i: i.to(s.dtype),
        },
    ),
}
