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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import torch

from utils.devices import describe, device_of, tensors_in
from utils.measuring.agreement import check_agreement, kind
from utils.measuring.results import Measurement

TICK = 1e-9  # seconds; no call is shorter, whatever a coarse clock says

_one_at_a_time = threading.RLock()
_nested = threading.local()


class Side:
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
        self.estimate = max(perf_counter() - start, TICK)
        self.peak_bytes = None if base is None else self.memory() - base
        if isinstance(result, Iterator) or inspect.iscoroutine(result):
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
            elapsed = max(perf_counter() - start, TICK)
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
                elapsed = max(perf_counter() - start, TICK)
                check_agreement(_beginning(whole, k), part)
            except Exception:  # not a loop over the first dimension: it has to be timed whole
                break
            if elapsed > target and elapsed / k > 3 * self.estimate / rows:
                break  # its time is not in its items, and cannot be scaled by them
            fitting = int(k * target / elapsed)
            if fitting < 2 * k:
                if self.in_proportion(k, elapsed):
                    self.timed_items = k
                    return
                break
            k = fitting
        self.inputs = inputs

    def in_proportion(self, k: int, elapsed: float) -> bool:
        """Half the items take about half the time: no set-up outweighs them, no item grows."""
        if k < 4:
            return True
        start, whole = perf_counter(), self.inputs
        self.function(*(x[: k // 2] if _length(x) == k else x for x in whole))
        self.wait()
        return 0.3 < (perf_counter() - start) / elapsed < 0.75

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
        """What is known of the function, with these samples."""
        where = describe(self.device, self.dtype)
        counts = (self.calls, self.items, self.timed_items, self.peak_bytes)
        return Measurement(self.name, tuple(times), *counts, where)


def deadline_in(budget: float) -> float:
    """The reading of the clock when ``budget`` seconds from now have passed."""
    return perf_counter() + budget


def samples_until(deadline: float, sample: Callable) -> Iterator:
    """Take samples for as long as the next one, if it is like the last, ends in time."""
    start, last = perf_counter(), 0.0
    while start + last < deadline:
        yield sample()
        now = perf_counter()
        start, last = now, now - start


@contextmanager
def undisturbed(budget: float, threads: int | None) -> Iterator[None]:
    """No other measurement, no garbage collection, the wanted threads; all as before afterwards."""
    if not (isinstance(budget, int | float) and 0 < budget < math.inf):
        raise ValueError(f"budget is a time in seconds above 0, such as 0.1, but got {budget!r}.")
    most = max(os.cpu_count() or 1, torch.get_num_threads())
    if threads is not None and (type(threads) is not int or not 1 <= threads <= most):
        raise ValueError(
            f"threads is a whole number from 1 to this machine's {most}, but got {threads!r}."
        )
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
