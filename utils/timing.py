"""Time PyTorch functions fairly, and compare a loop with its batch.

Three ideas carry this module:

1.  No speed without agreement. `compare` first checks that both functions return the same.
2.  Both sides take turns. When the machine slows down for a moment it slows both, and the ratio
    of two neighbouring samples still holds. The speedup is the median of these ratios.
3.  It says how sure it is. The interval comes from the ratios themselves; where it holds 1, the
    comparison is "not conclusive".

`measure` times one function, `compare` two, and `sweep` two over a range of sizes. The stopwatch
itself is in `utils.measuring.stopwatch`, what they return in `utils.measuring.results`, and what it
means to agree in `utils.measuring.agreement`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import torch
from tqdm import tqdm

from utils.measuring.agreement import check_agreement
from utils.measuring.results import Comparison, Measurement, Sweep
from utils.measuring.stopwatch import Side, deadline_in, samples_until, undisturbed

SAMPLES = 40  # a budget is cut into so many samples, if a call is short enough
LEAST_PAIRS = 6  # fewer cannot give a 95 % interval


def measure(
    function: Callable,
    *inputs: object,
    budget: float = 0.05,
    threads: int | None = None,
    device: torch.device | str | None = None,
) -> Measurement:
    """Time ``function(*inputs)``.

    The first call warms up and is not in the figures. ``budget`` is what may be spent after it,
    in seconds; the last call may overrun it. ``threads`` is PyTorch's number of threads meanwhile
    (default: as it is). ``device`` is the device to wait for, needed only where neither the
    inputs nor the result are on the device that does the work.

    Raises `ValueError` for a nonsense setting, `TypeError` if the function returns a generator
    (whose work has not begun), and whatever the function raises.
    """
    with undisturbed(budget, threads):
        side = Side(function, inputs, device)
        side.first_call()
        deadline = deadline_in(budget)
        side.choose_repeats(budget / SAMPLES, deadline)
        times = list(samples_until(deadline, side.sample)) or [side.estimate]
        return side.measurement(times)


def compare(
    looped: Callable,
    batched: Callable,
    *inputs: object,
    budget: float = 0.1,
    threads: int | None = None,
    device: torch.device | str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> Comparison:
    """Time ``looped(*inputs)`` against ``batched(*inputs)``, after checking that they agree.

    Agreement is that of `check_agreement` (in `utils.measuring.agreement`) within ``rtol`` and
    ``atol``; the calls that check it also warm up. Then both sides are timed in turn for
    ``budget`` seconds. In all this takes at most the budget and two calls of each side. The
    first input that has a length is the batch. A loop too slow for the budget is timed on the
    first items of the batch alone, if what it returns for these is the beginning of its whole
    result; the figure is marked.

    Nothing but the two functions is timed: to include the making of the batch, put it into
    ``batched``. ``threads`` and ``device`` are as in `measure`.

    Raises `ResultMismatchError` if the results differ, `TypeError` if they cannot be compared,
    `ValueError` if a function changes a tensor among its inputs or a setting is nonsense, and
    whatever the functions raise.
    """
    with undisturbed(budget, threads):
        loop, batch = Side(looped, inputs, device), Side(batched, inputs, device)
        expected, actual = loop.first_call(pure=True), batch.first_call(pure=True)
        agreement = check_agreement(expected, actual, rtol=rtol, atol=atol)
        deadline = deadline_in(budget)
        loop.shorten(expected, budget / (2 * LEAST_PAIRS))
        del expected, actual
        for side in (loop, batch):
            side.choose_repeats(budget / (2 * SAMPLES), deadline)
        turns = itertools.cycle([(loop, batch), (batch, loop)])

        def pair() -> tuple[float, float]:
            taken = {side: side.sample() for side in next(turns)}
            return taken[loop], taken[batch]

        pairs = list(samples_until(deadline, pair)) or [(loop.estimate, batch.estimate)]
        ratios = tuple(slow / fast for slow, fast in pairs)
        measurements = map(Side.measurement, (loop, batch), zip(*pairs, strict=True))
        return Comparison(*measurements, ratios, agreement, rtol, atol)


class _Bar(tqdm):
    """A progress bar without the thread that watches over bars, and would outlive them."""

    monitor_interval = 0


def sweep(
    looped: Callable,
    batched: Callable,
    make_inputs: Callable[[int], object],
    sizes: Iterable[int],
    **settings: object,
) -> Sweep:
    """Compare at each size: ``compare(looped, batched, *make_inputs(size), **settings)``.

    ``make_inputs`` returns a tuple of inputs, or a single one. A bar shows the progress. Stop it
    with Ctrl-C, or the square button in a notebook, to keep the sizes finished so far.
    """
    done = Sweep()
    with _Bar(list(sizes), desc="sizes", leave=False) as progress:
        try:
            for size in progress:
                inputs = make_inputs(size)
                inputs = inputs if isinstance(inputs, tuple) else (inputs,)
                comparison = compare(looped, batched, *inputs, **settings)
                done.append(comparison)
                done.sizes.append(size)
        except KeyboardInterrupt:
            progress.write(f"interrupted: {len(done)} of {progress.total} sizes were measured")
    return done
