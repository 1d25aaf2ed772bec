"""Functions that change inputs, keep buffers, or return something else each time."""

import functools

import numpy as np
import pytest
import torch

from utils.measuring.agreement import ResultMismatchError
from utils.timing import compare

ROWS = torch.rand(6, 4)


def total(rows):
    return rows.sum(dim=1)


BUFFER = torch.empty(6)
SCRATCH = np.empty(6, np.float32)
PARAMETER = torch.nn.Parameter(torch.ones(4))


def with_out(factor):
    return lambda rows: torch.mul(total(rows), factor, out=BUFFER)


def with_scratch_memory(factor):
    def function(rows):
        SCRATCH[:] = total(rows).numpy() * factor
        return SCRATCH

    return function


def with_gradient(factor):
    def function(rows):
        PARAMETER.grad = torch.zeros(4) if PARAMETER.grad is None else PARAMETER.grad.zero_()
        (rows @ PARAMETER * factor).sum().backward()
        return PARAMETER.grad

    return function


def in_a_list(factor):
    return lambda rows: [torch.mul(total(rows), factor, out=BUFFER)]


SHARED = [with_out, with_scratch_memory, with_gradient, in_a_list]


@pytest.mark.parametrize("kept", SHARED)
def test_two_functions_that_return_one_buffer_are_compared_as_they_returned(kept):
    with pytest.raises(ResultMismatchError):
        compare(kept(1), kept(2), ROWS, budget=0.01)


@pytest.mark.parametrize("kept", SHARED)
def test_a_result_that_a_later_call_changes_is_told(kept):
    found = compare(lambda rows: kept(1)(rows), lambda rows: kept(1)(rows), ROWS, budget=0.01)
    if kept is with_scratch_memory:  # the same values again: nothing has changed
        assert found.marks == ()
        return
    assert "what the loop returned was changed by a later call" in found.verdict
    assert "what the batch returned was changed by a later call" in found._repr_html_()


def test_scratch_memory_is_told_when_its_values_change():
    calls = []

    def growing(rows):
        calls.append(1)
        SCRATCH[:] = len(calls)
        return SCRATCH

    found = compare(growing, growing, ROWS, budget=0.01, atol=100, rtol=0)
    assert any("changed by a later call" in mark for mark in found.marks)


@pytest.mark.parametrize(
    "function",
    [total, lambda rows: rows, lambda rows: rows.T, functools.cache(lambda rows: rows * 2)],
)
def test_views_and_kept_results_that_nobody_writes_to_are_not_told(function):
    assert not [
        mark for mark in compare(function, function, ROWS, budget=0.01).marks if "changed" in mark
    ]


def test_a_shortened_loop_is_compared_with_what_was_returned():
    buffer = torch.empty(400)

    def loop(rows):
        for index, row in enumerate(rows):
            buffer[index] = sum(row[0].item() for _ in range(200))
        return buffer[: len(rows)]

    found = compare(loop, lambda rows: 200 * rows[:, 0], torch.rand(400, 3), budget=0.01)
    assert found.looped.timed_items < 400


@pytest.mark.parametrize(
    ("changed", "inputs", "advice"),
    [
        (lambda x: x.mul_(2).sum(), (torch.ones(3),), "x.clone()"),
        (lambda x: x[0].zero_(), (torch.ones(3, 2),), "x.clone()"),
        (lambda x: np.multiply(x, 2, out=x).sum(), (np.ones(3),), "x.copy()"),
        (lambda x: (x.sort(), x.sum())[1], (np.arange(9)[::-1].copy(),), "x.copy()"),
        (lambda x: (x.__setitem__(5, 0), x.sum())[1], (np.ones(2 * 10**6),), None),
        (lambda xs: xs[1].add_(1), ([torch.ones(2), torch.ones(2)],), "x.clone()"),
        (lambda m, x: m(x), (torch.nn.BatchNorm1d(4), ROWS), "eval()"),
        (
            lambda m, x: m(x),
            (torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)), ROWS),
            "eval()",
        ),
        (
            lambda m, x: torch.nn.init.zeros_(m.weight).sum(),
            (torch.nn.Linear(4, 4).eval(), ROWS),
            "copy.deepcopy(module)",
        ),
    ],
)
def test_changed_inputs_are_refused_with_advice_that_fits(changed, inputs, advice):
    with pytest.raises(ValueError, match="changes its inputs in place") as caught:
        compare(changed, changed, *inputs, budget=0.001)
    if advice:
        assert advice in str(caught.value)
    if advice != "x.clone()":
        assert "x.clone()" not in str(caught.value)


def test_a_module_that_counts_nothing_is_no_changed_input():
    layer = torch.nn.Linear(4, 2)
    assert compare(lambda m, x: m(x), lambda m, x: m(x), layer, ROWS, budget=0.01).marks == ()


@pytest.mark.parametrize(
    "random",
    [
        torch.nn.Dropout(),
        lambda rows: rows[torch.randperm(len(rows))],
        lambda rows: torch.multinomial(rows, 3),
        lambda rows: torch.from_numpy(np.random.default_rng().random(3)),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_randomness_is_told_and_not_taken_for_a_wrong_result(random, side):
    torch.manual_seed(0)
    functions = [random, random]
    functions[side] = torch.nn.Identity() if side else random
    with pytest.raises(ResultMismatchError, match="called twice with the same inputs") as caught:
        compare(*functions, torch.rand(64, 8), names=("one", "two"), budget=0.01)
    assert "manual_seed" in str(caught.value)


def test_a_wrong_result_is_not_taken_for_randomness():
    with pytest.raises(ResultMismatchError, match="does not return what the loop returns"):
        compare(total, lambda rows: rows.sum(dim=0), ROWS)
