"""How good is the stopwatch? ``make bench`` prints it, all from one run.

Pairs of functions whose ratio is known, because one does the same piece of work so many times more
often, are timed by `utils.timing` and by the tools that people trust: on the machine as it is, and
beside one and two processes for each core that never rest. All get the same time. Counted is what
a reader is told: something right, something wrong, or that it is not certain. Of two that are
equally fast it is right that neither is clearly faster; of all others, that is not certain.

    python -m tests.bench.timing [TRIALS]
"""

from __future__ import annotations

import itertools
import os
import random
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.utils.benchmark import Timer

from utils.devices import describe
from utils.timing import compare

RATIOS = (1.0, 1.05, 1.5, 10.0)
LENGTHS = {"10 µs": (1e-5, 0.1), "1 ms": (1e-3, 0.1), "20 ms": (2e-2, 1.0)}  # and their budgets
SAME, CLOSE = 0.05, 0.25  # so near to 1 a ratio says "the same"; so near to the truth it is right
NEVER_RESTS = "while True: sum(range(1000))"


@dataclass(frozen=True)
class Answer:
    """What a method says of a pair."""

    ratio: float
    marked: bool  # it warns of itself
    outcome: str = ""  # "faster", "slower", "same" or "unclear", where the method says so

    @property
    def claim(self) -> str:
        """What a reader takes from it."""
        if self.outcome:
            return self.outcome
        if abs(self.ratio - 1) <= SAME:
            return "same"
        return "faster" if self.ratio > 1 else "slower"

    def verdict(self, truth: float) -> str:
        """What a reader is told: "right", "wrong" or "marked"."""
        true = {1.0: ("same", "unclear"), 1.05: ("same", "faster")}.get(truth, ("faster",))
        if self.marked or (self.claim == "unclear" and "unclear" not in true):
            return "marked"
        close = self.claim == "unclear" or abs(self.ratio / truth - 1) <= CLOSE
        return "right" if close and self.claim in true else "wrong"


def with_compare(slow: Callable, fast: Callable, budget: float) -> Answer:
    """`compare`: marked where it says so."""
    found = compare(slow, fast, budget=budget, threads=1)
    return Answer(found.speedup, bool(found.marks), found.outcome)


def with_timer(slow: Callable, fast: Callable, budget: float) -> Answer:
    """`torch.utils.benchmark.Timer`: marked where it warns of the spread between the samples."""
    one, other = (
        Timer("f()", globals={"f": f}).blocked_autorange(min_run_time=budget / 2)
        for f in (slow, fast)
    )
    return Answer(one.median / other.median, one.has_warnings or other.has_warnings)


def with_timeit(slow: Callable, fast: Callable, budget: float) -> Answer:
    """`timeit`, the best of five: marked where its command line warns, at a worst of 4 × best."""
    one, other = (_repeat(f, 5, budget / 2) for f in (slow, fast))
    unreliable = max(one) > 4 * min(one) or max(other) > 4 * min(other)
    return Answer(min(one) / min(other), unreliable)


def with_minimum(slow: Callable, fast: Callable, budget: float) -> Answer:
    """The shortest of 40 stretches, which is never marked."""
    one, other = (_repeat(f, 40, budget / 2) for f in (slow, fast))
    return Answer(min(one) / min(other), marked=False)


def _repeat(function: Callable, times: int, budget: float) -> list[float]:
    """Seconds for one call, from so many stretches of calls that together take the budget."""
    once = min(timeit.repeat(function, number=1, repeat=2))
    times = max(3, min(times, int(budget / once)))
    number = max(1, int(budget / times / once))
    return [seconds / number for seconds in timeit.repeat(function, number=number, repeat=times)]


METHODS = {
    "utils compare": with_compare,
    "torch Timer": with_timer,
    "timeit, best of 5": with_timeit,
    "minimum of 40": with_minimum,
}


def in_python() -> None:
    """A piece of work without PyTorch, of half a microsecond or so."""
    sum(range(20))


ROW = torch.rand(8)


def in_pytorch() -> None:
    """A piece of work that is a call of PyTorch."""
    ROW.neg()


def a_pair(work: Callable, ratio: float, seconds: float) -> tuple[Callable, Callable]:
    """Two functions of which the slower takes about ``seconds``, and the faster at least 10 µs."""
    unit = min(timeit.repeat(work, number=200, repeat=20)) / 200
    fast = max(20, round(max(seconds / ratio, 1e-5) / unit / 20) * 20)  # so that 1.05 is exact

    def times(count: int) -> Callable:
        def function() -> int:
            for _ in itertools.repeat(None, count):
                work()
            return 0

        return function

    return times(round(fast * ratio)), times(fast)


@contextmanager
def beside(processes: int) -> Iterator[None]:
    """So many processes that never rest."""
    started = [subprocess.Popen([sys.executable, "-c", NEVER_RESTS]) for _ in range(processes)]
    try:
        time.sleep(0.5 if started else 0)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    torch.set_num_threads(1)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cases = list(itertools.product(RATIOS, LENGTHS, range(trials)))
    pairs = {
        (ratio, length, work): a_pair(work, ratio, LENGTHS[length][0])
        for ratio, length, work in itertools.product(RATIOS, LENGTHS, (in_python, in_pytorch))
    }
    print(f"{len(cases)} pairs of known ratio, {' / '.join(map(str, RATIOS))} : 1, of")
    print(f"{' / '.join(LENGTHS)}; right is true, and within {CLOSE:.0%}. {describe('cpu')}\n")
    head = f"{'machine':22}{'method':20}{'right':>7}{'marked':>8}{'wrong':>7}"
    print(f"{head}{'median error':>14}{'time':>9}   wrong are (ratio, length: said)")
    for load in (0, 1, 2):
        answers: dict[str, list[tuple[float, str, Answer]]] = {name: [] for name in METHODS}
        seconds = dict.fromkeys(METHODS, 0.0)
        random.Random(load).shuffle(cases)
        with beside(load * (cores or 1)):
            for ratio, length, trial in cases:
                slow, fast = pairs[ratio, length, (in_python, in_pytorch)[trial % 2]]
                for name in random.Random(trial).sample(list(METHODS), len(METHODS)):
                    start = time.perf_counter()
                    answer = METHODS[name](slow, fast, LENGTHS[length][1])
                    seconds[name] += time.perf_counter() - start
                    answers[name].append((ratio, length, answer))
        label = f"beside {load} busy a core" if load else "as it is"
        for name, given in answers.items():
            told = [answer.verdict(ratio) for ratio, _, answer in given]
            error = statistics.median(abs(a.ratio / ratio - 1) for ratio, _, a in given)
            wrong = [
                f"{ratio:g}, {length}: {answer.claim} {answer.ratio:.3g}"
                for (ratio, length, answer), verdict in zip(given, told, strict=True)
                if verdict == "wrong"
            ]
            shares = [told.count(verdict) / len(told) for verdict in ("right", "marked")]
            print(
                f"{label:22}{name:20}{shares[0]:>7.0%}{shares[1]:>8.0%}{len(wrong):>7}"
                f"{error:>14.1%}{seconds[name]:>7.0f} s   {'; '.join(wrong[:3])}"
                f"{' …' if len(wrong) > 3 else ''}",
                flush=True,
            )
            label = ""


if __name__ == "__main__":
    main()
