"""The data sets. All of them ship with a package: nothing is downloaded."""

from __future__ import annotations

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
