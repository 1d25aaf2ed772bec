"""Any result is compared rightly, or refused by an error that names its kind."""

import dataclasses
import warnings
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
import torch

from utils.measuring.agreement import ResultMismatchError, check_agreement
from utils.timing import compare

ROWS = torch.arange(1.0, 13).reshape(4, 3)
Scores = namedtuple("Scores", ["best", "rest"])


@dataclasses.dataclass
class Output:
    logits: object
    loss: object


pytestmark = pytest.mark.filterwarnings("ignore:.*(prototype|beta|MaskedTensors)")


def nested(*values, layout):
    """Two rows of unequal length."""
    rows = [torch.full((2,), values[0]), torch.full((3,), values[-1])]
    return torch.nested.nested_tensor(rows, layout=layout)


def quantised(values):
    return torch.quantize_per_tensor(values, 0.1, 0, torch.quint8)


def sparse_entries(values):
    return torch.sparse_coo_tensor([[0] * len(values)], values, (3,))


def kinds():
    """Name -> two that agree, and one that does not."""
    return {
        "sparse_coo": (ROWS.to_sparse(), ROWS.to_sparse(), (2 * ROWS).to_sparse()),
        "sparse_csr": (ROWS.to_sparse_csr(), ROWS.to_sparse_csr(), (2 * ROWS).to_sparse_csr()),
        "sparse_csc": (ROWS.to_sparse_csc(), ROWS.to_sparse_csc(), (2 * ROWS).to_sparse_csc()),
        "sparse, entries to be added": (
            sparse_entries([1.0, 2.0]),
            sparse_entries([3.0]),
            sparse_entries([1.0]),
        ),
        "a list of sparse rows": ([row.to_sparse() for row in ROWS], ROWS.to_sparse(), ROWS),
        "quantised": (quantised(ROWS), quantised(ROWS), quantised(ROWS + 1)),
        "nested": (
            nested(1.0, layout=torch.strided),
            nested(1.0, layout=torch.strided),
            nested(1.0, 2.0, layout=torch.strided),
        ),
        "jagged, equal in all but the symbol of their size": (
            nested(1.0, layout=torch.jagged),
            nested(1.0, layout=torch.jagged),
            nested(1.0, 2.0, layout=torch.jagged),
        ),
        "a list of unequal rows and a jagged tensor": (
            [torch.ones(2), torch.ones(3)],
            nested(1.0, layout=torch.jagged),
            nested(1.0, 2.0, layout=torch.jagged),
        ),
        "float8": (ROWS.to(torch.float8_e4m3fn), ROWS.to(torch.float8_e4m3fn), ROWS),
        "float8, two steps off": (
            ROWS.to(torch.float8_e5m2),
            ROWS.to(torch.float8_e5m2),
            (2 * ROWS).to(torch.float8_e5m2),
        ),
        "big-endian": (ROWS.numpy().astype(">f4"), ROWS, 2 * ROWS),
        "big-endian integers": (np.arange(3, dtype=">i8"), torch.arange(3), torch.arange(1, 4)),
        "negative strides": (ROWS.numpy()[::-1], ROWS.flip(0), ROWS),
        "unsigned": (
            np.arange(3, dtype=np.uint16),
            torch.arange(3).to(torch.uint16),
            torch.arange(3),
        ),
        "a series of pandas": (pd.Series([1.5, 2.5]), torch.tensor([1.5, 2.5]).double(), ROWS),
        "a dataclass": (Output(ROWS, 1.5), Output(ROWS.clone(), 1.5), Output(ROWS, 2.5)),
        "a list of dataclasses": (
            [Output(row, 1.5) for row in ROWS],
            Output(ROWS, torch.full((4,), 1.5)),
            Output(2 * ROWS, torch.full((4,), 1.5)),
        ),
        "a tuple with names": (Scores(ROWS, None), Scores(ROWS, None), Scores(2 * ROWS, None)),
        "what torch.max returns": (ROWS.max(1), ROWS.max(1), ROWS.min(1)),
        "text in a dict": ({"x": ROWS, "of": "a"}, {"x": ROWS, "of": "a"}, {"x": ROWS, "of": "b"}),
        "other keys": ({"x": ROWS}, {"x": ROWS}, {"y": ROWS}),
        "conjugate, not yet done": (
            torch.tensor([1 + 2j]).conj(),
            torch.tensor([1 - 2j]),
            torch.tensor([1 + 2j]),
        ),
    }


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch calls some of these kinds a prototype
    KINDS = kinds()
    MASKED = torch.masked.masked_tensor(ROWS, ROWS > 5)
HUGE = torch.sparse_coo_tensor([[0], [0]], [1.0], (10**6, 10**6))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_compared_by_its_values(name):
    one, same, other = KINDS[name]
    assert check_agreement(one, same).max_difference == 0
    assert check_agreement(same, one).max_difference == 0
    with pytest.raises(ResultMismatchError):
        check_agreement(one, other)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_compared_for_speed(name):
    one, same, other = KINDS[name]
    assert compare(lambda: one, lambda: same, budget=0.001).max_difference == 0
    with pytest.raises(ResultMismatchError):
        compare(lambda: one, lambda: other, budget=0.001)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (np.array(["a"]), "an array of shape \\(1,\\) and <U1"),
        (np.array(["2026-01-01"], "M8[D]"), "datetime64"),
        (np.ones(2, np.longdouble), "float128|longdouble"),
        (np.zeros(2, [("x", "f4")]), "an array of shape"),
        (object(), "object"),
        ({1, 2}, "a set"),
        (HUGE, "sparse_coo tensor .* too large .* x.coalesce"),
        (MASKED, "MaskedTensor"),
        (torch.empty(3, dtype=torch.uint4), "torch.uint4"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_name(value, named):
    with pytest.raises(TypeError, match=named):
        check_agreement(value, value)
    with pytest.raises(TypeError, match=named):
        compare(lambda: value, lambda: value, budget=0.001)


def test_a_difference_is_found_at_its_place():
    one = {"scores": [(ROWS, 2 * ROWS), (ROWS[:2], ROWS)], "loss": 1.0}
    other = {"scores": [(ROWS, 2 * ROWS), (ROWS[:2] + 1, ROWS)], "loss": 1.0}
    with pytest.raises(ResultMismatchError, match=r"result\['scores'\]"):
        check_agreement(one, other)


def test_nobodys_tensor_is_changed():
    for value in (ROWS, torch.tensor(2.0), torch.ones(3)):
        before = dict(vars(value))
        check_agreement(value, value.tolist())
        assert vars(value) == before


def test_names_are_in_the_message():
    with pytest.raises(ResultMismatchError, match="The vmap does not return what the hand returns"):
        check_agreement(ROWS, ROWS + 1, names=("hand", "vmap"))
