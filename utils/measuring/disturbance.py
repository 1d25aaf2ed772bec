"""How much of the time a machine spent on others while a function was timed.

A thread that could go on, but finds every core taken, waits in a queue. Linux counts this wait for
each thread (the second number in ``/proc/thread-self/schedstat``). Elsewhere it follows from two
clocks: a thread that was never put to sleep by its own doing, and yet was on a core for less time
than has passed, has waited for the rest. Where neither is known (Windows), no wait is told.

Sleeping, reading a file or waiting for another thread is no such wait: it is the function's own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

ALLOWED = 0.05  # a share of the time that may be lost without a word


@dataclass(frozen=True)
class Sample:
    """A stretch of calls between two looks at the clock; all times in seconds."""

    wall: float
    waited: float = 0.0  # part of `wall`: threads of this process waited for a core
    alone: bool = True  # one thread did all the work, so its wait can be taken off

    @property
    def seconds(self) -> float:
        """What the calls took, without a wait that is known to have been for nothing."""
        return self.wall - self.waited if self.alone else self.wall

    @property
    def doubt(self) -> float:
        """The share of `seconds` that may be a wait, and could not be taken off."""
        return 0.0 if self.alone else self.waited / self.wall


@dataclass(frozen=True)
class Reading:
    """What the clocks and counters of this process and thread say."""

    thread: float  # seconds on a core: this thread
    process: float  # and all threads
    queued: float | None  # seconds that threads waited for a core, where the system counts them
    sleeps: int | None  # how often this thread gave up its core by itself

    def sample(self, later: Reading, wall: float, device: torch.device) -> Sample:
        """What lay between this reading and a ``later`` one, of ``wall`` seconds."""
        worked = later.thread - self.thread
        waited = 0.0
        if self.queued is not None and later.queued is not None:
            waited = later.queued - self.queued
        if self.sleeps is not None and later.sleeps == self.sleeps:
            waited = max(waited, wall - worked)
        waited = min(max(waited, 0.0), 0.99 * wall)
        helped = later.process - self.process - worked > ALLOWED * wall
        computed = worked + waited > (1 - ALLOWED) * wall
        return Sample(wall, waited, device.type == "cpu" and computed and not helped)


class Watch:
    """Takes readings; `watching` makes one."""

    def __init__(self, queues: list[int]):
        self._queues = queues

    def read(self) -> Reading:
        """A reading of now, in some microseconds."""
        queued = sum(map(_nanoseconds_queued, self._queues)) / 1e9 if self._queues else None
        sleeps = None if resource is None else resource.getrusage(_WHO).ru_nvcsw
        return Reading(time.thread_time(), time.process_time(), queued, sleeps)


@contextmanager
def watching() -> Iterator[Watch]:
    """A `Watch` over this thread; over all of the process where PyTorch may use several."""
    paths = [Path("/proc/thread-self/schedstat")]
    if torch.get_num_threads() > 1 and paths[0].exists():
        paths = list(Path("/proc/self/task").glob("*/schedstat"))
    queues: list[int] = []
    for path in paths:
        with suppress(OSError):  # no such file on this system, or a thread that has just ended
            queues.append(os.open(path, os.O_RDONLY))
    try:
        yield Watch(queues)
    finally:
        for queue in queues:
            os.close(queue)


# macOS counts for the whole process only: then no sleep of any thread is certain to be none of ours
_WHO = getattr(resource, "RUSAGE_THREAD", getattr(resource, "RUSAGE_SELF", 0))


def _nanoseconds_queued(queue: int) -> int:
    try:
        return int(os.pread(queue, 100, 0).split()[1])
    except (OSError, IndexError):  # the thread has ended
        return 0
