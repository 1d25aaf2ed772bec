"""How good is the stopwatch? ``make bench`` prints it, all from one run.

Two operations whose speed differs by about two are timed by `utils.timing` and by the tools people
trust, many times each, at four lengths. The truth is a long measurement that alternates with all
the others, so that a drift of the machine reaches it too.
"""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable

import torch
from torch.utils.benchmark import Timer

from utils.devices import describe
from utils.timing import compare, measure

BUDGET = 0.05
TRIALS = 15


def pairs() -> dict[str, tuple[Callable, Callable]]:
    """Label -> a slower and a faster function, of about this length."""
    tiny, small, middle = torch.rand(8), torch.rand(60_000), torch.rand(400, 400)
    large = torch.rand(1800, 1800)
    return {
        "1 µs": (lambda: tiny.neg().neg(), tiny.neg),
        "10 µs": (lambda: small.sum() + small.sum(), small.sum),
        "1 ms": (lambda: middle @ middle @ middle, lambda: middle @ middle),
        "100 ms": (lambda: large @ large @ large, lambda: large @ large),
    }


def with_compare(slow: Callable, fast: Callable) -> float:
    """`compare` at the budget; both return a number, so that they agree."""

    def looped() -> int:
        slow()
        return 0

    def batched() -> int:
        fast()
        return 0

    return compare(looped, batched, budget=BUDGET).speedup


def with_measure(slow: Callable, fast: Callable) -> float:
    """`measure` of each, one after the other, at half the budget."""
    return measure(slow, budget=BUDGET / 2).median / measure(fast, budget=BUDGET / 2).median


def with_timer(slow: Callable, fast: Callable) -> float:
    """`torch.utils.benchmark.Timer`, at the same number of threads and half the budget each."""
    threads = torch.get_num_threads()
    times = [
        Timer("f()", globals={"f": f}, num_threads=threads)
        .blocked_autorange(min_run_time=BUDGET / 2)
        .median
        for f in (slow, fast)
    ]
    return times[0] / times[1]


def with_timeit(slow: Callable, fast: Callable) -> float:
    """`timeit`: the best of three, each as long as fits."""
    times = []
    for function in (slow, fast):
        number = max(1, int(BUDGET / 6 / max(timeit.timeit(function, number=1), 1e-7)))
        times.append(min(timeit.repeat(function, number=number, repeat=3)) / number)
    return times[0] / times[1]


def with_one_shot(slow: Callable, fast: Callable) -> float:
    """One call of each between two looks at the clock."""
    times = []
    for function in (slow, fast):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times[0] / times[1]


def reference(slow: Callable, fast: Callable, seconds: float) -> list[float]:
    """Ratios of alternating blocks of calls, for a long time."""
    number = max(1, int(2e-3 / max(timeit.timeit(fast, number=3) / 3, 1e-7)))
    ratios, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(ratios) < 3:
        ratios.append(timeit.timeit(slow, number=number) / timeit.timeit(fast, number=number))
    return ratios


METHODS = {
    "utils compare": with_compare,
    "utils measure": with_measure,
    "torch Timer": with_timer,
    "timeit, best of 3": with_timeit,
    "one perf_counter shot": with_one_shot,
}


def main() -> None:
    print(f"ratio of two functions, {TRIALS} trials each, budget {BUDGET * 1000:.0f} ms")
    print(describe("cpu"))
    print(f"{'':8}{'method':24}{'bias':>8}{'median error':>14}{'spread':>9}{'wall':>10}")
    for label, (slow, fast) in pairs().items():
        for function in (slow, fast):
            function()
        truth, results = [], {name: [] for name in METHODS}
        walls = {name: [] for name in METHODS}
        for _ in range(TRIALS):
            truth += reference(slow, fast, 0.3)
            for name, method in METHODS.items():
                start = time.perf_counter()
                results[name].append(method(slow, fast))
                walls[name].append(time.perf_counter() - start)
        true = statistics.median(truth)
        for name, found in results.items():
            bias = statistics.median(found) / true - 1
            error = statistics.median(abs(value / true - 1) for value in found)
            low, _, high = statistics.quantiles(found, n=4)
            print(
                f"{label:8}{name:24}{bias:>+8.1%}{error:>14.1%}{(high - low) / true:>9.1%}"
                f"{statistics.median(walls[name]) * 1000:>7.0f} ms"
            )
            label = ""
        agreement = statistics.median(results["utils measure"]) / statistics.median(
            results["torch Timer"]
        )
        print(f"{'':8}true ratio {true:.3f}; measure / Timer {agreement:.3f}")


if __name__ == "__main__":
    main()
