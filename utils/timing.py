"""Time PyTorch functions fairly, and compare a loop with its batch.

Three ideas carry this module:

1.  No speed without agreement. `compare` first checks that both functions return the same.
2.  Both sides take turns. When the machine slows down for a moment it slows both, and the ratio
    of two neighbouring samples still holds. The speedup is the median of these ratios.
3.  It says how sure it is. The interval comes from the ratios themselves; where it holds 1, the
    comparison is "not conclusive".

`measure` times one function, `compare` two, and `sweep` two over a range of sizes. What they
return is in `utils.results`, and what it means to agree in `utils.agreement`.
"""

from __future__ import annotations

import gc
import inspect
import itertools
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import torch
from tqdm import tqdm

from utils.agreement import check_agreement, kind
from utils.devices import describe, device_of, tensors_in
from utils.results import Comparison, Measurement, Sweep

SAMPLES = 40  # a budget is cut into so many samples, if a call is short enough
LEAST_PAIRS = 6  # fewer cannot give a 95 % interval

_one_at_a_time = threading.RLock()
_nested = threading.local()


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
    with _undisturbed(budget, threads):
        side = _Side(function, inputs, device)
        side.first_call()
        deadline = perf_counter() + budget
        side.choose_repeats(budget / SAMPLES, deadline)
        times = list(_until(deadline, side.sample)) or [side.estimate]
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

    Agreement is that of `utils.agreement.check_agreement` within ``rtol`` and ``atol``; the calls
    that check it also warm up. Then both sides are timed in turn for ``budget`` seconds. In all
    this takes at most the budget and two calls of each side. The first input that has a length is
    the batch. A loop too slow for the budget is timed on the first items of the batch alone, if
    what it returns for these is the beginning of its whole result; the figure is marked.

    Nothing but the two functions is timed: to include the making of the batch, put it into
    ``batched``. ``threads`` and ``device`` are as in `measure`.

    Raises `ResultMismatchError` if the results differ, `TypeError` if they cannot be compared,
    `ValueError` if a function changes its inputs or a setting is nonsense, and whatever the
    functions raise.
    """
    with _undisturbed(budget, threads):
        loop, batch = _Side(looped, inputs, device), _Side(batched, inputs, device)
        expected, actual = loop.first_call(pure=True), batch.first_call(pure=True)
        agreement = check_agreement(expected, actual, rtol=rtol, atol=atol)
        deadline = perf_counter() + budget
        loop.shorten(expected, budget / (2 * LEAST_PAIRS))
        del expected, actual
        for side in (loop, batch):
            side.choose_repeats(budget / (2 * SAMPLES), deadline)
        turns = itertools.cycle([(loop, batch), (batch, loop)])

        def pair() -> tuple[float, float]:
            taken = {side: side.sample() for side in next(turns)}
            return taken[loop], taken[batch]

        pairs = list(_until(deadline, pair)) or [(loop.estimate, batch.estimate)]
        ratios = tuple(slow / fast for slow, fast in pairs)
        measurements = map(_Side.measurement, (loop, batch), zip(*pairs, strict=True))
        return Comparison(*measurements, ratios, agreement, rtol, atol)


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
    with tqdm(list(sizes), desc="sizes", leave=False) as progress:
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


class _Side:
    """One of the functions under test, and how often it is called in a sample."""

    def __init__(self, function: Callable, inputs: tuple, device: torch.device | str | None):
        if not callable(function):
            raise TypeError(f"Expected a function to time, but got {kind(function)}.")
        self.function, self.inputs = function, inputs
        self.name = getattr(function, "__name__", type(function).__name__)
        self.device = device_of(*inputs) if device is None else torch.device(device)
        self.dtype = next((t.dtype for t in tensors_in(inputs)), None)
        self.items = self.timed_items = next(filter(None, map(_length, inputs)), None)
        self.repeats, self.calls = 1, 0

    def first_call(self, pure: bool = False) -> object:
        """Warm up and return the result; if ``pure``, insist on one, and on unchanged inputs."""
        before = _versions(self.inputs)
        self.wait()
        base = self.memory(reset=True)
        start = perf_counter()
        with _naming(self.name):
            result = self.function(*self.inputs)
        self.device = device_of(self.inputs, result) if self.device.type == "cpu" else self.device
        self.wait()
        self.estimate = perf_counter() - start
        self.peak_bytes = None if base is None else self.memory() - base
        if inspect.isgenerator(result) or inspect.iscoroutine(result):
            raise TypeError(
                f"{self.name} returned a {type(result).__name__}: its work has not begun, so its "
                "time would mean nothing. Return a list or a tensor instead."
            )
        if pure and result is None:
            raise TypeError(f"{self.name} returned None: nothing to compare. Return the result.")
        if pure and before != _versions(self.inputs):
            raise ValueError(
                f"{self.name} changes its inputs in place (they are changed now), so the next call "
                "would work on other data. Let it work on a copy: x = x.clone()."
            )
        return result

    def sample(self) -> float:
        """Time `repeats` calls, each result dropped at once; return seconds for one.

        Short calls follow one that is not timed: the other side has just had the caches.
        """
        function, inputs = self.function, self.inputs
        with _naming(self.name):
            if self.repeats > 1:
                function(*inputs)
            self.wait()
            start = perf_counter()
            for _ in itertools.repeat(None, self.repeats):
                function(*inputs)
            self.wait()
            elapsed = perf_counter() - start
        self.calls += self.repeats
        return elapsed / self.repeats * (self.items / self.timed_items if self.items else 1)

    def choose_repeats(self, target: float, deadline: float) -> None:
        """Let a sample be as many calls as take about ``target`` seconds."""
        if perf_counter() < deadline:  # else there is no time left, and the first call has to do
            self.estimate = self.sample()
        share = self.timed_items / self.items if self.items else 1
        self.repeats = max(1, round(target / max(self.estimate * share, 1e-7)))
        self.calls = 1

    def shorten(self, whole: object, target: float) -> None:
        """Keep only the first items if all of them take longer than ``target`` seconds."""
        rows, inputs = self.items, self.inputs
        k = max(1, int((rows or 1) * target / self.estimate))
        while rows and k < rows:
            self.inputs = tuple(x[:k] if _length(x) == rows else x for x in inputs)
            start = perf_counter()
            try:
                part = self.function(*self.inputs)
                self.wait()
                elapsed = perf_counter() - start
                check_agreement(_beginning(whole, k), part)
            except Exception:  # not a loop over the first dimension: it has to be timed whole
                break
            if elapsed > target and elapsed / k > 3 * self.estimate / rows:
                break  # its time is not in its items, and cannot be scaled by them
            fitting = int(k * target / elapsed)
            if fitting < 2 * k:
                self.timed_items = k
                return
            k = fitting
        self.inputs = inputs

    def wait(self) -> None:
        """Wait until the device has done all its work; a CPU has when the call returns."""
        if self.device.type not in ("cpu", "meta"):
            torch.accelerator.synchronize(self.device)

    def memory(self, reset: bool = False) -> int | None:
        """Bytes allocated at the peak so far (``reset``: now, where a new peak starts)."""
        if self.device.type in ("cpu", "meta"):
            return None
        try:
            if reset:
                torch.accelerator.reset_peak_memory_stats(self.device)
            return torch.accelerator.max_memory_allocated(self.device)
        except (RuntimeError, NotImplementedError):  # not every accelerator keeps count
            return None

    def measurement(self, times: Iterable[float]) -> Measurement:
        where = describe(self.device, self.dtype)
        counts = (self.calls, self.items, self.timed_items, self.peak_bytes)
        return Measurement(self.name, tuple(times), *counts, where)


def _until(deadline: float, sample: Callable) -> Iterator:
    """Take samples for as long as the next one, if it is like the last, ends in time."""
    start, last = perf_counter(), 0.0
    while start + last < deadline:
        yield sample()
        now = perf_counter()
        start, last = now, now - start


@contextmanager
def _undisturbed(budget: float, threads: int | None) -> Iterator[None]:
    """No other measurement, no garbage collection, the wanted threads; all as before afterwards."""
    if not (isinstance(budget, int | float) and 0 < budget < math.inf):
        raise ValueError(f"budget is a time in seconds above 0, such as 0.1, but got {budget!r}.")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads is a whole number from 1 on, but got {threads!r}.")
    if getattr(_nested, "running", False):
        raise RuntimeError(
            "A function that is being timed measures something itself, and the one would spoil "
            "the other. Measure the inner function on its own."
        )
    with _one_at_a_time:
        collecting, threads_before = gc.isenabled(), torch.get_num_threads()
        try:
            _nested.running = True
            gc.disable()
            if threads not in (None, threads_before):
                torch.set_num_threads(threads)
            yield
        finally:
            _nested.running = False
            if torch.get_num_threads() != threads_before:
                torch.set_num_threads(threads_before)
            if collecting:
                gc.enable()


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Let an error say which function raised it."""
    try:
        yield
    except Exception as error:
        error.add_note(f"(raised by {name} while it was timed)")
        raise


def _length(value: object) -> int | None:
    """How many items a batch has; None for what is no batch."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return value.shape[0] if value.ndim else None
    return len(value) if isinstance(value, list | tuple) else None


def _beginning(result: object, k: int) -> object:
    """The first ``k`` rows of a result, or of each part of it."""
    if isinstance(result, dict):
        return {name: _beginning(part, k) for name, part in result.items()}
    if isinstance(result, tuple):
        return tuple(_beginning(part, k) for part in result)
    return result[:k]


def _versions(inputs: tuple) -> list[int]:
    """PyTorch counts the in-place changes of each tensor, those made in inference mode aside."""
    return [t._version for t in tensors_in(inputs) if not t.is_inference()]
