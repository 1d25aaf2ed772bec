"""The data sets. All of them ship with a package: nothing is downloaded."""

from __future__ import annotations

import re
from importlib.resources import files

import torch


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """1,797 handwritten digits: ``(images, labels)``.

    ``images`` is float32 of shape (1797, 8, 8), the ink of each pixel from 0 (none) to 16 (full);
    ``labels`` is int64 of shape (1797,), the digit that each image shows, from 0 to 9.

    Source: the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and
    Kaynak, 1998), as scikit-learn ships it:
    https://scikit-learn.org/stable/datasets/toy_dataset.html#optical-recognition-of-handwritten-digits-dataset
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return torch.from_numpy(data.images).float(), torch.from_numpy(data.target).long()


def paragraphs() -> tuple[list[torch.Tensor], torch.Tensor]:
    """246 paragraphs of English text: ``(texts, labels)``.

    ``texts`` is a list of int64 tensors of unequal shape (n_i,), the bytes of each paragraph in
    UTF-8: 9 to 1,173 of them, from 1 to 255, so that 0 is free for padding. ``labels`` is int64 of
    shape (246,), the file that each paragraph is from: 0 to 13, in the files' alphabetical order.

    Source: the descriptions of data sets that scikit-learn ships as ``sklearn/datasets/descr``,
    cut at blank lines, with each run of white space as one space:
    https://scikit-learn.org/stable/datasets.html
    """
    texts, labels = [], []
    folder = files("sklearn.datasets").joinpath("descr")
    found = [file for file in folder.iterdir() if file.name.endswith(".rst")]
    for label, file in enumerate(sorted(found, key=lambda file: file.name)):
        for text in re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip()):
            texts.append(torch.tensor(list(" ".join(text.split()).encode())))
            labels.append(label)
    return texts, torch.tensor(labels)
