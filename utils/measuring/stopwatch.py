"""How one function is called and timed: warm-up, repeats, waiting for the device, clean-up.

`utils.timing` says what is measured and compared; this module holds the stopwatch.
"""

from __future__ import annotations

import gc
import inspect
import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import torch

from utils.arguments import positive
from utils.devices import describe, device_of
from utils.measuring.disturbance import Sample, Watch
from utils.measuring.pairs import in_doubt, lost
from utils.measuring.results import Measurement
from utils.tensors import first_items, kind, length, tensors_in

TICK = 1e-9  # seconds; no call is shorter, whatever a coarse clock says

_one_at_a_time = threading.RLock()
_nested = threading.local()


class Side:
    """One of the functions under test, its inputs, and how often it is called in a sample."""

    def __init__(self, function: Callable, inputs: tuple, device: torch.device | str | None):
        if not callable(function):
            raise TypeError(f"Expected a function to time, but got {kind(function)}.")
        self.function, self.inputs = function, inputs
        self.name = getattr(function, "__name__", type(function).__name__)
        self.device = device_of(*inputs) if device is None else torch.device(device)
        dtypes = [tensor.dtype for tensor in tensors_in(inputs)]
        # indices come with what they are indices into, and say less
        self.dtype = next((d for d in dtypes if d.is_floating_point), next(iter(dtypes), None))
        self.items = next(filter(None, map(length, inputs)), None)
        self.timed_items = self.items
        self.repeats = 1
        self.peak_bytes: int | None = None
        self._one_call = Sample(math.inf)
        self.rotate([inputs])

    def first_call(self) -> object:
        """Warm up and return the result."""
        self.wait()
        base = self._peak(reset=True)
        result, seconds = self.time_once(self.inputs)
        self._one_call = Sample(seconds)
        peak = self._peak()
        self.peak_bytes = None if base is None or peak is None else peak - base
        if isinstance(result, Iterator) or inspect.iscoroutine(result):
            raise TypeError(
                f"{self.name} returned a {type(result).__name__}: its work has not begun, so its "
                "time would mean nothing. Return a list or a tensor instead."
            )
        return result

    def time_once(self, inputs: tuple) -> tuple[object, float]:
        """Call the function; its result, and the seconds until the device has finished."""
        self.wait()
        start = perf_counter()
        with _naming(self.name):
            result = self.function(*inputs)
        if self.device.type == "cpu":
            self.device = device_of(inputs, result)
        self.wait()
        return result, max(perf_counter() - start, TICK)

    def sample(self, watch: Watch) -> Sample:
        """Time `repeats` calls, each result dropped at once.

        Short calls follow one that is not timed: the other side has just had the caches.
        """
        function, turns = self.function, self._next
        with _naming(self.name):
            if self.repeats > 1:
                function(*next(turns))
            self.wait()
            before = watch.read()
            start = perf_counter()
            for inputs in itertools.islice(turns, self.repeats):
                function(*inputs)
            self.wait()
            wall = max(perf_counter() - start, TICK)
            after = watch.read()
        return before.sample(after, wall, self.device)

    def choose_repeats(self, target: float, deadline: float, watch: Watch) -> None:
        """Let a sample be as many calls as take about ``target`` seconds."""
        if perf_counter() < deadline:  # else there is no time left, and the first call has to do
            self._one_call = self.sample(watch)
        self.repeats = max(1, round(target / max(self._one_call.seconds, 1e-7)))

    def one_call(self) -> Sample:
        """The last single call that was timed, where there was no time for samples."""
        self.repeats = 1
        return self._one_call

    def keep_items(self, count: int | None) -> None:
        """From now on, time the first ``count`` items of the batch only; None: all of them."""
        if count is not None and self.items:
            self._one_call = Sample(self._one_call.seconds * count / self.items)
            self.timed_items = count
            self.rotate([first_items(inputs, count) for inputs in self._turns])

    def rotate(self, turns: Sequence[tuple]) -> None:
        """From now on, call with each of these inputs in turn."""
        self._turns, self._next = turns, itertools.cycle(turns)

    def per_call(self, sample: Sample) -> float:
        """Seconds for one call; scaled to all items where fewer are timed."""
        scale = self.items / self.timed_items if self.items and self.timed_items else 1.0
        return sample.seconds / self.repeats * scale

    def wait(self) -> None:
        """Wait until the device has done all its work; a CPU has when the call returns."""
        if self.device.type not in ("cpu", "meta"):
            torch.accelerator.synchronize(self.device)

    def _peak(self, reset: bool = False) -> int | None:
        """Bytes allocated at the peak so far (``reset``: now, where a new peak starts)."""
        if self.device.type in ("cpu", "meta"):
            return None
        try:
            if reset:
                torch.accelerator.reset_peak_memory_stats(self.device)
            return torch.accelerator.max_memory_allocated(self.device)
        except (RuntimeError, NotImplementedError):  # not every accelerator keeps count
            return None

    def measurement(self, kept: Sequence[Sample], taken: Sequence[Sample]) -> Measurement:
        """What is known of the function, from the samples ``kept`` of those ``taken``."""
        return Measurement(
            name=self.name,
            times=tuple(map(self.per_call, kept)),
            repeats=self.repeats,
            items=self.items,
            timed_items=self.timed_items,
            peak_bytes=self.peak_bytes,
            conditions=describe(self.device, self.dtype),
            disturbed=lost(taken),
            doubt=in_doubt(kept),
        )


def deadline_in(budget: float) -> float:
    """The reading of the clock when ``budget`` seconds from now have passed."""
    return perf_counter() + budget


def rounds_until(deadline: float) -> Iterator[int]:
    """0, 1, 2, … for as long as the next round, if it is as short as the shortest, ends in time."""
    start, shortest = perf_counter(), 0.0
    for number in itertools.count():
        if start + shortest >= deadline:
            return
        yield number
        now = perf_counter()
        shortest = min(now - start, shortest or math.inf)
        start = now


@contextmanager
def undisturbed(budget: float, threads: int | None) -> Iterator[None]:
    """No other measurement, no garbage collection, the wanted threads; all as before afterwards."""
    if not (isinstance(budget, int | float) and 0 < budget < math.inf):
        raise ValueError(f"budget is a time in seconds above 0, such as 0.1, but got {budget!r}.")
    most = max(os.cpu_count() or 1, torch.get_num_threads())
    if threads is not None and (threads := positive("threads", threads)) > most:
        raise ValueError(f"threads is at most this machine's {most}, but got {threads}.")
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
