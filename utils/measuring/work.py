"""What a function does while it runs, seen so that a loop finds no place to hide.

`utils.measuring.counting.count_calls` counts what a function itself calls. That is what a reader
wants to know, and misses a loop in a thread pool, in compiled code or in NumPy. `observe` looks at
the whole process instead: PyTorch's profiler is told of every operation, whatever thread or
compiler it comes from, and Python's trace function of every line.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType

import torch.overrides
from torch import autograd
from torch._C._profiler import _ExperimentalConfig

from utils.measuring import counting

_NOT_TRACED = {torch.overrides.__file__, counting.__file__}  # they run once for each call counted


@dataclass(frozen=True)
class Work:
    """What `observe` saw."""

    result: object  # what the function returned
    calls: Counter[str]  # PyTorch functions that it called itself, as `count_calls` counts them
    operations: Counter[str]  # of all threads and of compiled code; not those inside of others
    lines: int  # lines of Python, libraries' included
    busiest: str  # the Python function that most of the lines belong to


def observe(function: Callable, *inputs: object) -> Work:
    """Run ``function(*inputs)`` once and say what it did.

    Operations are those of the whole process while it ran: of Python's threads, of `torch.jit` and
    of autograd. None are seen while somebody else uses the profiler, of which there can be only
    one. Lines are those of this thread, and of threads that the function starts. Raises whatever
    the function raises.
    """
    with (
        _seen_by_profiler() as events,
        counting.counted_calls() as calls,
        _traced_lines() as lines,
    ):
        result = function(*inputs)
    busiest = lines.most_common(1)[0][0].co_name if lines else ""
    return Work(result, calls, _outermost(events), lines.total(), busiest)


@contextlib.contextmanager
def _traced_lines() -> Iterator[Counter[CodeType]]:
    """Lines of Python run inside, by the code that they belong to."""
    lines: Counter[CodeType] = Counter()
    lock = threading.Lock()

    def trace(frame, event, argument):
        if frame.f_code.co_filename in _NOT_TRACED:
            return None
        if event == "line":
            with lock:
                lines[frame.f_code] += 1
        return trace

    before = sys.gettrace(), threading.gettrace()
    collecting = gc.isenabled()
    gc.disable()  # a finaliser's lines would be counted, too
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])  # type: ignore[arg-type]  # None is what there is at first
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _seen_by_profiler() -> Iterator[list]:
    """The profiler's events, once the context is left; none if it is in use already."""
    events: list = []
    config = autograd.ProfilerConfig(
        *(autograd.ProfilerState.KINETO, False, False, False, False, False),
        _ExperimentalConfig(profile_all_threads=True),
    )
    activities = {autograd.ProfilerActivity.CPU}
    try:
        with quiet_profiler():
            autograd._prepare_profiler(config, activities)
            autograd._enable_profiler(config, activities)
    except RuntimeError:
        yield events
        return
    try:
        yield events
    finally:
        events += autograd._disable_profiler().events()


@contextlib.contextmanager
def quiet_profiler() -> Iterator[None]:
    """Keep the profiler from announcing itself in this process, if its first start is inside.

    It reads the level then, and never again.
    """
    before = os.environ.get("KINETO_LOG_LEVEL")
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")
    try:
        yield
    finally:
        if before is None:
            del os.environ["KINETO_LOG_LEVEL"]


def _outermost(events: list) -> Counter[str]:
    """How often each operation ran that is not part of another one."""
    operations: Counter[str] = Counter()
    ordered = sorted(
        (event for event in events if _is_operation(event.name())),
        key=lambda event: (event.start_thread_id(), event.start_ns(), -event.end_ns()),
    )
    for _, of_thread in itertools.groupby(ordered, key=lambda event: event.start_thread_id()):
        end = -1
        for event in of_thread:
            if event.start_ns() >= end:
                operations[event.name()] += 1
                end = event.end_ns()
    return operations


def _is_operation(name: str) -> bool:
    """Whether an event is an operation, and not a step of autograd or a user's annotation."""
    return "::" in name and not name.startswith(("autograd::", "torch::"))
