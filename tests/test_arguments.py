"""A whole number is one of Python, NumPy or PyTorch, and nothing else is taken for one."""

import numpy as np
import pytest
import torch

from utils.arguments import boolean, not_negative, positive
from utils.loading import TensorBatchSampler
from utils.timing import measure

WHOLE = [
    3,
    np.int64(3),
    np.uint8(3),
    np.array(3),
    torch.tensor(3),
    torch.tensor(3, dtype=torch.uint8),
]
NO_NUMBER = [
    *(3.0, np.float32(3), torch.tensor(3.0), True, np.True_, torch.tensor(True)),
    *("3", None, [3], np.array([3]), torch.tensor([3]), 3 + 0j),
]


@pytest.mark.parametrize("value", WHOLE, ids=repr)
def test_whole_numbers(value):
    for check in (positive, not_negative):
        assert check("n", value) == 3
        assert type(check("n", value)) is int


@pytest.mark.parametrize("value", NO_NUMBER, ids=repr)
def test_what_is_no_whole_number(value):
    for check in (positive, not_negative):
        with pytest.raises(TypeError, match=r"^n is a whole number, but got"):
            check("n", value)


@pytest.mark.parametrize("value", NO_NUMBER[:-1], ids=repr)
def test_it_is_the_same_everywhere(value):
    if value is not None:
        with pytest.raises(TypeError, match="whole number"):
            measure(torch.neg, torch.ones(2), threads=value)
    with pytest.raises(TypeError, match="whole number"):
        TensorBatchSampler(10, value)


@pytest.mark.parametrize("value", WHOLE[1:], ids=repr)
def test_it_is_taken_everywhere(value):
    assert len(TensorBatchSampler(10, value)) == 4
    assert (
        measure(torch.neg, torch.ones(2), budget=0.001, threads=value - 2).conditions.threads == 1
    )


def test_bounds():
    for check, value in ((positive, 0), (not_negative, -1), (positive, 2**63)):
        with pytest.raises(ValueError, match=r"^n is "):
            check("n", value)
    assert not_negative("n", 0) == 0


@pytest.mark.parametrize("value", [1, 0, "yes", None, torch.tensor(True)], ids=repr)
def test_what_is_neither_true_nor_false(value):
    with pytest.raises(TypeError, match=r"^flag is True or False"):
        boolean("flag", value)


def test_true_and_false():
    assert boolean("flag", True) is True
    assert boolean("flag", np.False_) is False
