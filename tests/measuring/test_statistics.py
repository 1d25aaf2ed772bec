"""The interval holds the true ratio as often as it says, whatever the noise."""

import math
import random
import statistics
from contextlib import contextmanager
from unittest import mock

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from utils import timing
from utils.devices import describe
from utils.measuring import stopwatch
from utils.measuring.agreement import Agreement
from utils.measuring.disturbance import Reading, Watch
from utils.measuring.results import Comparison, Measurement
from utils.measuring.statistics import median_interval

TRIALS = 1000
ratios = st.floats(0.01, 100)
noises = st.sampled_from(["gauss", "skewed", "outliers"])


def sample(random_source, ratio, noise, n):
    """``n`` paired ratios around the true one, the median of their noise being 1."""
    values = []
    for _ in range(n):
        if noise == "gauss":
            factor = random_source.gauss(1, 0.05)
        elif noise == "skewed":
            factor = random_source.lognormvariate(0, 0.4)
        else:  # one in ten is up to a thousand times off, on either side
            factor = random_source.lognormvariate(0, 0.02)
            if random_source.random() < 0.1:
                factor *= 10 ** random_source.uniform(-3, 3)
        values.append(ratio * factor)
    return values


@settings(max_examples=25)
@given(ratios, noises, st.integers(6, 60), st.integers(0, 2**32))
def test_the_interval_covers_the_true_ratio_as_often_as_it_says(ratio, noise, n, seed):
    random_source = random.Random(seed)
    hits, promised = 0, 0.0
    for _ in range(TRIALS):
        low, high, confidence = median_interval(sample(random_source, ratio, noise, n))
        hits += low <= ratio <= high
        promised = confidence
    assert promised >= 0.95
    # five standard deviations of a binomial: wrong by chance once in millions of examples
    tolerance = 5 * math.sqrt(promised * (1 - promised) / TRIALS)
    assert abs(hits / TRIALS - promised) < tolerance


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=80))
def test_the_interval_holds_the_sample_median_and_is_made_of_values(values):
    low, high, confidence = median_interval(values)
    assert low in values
    assert high in values
    assert low <= statistics.median(values) <= high
    assert 0 <= confidence < 1


@given(st.lists(st.floats(0.1, 10), min_size=6, max_size=80), st.floats(0.5, 2))
def test_the_verdict_follows_the_interval(values, scale):
    values = tuple(value * scale for value in values)
    where = describe("cpu")
    side = Measurement("f", (1.0,) * len(values), 1, 4, 4, None, where)
    comparison = Comparison(side, side, values, Agreement(0.0, 0), None, None)
    low, high = comparison.interval
    same = low >= 1 / 1.05 and high <= 1.05
    assert comparison.conclusive == (not same and (low > 1 or high < 1))
    assert comparison.verdict.startswith("the same within 5 %") == same
    assert comparison.verdict.startswith("not conclusive") == (not same and low <= 1 <= high)
    if comparison.conclusive:
        slower = "loop" if comparison.speedup > 1 else "batch"
        assert comparison.verdict.startswith(f"the {slower} takes")


def test_few_pairs_promise_less():
    assert [round(median_interval([1.0] * n)[2], 4) for n in (1, 2, 3, 5, 6)] == [
        *(0, 0.5, 0.75, 0.9375, 0.9688),
    ]


class Machine:
    """A clock that only work moves on, on a machine that is slower by turns."""

    def __init__(self, slow_for, factor):
        self.now, self.slow_for, self.factor = 0.0, slow_for, factor

    def clock(self):
        return self.now

    @contextmanager
    def running(self):
        """Its clock is the one that the stopwatch reads, and nobody else is at work on it."""

        def read(_):
            return Reading(thread=self.now, process=self.now, queued=0.0, sleeps=None)

        read = mock.patch.object(Watch, "read", read)
        with mock.patch.object(stopwatch, "perf_counter", self.clock), read:
            yield

    def work(self, seconds):
        slow = int(self.now / self.slow_for) % 2
        self.now += seconds * (self.factor if slow else 1)
        return torch.zeros(3)


@settings(max_examples=10)
@given(st.floats(0.1, 10), st.floats(1.5, 10), st.floats(0.2, 2))
@example(2.0, 9.0, 0.201171875)  # its turns are as long as those of the two sides
def test_a_machine_that_slows_down_by_turns_does_not_change_the_ratio(ratio, factor, slow_for):
    """Or it is told, and the interval still holds the ratio."""
    machine = Machine(slow_for, factor)

    def looped():
        return machine.work(1e-3 * ratio)

    def batched():
        return machine.work(1e-3)

    with machine.running():
        comparison = timing.compare(looped, batched, budget=4.0)
    assert comparison.marks or math.isclose(comparison.speedup, ratio, rel_tol=1e-6)
    low, high = comparison.interval
    assert low * (1 - 1e-6) <= ratio <= high * (1 + 1e-6)
    assert comparison.looped.median > 0.99e-3 * ratio


@pytest.mark.parametrize(("growth", "scaled"), [(0, True), (1, False)])
def test_a_loop_is_scaled_by_its_items_only_if_they_cost_the_same(growth, scaled):
    machine = Machine(1e9, 1)

    def looped(rows):
        for index in range(len(rows)):
            machine.work(1e-4 * (index / 50) ** growth)
        return list(rows * 2)

    with machine.running():
        comparison = timing.compare(looped, lambda rows: rows * 2, torch.rand(400, 3), budget=0.02)
    assert (comparison.looped.timed_items < 400) == scaled
    assert comparison.looped.median == pytest.approx(0.04 if scaled else 0.16, rel=0.05)


@settings(max_examples=50)
@given(st.floats(1e-7, 5), st.floats(1e-7, 5), st.floats(1e-3, 1), st.floats(0, 5))
def test_the_total_is_at_most_the_budget_and_two_calls_of_each_side(looped, batched, budget, cold):
    machine = Machine(1e9, 1)
    calls = {"looped": 0, "batched": 0}

    def side(name, seconds):
        def function():
            calls[name] += 1
            return machine.work(seconds + cold * (calls[name] == 1))

        return function

    with machine.running():
        comparison = timing.compare(side("looped", looped), side("batched", batched), budget=budget)
    first_and_one_more = 2 * (looped + batched) + 2 * cold
    # a sample of short calls may overrun by its own length, which is a fraction of the budget
    assert machine.now <= (budget + first_and_one_more) * 1.1
    if min(comparison.looped.runs, comparison.batched.runs) > 2:
        assert math.isclose(comparison.speedup, looped / batched, rel_tol=1e-6), "not the cold call"
