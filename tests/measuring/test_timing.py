"""`utils.timing`: agreement first, a budget that is kept, and everything put back as it was."""

import gc
import time

import pytest
import torch

from utils.display.units import format_ratio, format_seconds
from utils.measuring.agreement import ResultMismatchError
from utils.measuring.statistics import median_interval
from utils.measuring.sweeps import Sweep
from utils.timing import compare, measure, sweep

ROWS = torch.arange(12.0).reshape(4, 3)


def loop(rows):
    return [row.sum() for row in rows]


def batch(rows):
    return rows.sum(dim=1)


@pytest.fixture(autouse=True)
def state_is_restored():
    before = gc.isenabled(), torch.get_num_threads(), torch.is_grad_enabled()
    yield
    assert (gc.isenabled(), torch.get_num_threads(), torch.is_grad_enabled()) == before


def test_a_comparison_says_what_it_knows():
    comparison = compare(loop, batch, ROWS, budget=1.0)
    assert comparison.items == 4
    assert comparison.max_difference == 0
    assert comparison.looped.name == "loop"
    assert len(comparison.ratios) == len(comparison.looped.times) == len(comparison.batched.times)
    assert comparison.looped.runs >= len(comparison.ratios)
    assert "torch" in str(comparison.conditions)
    assert "float32" in str(comparison.conditions)
    low, high = comparison.interval
    assert low <= comparison.speedup <= high
    assert comparison.verdict in repr(comparison)
    assert "<table" in comparison._repr_html_()


def test_the_dtype_told_is_that_of_the_numbers_and_not_of_indices():
    order, rows = torch.arange(4), torch.rand(4, 3)
    assert measure(lambda order, rows: rows[order], order, rows).conditions.dtype == "float32"
    assert measure(torch.sum, order).conditions.dtype == "int64"


def test_a_measurement_says_what_it_knows():
    measurement = measure(batch, ROWS, budget=0.02)
    low, high = measurement.quartiles
    assert 0 < low <= measurement.median <= high
    assert measurement.per_item == measurement.median / 4
    assert measurement.marks == []
    assert "batch: " in repr(measurement)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda rows: rows.sum(dim=0), "shape"),
        (lambda rows: rows.sum(dim=1) + 1, "Greatest absolute difference: 1.0 at index (0,)"),
        (lambda rows: rows.sum(dim=1).double(), "dtype"),
        (lambda rows: rows.sum(dim=1).to("meta"), "device"),
    ],
)
def test_no_speed_without_agreement(wrong, told):
    with pytest.raises(ResultMismatchError) as caught:
        compare(lambda rows: torch.stack(loop(rows)), wrong, ROWS)
    assert told in str(caught.value)


def test_tolerances_are_the_callers():
    almost = compare(loop, lambda rows: rows.sum(dim=1) + 0.01, ROWS, budget=0.01, rtol=0, atol=0.1)
    assert almost.max_difference == pytest.approx(0.01, abs=1e-5)
    with pytest.raises(ResultMismatchError):
        compare(loop, lambda rows: rows.sum(dim=1) + 0.01, ROWS, budget=0.01)


def test_the_budget_is_kept():
    compare(loop, batch, ROWS, budget=0.01)  # imports what assert_close needs
    for budget in (0.05, 0.2):
        start = time.perf_counter()
        compare(loop, batch, ROWS, budget=budget)
        assert time.perf_counter() - start < budget + 5


def test_a_loop_too_slow_for_the_budget_is_timed_on_its_first_items():
    def slow(rows):
        return [(time.sleep(0.002), row * 2)[1] for row in rows]

    comparison = compare(slow, lambda rows: rows * 2, torch.rand(200, 3), budget=0.1)
    assert comparison.looped.timed_items < 200
    assert comparison.looped.items == 200
    assert "of 200 items, scaled" in repr(comparison)
    assert 0.4 <= comparison.looped.median < 4  # 200 times 2 ms, however slow the machine


