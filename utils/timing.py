"""Time PyTorch functions fairly, and compare a loop with its batch.

Four ideas carry this module:

1.  No speed without agreement. `compare` first checks that both functions return the same.
2.  Both sides take turns. When the machine slows down for a moment it slows both, and the ratio
    of two neighbouring samples still holds. The speedup is the median of these ratios.
3.  It says how sure it is. The interval comes from the ratios themselves; where it holds 1, the
    comparison is "not conclusive", unless all of it lies within 5 % of 1: that is "the same".
4.  It knows when it was disturbed. While others have the core, a thread waits. This wait is
    counted and taken off where one thread does all the work. Elsewhere (several threads, a
    device) a pair of samples that lost more than 5 % is left out, whichever side lost it; if too
    few pairs remain, the interval grows by what may be lost, and the result is marked.

`measure` times one function, `compare` two, and `sweep` two over a range of sizes. The stopwatch
itself is in `utils.measuring.stopwatch`, what they return in `utils.measuring.results`, and what it
means to agree in `utils.measuring.agreement`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from tqdm import tqdm

from utils.arguments import boolean, two_names
from utils.measuring.caches import rotate_copies
from utils.measuring.disturbance import watching
from utils.measuring.pairs import LEAST_PAIRS, Pair, slack_and_marks, undoubted
from utils.measuring.purity import agreement_of, changed_later, first_result
from utils.measuring.results import Comparison, Measurement
from utils.measuring.shortening import leading_items
from utils.measuring.stopwatch import Side, deadline_in, rounds_until, undisturbed
from utils.measuring.sweeps import Sweep

SAMPLES = 40  # a budget is cut into so many samples, if a call is short enough


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
    (default: as it is); with one, small work is not decided by what it costs to wake the others,
    which PyTorch does from some 32,768 elements on. ``device`` is the device to wait for, needed
    only where neither the inputs nor the result are on the device that does the work.

    Raises `TypeError` or `ValueError` for a nonsense setting, `TypeError` if the function returns
    a generator (whose work has not begun), and whatever the function raises.
    """
    with undisturbed(budget, threads):
        side = Side(function, inputs, device)
        side.first_call()
        deadline = deadline_in(budget)
        with watching() as watch:
            side.choose_repeats(budget / SAMPLES, deadline, watch)
            samples = [side.sample(watch) for _ in rounds_until(deadline)]
        samples = samples or [side.one_call()]
        return side.measurement(undoubted(samples), samples)


def compare(
    looped: Callable,
    batched: Callable,
    *inputs: object,
    budget: float = 0.1,
    threads: int | None = None,
    device: torch.device | str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    names: tuple[str, str] = ("loop", "batch"),
    cold: bool = False,
) -> Comparison:
    """Time ``looped(*inputs)`` against ``batched(*inputs)``, after checking that they agree.

    Agreement is that of `check_agreement` (in `utils.measuring.agreement`) within ``rtol`` and
    ``atol``; the calls that check it also warm up. Then both sides are timed in turn for
    ``budget`` seconds. In all this takes at most the budget and two calls of each side. The
    first input that has a length is the batch. A loop too slow for the budget is timed on the
    first items of the batch alone, if what it returns for these is the beginning of its whole
    result; the figure is marked.

    ``names`` are what the two are called, in words, tables and files. With ``cold`` each call
    gets another copy of the inputs, so many that no cache holds them, as it is with data that
    were just loaded; making them takes time and memory beside the budget. Nothing but the two
    functions is timed: to include the making of the batch, put it into ``batched``. ``threads``
    and ``device`` are as in `measure`.

    Raises `ResultMismatchError` if the results differ, `TypeError` if they cannot be compared,
    `ValueError` if a function changes its inputs in place or a setting is nonsense, and
    whatever the functions raise.
    """
    names = two_names(names)
    with undisturbed(budget, threads):
        loop, batch = Side(looped, inputs, device), Side(batched, inputs, device)
        expected, actual = first_result(loop, names[0]), first_result(batch, names[1])
        found = agreement_of(expected, actual, rtol, atol)
        rotation = rotate_copies((loop, batch)) if boolean("cold", cold) else ""

        deadline = deadline_in(budget)
        loop.keep_items(leading_items(loop, expected.at_return, budget / (2 * LEAST_PAIRS)))
        with watching() as watch:
            for side in (loop, batch):
                side.choose_repeats(budget / (2 * SAMPLES), deadline, watch)
            changed = changed_later(expected, actual)
            del expected, actual
            pairs = []
            for number in rounds_until(deadline):
                if loop_first := number % 2 == 0:
                    slow = loop.sample(watch)
                    fast = batch.sample(watch)
                else:
                    fast = batch.sample(watch)
                    slow = loop.sample(watch)
                pairs.append(Pair(looped=slow, batched=fast, loop_first=loop_first))

        if not pairs:  # no time was left: what has been timed has to do
            pairs = [Pair(looped=loop.one_call(), batched=batch.one_call(), loop_first=True)]
        kept = undoubted(pairs)
        slack, marks = slack_and_marks(kept)
        slower = loop.measurement([p.looped for p in kept], [p.looped for p in pairs])
        faster = batch.measurement([p.batched for p in kept], [p.batched for p in pairs])
        return Comparison(
            looped=slower,
            batched=faster,
            ratios=tuple(a / b for a, b in zip(slower.times, faster.times, strict=True)),
            agreement=found,
            rtol=rtol,
            atol=atol,
            names=names,
            slack=slack,
            marks=(*marks, *changed),
            rotation=rotation,
        )


class _Bar(tqdm):
    """A progress bar without the thread that watches over bars, and would outlive them."""

    monitor_interval = 0


def sweep(
    looped: Callable,
    batched: Callable,
    make_inputs: Callable[[int], object],
    sizes: Iterable[int],
    **settings: Any,
) -> Sweep:
    """Compare at each size: ``compare(looped, batched, *make_inputs(size), **settings)``.

    ``make_inputs`` returns a tuple of inputs, or a single one. A bar shows the progress. Stop it
    with Ctrl-C, or the square button in a notebook, to keep the sizes finished so far. They are
    kept also if a later size fails: the `Sweep` holds that size and its error. An error at the
    very first size is raised.
    """
    done = Sweep()
    with _Bar(list(sizes), desc="sizes", leave=False) as progress:
        try:
            for size in progress:
                inputs = make_inputs(size)
                inputs = inputs if isinstance(inputs, tuple) else (inputs,)
                done.append(compare(looped, batched, *inputs, **settings))
                done.sizes.append(size)
        except KeyboardInterrupt:
            progress.write(f"interrupted: {len(done)} of {progress.total} sizes were measured")
        except Exception as error:
            if not done:
                raise
            done.failed_size, done.error = size, error
    return done
