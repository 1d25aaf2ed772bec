"""Functions that nobody should time: a clear error or a clear mark, and all put back as it was."""

import gc
import threading
import time

import pytest
import torch

from utils.measuring.agreement import ResultMismatchError, check_agreement
from utils.timing import compare, measure, sweep

ROWS = torch.arange(12.0).reshape(4, 3)
NAN = float("nan")


@pytest.fixture(autouse=True)
def state_is_restored():
    before = gc.isenabled(), torch.get_num_threads(), torch.is_grad_enabled()
    yield
    assert (gc.isenabled(), torch.get_num_threads(), torch.is_grad_enabled()) == before


def good(rows):
    return rows.sum(dim=1)


def generator(rows):
    yield from rows


async def coroutine(rows):
    return rows


def mutating(rows):
    return rows.add_(1).sum(dim=1)


def nested(rows):
    measure(good, rows)
    return good(rows)


BAD = [  # a function, the error it gets, and words that the error must hold
    (lambda rows: rows.sum(), ResultMismatchError, "shape"),
    (lambda rows: good(rows).half(), ResultMismatchError, "dtype"),
    (lambda rows: good(rows).to("meta"), ResultMismatchError, "device"),
    (lambda rows: None, TypeError, "returned None: nothing to compare. Return the result."),
    (lambda rows: "text", TypeError, "Return a tensor, or a list, tuple or dict of tensors."),
    (lambda rows: (good(rows), good(rows)), ResultMismatchError, "shape"),
    (lambda rows: {"a": good(rows)}, TypeError, "cannot be compared"),
    (lambda rows: good(rows).clone().fill_(NAN), ResultMismatchError, "nan at index"),
    (generator, TypeError, "its work has not begun"),
    (coroutine, TypeError, "its work has not begun"),
    (mutating, ValueError, "x = x.clone()"),
    (nested, RuntimeError, "Measure the inner function on its own."),
    (lambda: None, TypeError, "positional argument"),
    (3, TypeError, "Expected a function to time, but got a int"),
]


@pytest.mark.parametrize(("bad", "error", "told"), BAD)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_each_gets_a_clear_error(bad, error, told):
    with pytest.raises(error) as caught:
        compare(good, bad, ROWS.clone(), budget=0.02)
    assert told in str(caught.value)
    assert compare(good, good, ROWS, budget=0.01).items == 4, "and the next comparison works"


@pytest.mark.parametrize(
    "form",
    [
        lambda x: (x.sum(1), x.mean(1)),
        lambda x: {"sum": x.sum(1), "more": [x.mean(1), x.amax(1)]},
        lambda x: x.sum(1).numpy(),
        lambda x: x.sum().item(),
        lambda x: x.sum(1) > 5,
        lambda x: x.sum(1).to(torch.complex64),
        lambda x: x.sum(1).long(),
    ],
)
def test_results_of_many_forms_can_be_compared(form):
    assert compare(form, form, ROWS, budget=0.01).max_difference == 0


@pytest.mark.parametrize(
    ("looped", "batched"),
    [
        (lambda x: [r.sum().item() for r in x], lambda x: x.sum(1)),
        (lambda x: [r.numpy().sum() for r in x], lambda x: x.numpy().sum(axis=1)),
        (lambda x: [(r.sum(), r.amax()) for r in x], lambda x: (x.sum(1), x.amax(1))),
        (lambda x: [{"sum": r.sum()} for r in x], lambda x: {"sum": x.sum(1)}),
        (lambda x: [r.sort() for r in x], lambda x: tuple(x.sort(1))),
        (lambda x: list(x), lambda x: x.unbind()),
        (lambda x: x.numpy()[::-1], lambda x: x.flip(0)),
    ],
)
def test_a_list_of_results_agrees_with_the_result_of_the_list(looped, batched):
    assert compare(looped, batched, ROWS, budget=0.01).max_difference == 0


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ([1.7, 2.2], torch.tensor([1, 2])),
        ([0.2, 0.5], torch.tensor([True, True])),
        ([1, 2], torch.tensor([True, True])),
        ([1.5, 2.5], torch.tensor([1.5, 2.6])),
        ([], torch.tensor([1.0])),
    ],
)
def test_numbers_agree_only_with_numbers_of_their_kind(expected, actual):
    with pytest.raises((ResultMismatchError, TypeError)):
        check_agreement(expected, actual)


def test_nan_on_both_sides_is_counted_and_said():
    rows = ROWS.clone()
    rows[2] = NAN
    comparison = compare(lambda rows: [row.sum() for row in rows], good, rows, budget=0.01)
    assert comparison.agreement.nans == 1
    assert "1 values are NaN on both sides" in repr(comparison)


def test_an_empty_batch_is_a_batch():
    comparison = compare(lambda rows: [r.sum() for r in rows], good, ROWS[:0], budget=0.01)
    assert comparison.looped.per_item is None
    assert repr(comparison)


def test_a_function_without_inputs_or_items():
    assert compare(lambda: torch.ones(3), lambda: torch.ones(3), budget=0.01).items is None
    assert measure(torch.neg, torch.tensor(1.0), budget=0.01).per_item is None


def test_a_mutating_function_may_be_measured_alone():
    assert measure(mutating, ROWS.clone(), budget=0.3).runs > 2


def test_a_call_far_longer_than_the_budget_is_made_twice_and_marked():
    calls = []

    def endless(rows):
        calls.append(1)
        time.sleep(0.4)
        return good(rows)

    start = time.perf_counter()
    comparison = compare(endless, good, ROWS, budget=0.05)
    assert time.perf_counter() - start < 10
    assert len(calls) == 2
    assert "from 1 run only" in repr(comparison)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("call", [1, 2, 3, 20])
def test_an_interrupt_anywhere_leaves_everything_as_it_was(error, call):
    calls = []

    def interrupted(rows):
        calls.append(1)
        if len(calls) == call:
            raise error
        return good(rows)

    with pytest.raises(error):
        compare(good, interrupted, ROWS, budget=0.5, threads=1)
    assert compare(good, good, ROWS, budget=0.01).items == 4


def test_an_interrupted_sweep_keeps_what_it_has(capsys):
    def stop_at_8(rows):
        if len(rows) == 8:
            raise KeyboardInterrupt
        return good(rows)

    done = sweep(good, stop_at_8, lambda size: torch.rand(size, 3), [2, 4, 8, 16], budget=0.01)
    assert done.sizes == [2, 4]
    assert "interrupted: 2 of 4 sizes were measured" in "".join(capsys.readouterr())


def test_an_error_in_a_sweep_is_passed_on():
    with pytest.raises(ResultMismatchError):
        sweep(good, lambda rows: rows.sum(), lambda size: torch.rand(size, 3), [2, 4])


def test_two_threads_take_turns():
    running, overlaps, results = [], [], []

    def watched(rows):
        if running and running[-1] != threading.get_ident():
            overlaps.append(1)
        running.append(threading.get_ident())
        total = good(rows)
        running.pop()
        return total

    def work():
        results.append(compare(good, watched, ROWS, budget=0.05, threads=1))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert overlaps == []


def test_garbage_collection_stays_off_if_it_was():
    gc.disable()
    try:
        measure(good, ROWS, budget=0.01)
        assert not gc.isenabled()
    finally:
        gc.enable()