def test_a_slow_function_that_is_no_loop_is_never_scaled():
    def slow(rows):
        time.sleep(0.3)
        return rows * 2

    start = time.perf_counter()
    comparison = compare(slow, lambda rows: rows * 2, torch.rand(200, 3), budget=0.01)
    assert time.perf_counter() - start < 10
    assert comparison.looped.timed_items == 200
    assert 0.3 <= comparison.looped.median < 3
    assert comparison.looped.marks == ["from 1 run only"]
    assert comparison.interval is None
    assert not comparison.conclusive


def test_a_loop_over_another_dimension_is_timed_whole():
    def columns(rows):
        return torch.stack([(time.sleep(0.005), column.sum())[1] for column in rows.T])

    comparison = compare(columns, lambda rows: rows.sum(dim=0), torch.rand(50, 8), budget=0.02)
    assert comparison.looped.timed_items == 50


def test_threads_are_set_and_recorded():
    seen = set()

    def watched(rows):
        seen.add(torch.get_num_threads())
        return batch(rows)

    comparison = compare(loop, watched, ROWS, budget=0.01, threads=1)
    assert seen == {1}
    assert comparison.conditions.threads == 1


def test_grad_mode_is_the_callers():
    with torch.no_grad():
        assert not compare(loop, batch, ROWS, budget=0.01).conditions.grad
    assert compare(loop, batch, ROWS, budget=0.01).conditions.grad


def test_garbage_collection_is_off_while_timing():
    seen = set()

    def watched(rows):
        seen.add(gc.isenabled())
        return batch(rows)

    measure(watched, ROWS, budget=0.01)
    assert seen == {False}


@pytest.mark.parametrize("budget", [0, -1, float("nan"), float("inf"), "fast", None])
def test_a_nonsense_budget_is_refused(budget):
    with pytest.raises(ValueError, match=r"budget is a time in seconds above 0"):
        measure(batch, ROWS, budget=budget)


@pytest.mark.parametrize(
    ("threads", "error"),
    [(0, ValueError), (-2, ValueError), (100_000, ValueError), (1.0, TypeError), (True, TypeError)],
)
def test_a_nonsense_number_of_threads_is_refused(threads, error):
    with pytest.raises(
        error, match=r"^threads is (a whole number|1 or more|at most this machine's \d+),"
    ):
        measure(batch, ROWS, threads=threads)


def test_an_error_in_the_function_is_passed_on_with_its_name():
    calls = []

    def third_time_unlucky(rows):
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError("on the third call")
        return batch(rows)

    with pytest.raises(ZeroDivisionError) as caught:
        compare(loop, third_time_unlucky, ROWS)
    assert caught.value.__notes__ == ["(raised by third_time_unlucky while it was timed)"]


def test_sweep_is_a_list_and_a_table_and_a_file(tmp_path):
    done = sweep(loop, batch, lambda size: torch.rand(size, 3), [1, 8, 64], budget=0.03)
    assert isinstance(done, Sweep)
    assert [c.items for c in done] == done.sizes == [1, 8, 64]
    assert len(repr(done).splitlines()) == 5
    assert "<table" in done._repr_html_()
    lines = done.save(tmp_path / "sweep.csv").read_text().splitlines()
    assert lines[0].startswith("size,looped_s,")
    assert len(lines) == 4


def test_the_interval_of_a_median_comes_from_its_ranks():
    assert median_interval([3.0]) == (3.0, 3.0, 0.0)
    assert median_interval([1.0, 9.0]) == (1.0, 9.0, 0.5)
    low, high, confidence = median_interval([5, 1, 4, 2, 3, 6])
    assert (low, high) == (1, 6)
    assert confidence == 1 - 2 / 64
    low, high, confidence = median_interval(list(range(100)))
    assert (low, high) == (39, 60)  # the 40th and the 61st, as the tables say for n = 100
    assert confidence == pytest.approx(0.9648, abs=1e-4)


def test_figures_are_readable():
    assert [format_seconds(value) for value in (2.5, 0.0123, 1.5e-6, 3.2e-8, 0.9999)] == [
        *("2.50 s", "12.3 ms", "1.50 µs", "32.0 ns", "1.00 s"),
    ]
    assert [format_ratio(value) for value in (1.2345, 0.0156, 12345)] == [
        "1.23×",
        "0.0156×",
        "12,300×",
    ]
