"""Typical wrong answers to the exercises of lesson 01, each with words its hint must hold."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from tests.exercises.jit import scripted

WHOLE = {"dim": (1, 2), "keepdim": True}


def squares(images, templates):
    return ((images.float()[:, None] - templates.float()) ** 2).sum(dim=(2, 3))


def in_place(images):
    images -= images.mean(**WHOLE)
    images /= images.std(**WHOLE, correction=0)
    return images


def loop_over_images(images):
    result = torch.empty_like(images)
    for index, image in enumerate(images):
        result[index] = (image - image.mean()) / image.std(correction=0)
    return result


def loop_over_nearest(images, templates):
    result = torch.empty(len(images), dtype=torch.int64)
    for index, image in enumerate(images):
        result[index] = ((image.float() - templates.float()) ** 2).sum(dim=(1, 2)).argmin()
    return result


def loop_over_templates(images, templates):
    distances = [((images.float() - t.float()) ** 2).sum(dim=(1, 2)) for t in templates]
    return torch.stack(distances, dim=1).argmin(dim=1)


def through_numpy(images, templates):
    differences = images.numpy().astype("float32")[:, None] - templates.numpy().astype("float32")
    return torch.from_numpy((differences**2).sum(axis=(2, 3)).argmin(axis=1))


def standard(image):
    return (image - image.mean()) / image.std(correction=0)


def in_new_threads(images):
    with ThreadPoolExecutor(4) as pool:
        return torch.cat(list(pool.map(lambda part: standard(part)[None], images)))


def in_fixed_turns(images):
    """Goes through 200 images, whether they are there or not."""
    result = images.clone()
    for turn in range(200):
        result[turn % len(images)] = standard(images[turn % len(images)])
    return result


@scripted
def compiled_loop(images: torch.Tensor):
    result = torch.empty_like(images)
    for index in range(images.shape[0]):
        result[index] = (images[index] - images[index].mean()) / images[index].std(correction=0)
    return result


def by_storage(images):
    storage = images.contiguous().untyped_storage()
    raw = (ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr())
    x = torch.tensor(np.frombuffer(raw, np.float32)).reshape(images.shape)
    return (x - x.mean(**WHOLE)) / x.std(**WHOLE, correction=0)


def by_dlpack(images):
    x = np.from_dlpack(images).astype("f8")
    x = (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True)
    return torch.from_numpy(x).to(images.dtype)


def by_apply(images):
    mean, std = images.mean(**WHOLE), images.std(**WHOLE, correction=0)
    return (images - mean).apply_(lambda value: value) / std


def by_map(images):
    mean, std = images.mean(**WHOLE).expand_as(images), images.std(**WHOLE, correction=0)
    return images.clone().map_(mean, lambda value, centre: value - centre) / std


def one_at_a_time(images):
    return torch.vmap(standard, chunk_size=1)(images)


def in_python(images):
    rows = images.flatten(1).tolist()
    means = [sum(row) / len(row) for row in rows]
    return (images - torch.tensor(means, dtype=images.dtype)[:, None, None]) / images.std(
        **WHOLE, correction=0
    )


WRONG = {
    "01.1": [
        (lambda images: torch.cat(images), "not a dimension for each thing"),
        (lambda images: torch.cat(images, dim=1), "not a dimension for each thing"),
        (lambda images: torch.stack(images, dim=-1), "the batch comes first"),
        (lambda images: torch.stack(images, dim=1), "the batch comes first"),
        (lambda images: torch.stack(images).float(), "expected torch.uint8"),
        (lambda images: torch.stack(images).flatten(1), "not a dimension for each thing"),
        (lambda images: images, "expected is one tensor"),
        (lambda images: np.stack([image.numpy() for image in images]), "expected is one tensor"),
        (lambda images: torch.stack(images[::-1]), "opposite order"),
        (lambda images: torch.stack(images[:1] * len(images)), "copy of the first"),
        (lambda images: torch.stack(images).mT.reshape(len(images), *images[0].shape), "samples"),
        (lambda images: torch.tensor(images), "only one element tensors"),
        (lambda images: torch.stack(images).squeeze(), "the batch dimension is gone"),
        (lambda images: torch.cat([i.unsqueeze(0) for i in images]), "still loops over the images"),
        (lambda images: print(end=""), "returns None"),
        (lambda images: (images.append(images[0]), torch.stack(images[:-1]))[1], "make a new one"),
        (lambda images: torch.nested.nested_tensor(images), "expected is an ordinary one"),
    ],
    "01.2": [
        (lambda x: (x - x.mean()) / x.std(correction=0), "serve the whole batch"),
        (lambda x: (x - x.mean(0)) / x.std(0, correction=0), "run over the batch"),
        (
            lambda x: (x - x.mean(dim=(1, 2))) / x.std(dim=(1, 2), correction=0),
            "without keepdim",
        ),
        (lambda x: (x - x.mean(2, True)) / x.std(2, keepdim=True, correction=0), "of each row"),
        (lambda x: (x - x.mean(1, True)) / x.std(1, keepdim=True, correction=0), "of each column"),
        (lambda x: (x - x.mean(**WHOLE)) / x.std(**WHOLE), "correction=0"),
        (lambda x: x - x.mean(**WHOLE), "nothing is divided"),
        (lambda x: (x - x.mean(**WHOLE)) / x.var(**WHOLE, correction=0), "the variance"),
        (
            lambda x: ((x - x.mean(**WHOLE)) / x.std(**WHOLE, correction=0)).flatten(1),
            "not a dimension for each thing",
        ),
        (
            lambda x: ((x - x.mean(**WHOLE)) / x.std(**WHOLE, correction=0)).float(),
            "expected torch.float64",
        ),
        (lambda x: (x - x.mean()) / x.std(), "serve the whole batch"),
        (lambda x: (x - x.mean(0)) / x.std(0), "run over the batch"),
        (lambda x: (x - x.mean((1, 2))) / x.std((1, 2)), "without keepdim"),
        (lambda x: (x - x.mean(**WHOLE)) / x.std((1, 2), correction=0), "the standard deviations"),
        (in_place, "changes its input in place"),
        (loop_over_images, "still loops over the images"),
        (lambda x: torch.stack([(i - i.mean()) / i.std(correction=0) for i in x]), "still loops"),
        (in_new_threads, "still loops over the images"),
        (in_fixed_turns, "a loop of fixed length is a loop, too"),
        (compiled_loop, "still loops over the images, in compiled code or in threads"),
        (lambda x: exit(), "stops with SystemExit"),
        (lambda x: (standard(image) for image in x), "it returns a generator"),
        (by_storage, "leaves PyTorch"),
        (by_dlpack, "leaves PyTorch"),
        (by_apply, "calls Python for each number"),
        (by_map, "calls Python for each number"),
        (one_at_a_time, "still loops over the images"),
        (in_python, "Python still loops over the images (in <listcomp>)"),
        (lambda x: torch.nn.functional.layer_norm(x, x.shape[1:]), "of so little contrast"),
        (lambda x: (x - x.mean(**WHOLE)) / (x.std(**WHOLE, correction=0) + 1e-8), "of so little"),
        (lambda x: torch.nn.functional.instance_norm(x[:, None])[:, 0], "of so little contrast"),
        (
            lambda x: (x - x.mean(**WHOLE)) / x.std(**WHOLE, correction=0).clamp(min=1e-3),
            "of so little contrast",
        ),
    ],
    "01.3": [
        (lambda x, t: squares(x, t).argmax(dim=1), "the farthest"),
        (
            lambda x, t: (x.float()[:, None] - t.float()).sum(dim=(2, 3)).argmin(dim=1),
            "opposite sign cancel",
        ),
        (lambda x, t: ((x[:, None] - t) ** 2).sum(dim=(2, 3)).argmin(dim=1), "wrap around"),
        (lambda x, t: ((x[:, None] - t).float() ** 2).sum((2, 3)).argmin(1), "not after it"),
        (lambda x, t: squares(x, t).min(dim=1).values, "expected torch.int64"),
        (lambda x, t: squares(x, t).argmin(dim=0), "expected (7,)"),
        (lambda x, t: squares(x, t).argmin(), "one number for the whole batch"),
        (lambda x, t: squares(x, t).argmin(dim=1, keepdim=True), "size 1 too many"),
        (lambda x, t: ((x.float() - t.float()) ** 2).sum((1, 2)).argmin(0), "RuntimeError"),
        (lambda x, t: squares(x, t).sqrt().argmin(dim=1).float(), "expected torch.int64"),
        (
            lambda x, t: (x.float()[:, None] - t.float()).abs().sum((2, 3)).argmin(1),
            "absolute differences",
        ),
        (loop_over_nearest, "still loops over the images"),
        (loop_over_templates, "still loops over the templates"),
        (through_numpy, "leaves PyTorch"),
        (
            lambda x, t: (
                torch.nn.functional.mse_loss(x[:, None], t, reduction="none")
                .sum((2, 3))
                .argmin(1)
            ),
            "not implemented for 'Byte'",
        ),
    ],
}
