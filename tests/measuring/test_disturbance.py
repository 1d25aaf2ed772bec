"""A wait for a core is known from the function's own time, on every kind of function."""

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import torch

from utils.measuring import disturbance
from utils.measuring.disturbance import Reading, Sample, watching
from utils.timing import compare

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
START = Reading(thread=5.0, process=9.0, queued=2.0, sleeps=7)

on_linux = pytest.mark.skipif(
    not os.path.exists("/proc/thread-self/schedstat"), reason="the system does not count waits"
)


def later(thread, process=None, queued=0.0, sleeps=0):
    """A reading after so many seconds of work and waiting, and so many sleeps."""
    process = thread if process is None else process
    return Reading(5.0 + thread, 9.0 + process, 2.0 + queued, 7 + sleeps)


@pytest.mark.parametrize(
    ("reading", "device", "seconds", "doubt"),
    [
        (later(1.0), CPU, 1.0, 0.0),  # nobody else was there
        (later(0.4, queued=0.6), CPU, 0.4, 0.0),  # one thread, which had to wait: taken off
        (later(0.4), CPU, 0.4, 0.0),  # the same where the queue is not counted: it never slept
        (later(0.1, sleeps=20), CPU, 1.0, 0.0),  # it slept, or read a file: its own time
        (later(0.1, queued=0.3, sleeps=20), CPU, 1.0, 0.3),  # and woke up late
        (later(0.7, process=1.4, queued=0.3), CPU, 1.0, 0.3),  # others helped: in doubt
        (later(0.4, queued=0.6), CUDA, 1.0, 0.6),  # a device worked meanwhile: in doubt
        (later(1.0, queued=0.0), CUDA, 1.0, 0.0),
    ],
)
def test_what_is_taken_off_and_what_is_in_doubt(reading, device, seconds, doubt):
    sample = START.sample(reading, wall=1.0, device=device)
    assert sample.seconds == pytest.approx(seconds)
    assert sample.doubt == pytest.approx(doubt)


def test_where_the_system_counts_nothing_no_wait_is_invented():
    before, after = Reading(5.0, 9.0, None, None), Reading(5.4, 9.4, None, None)
    assert before.sample(after, wall=1.0, device=CPU) == Sample(1.0, 0.0, alone=False)
    assert before.sample(after, wall=1.0, device=CPU).doubt == 0


def test_a_wait_is_never_longer_than_the_time_itself():
    sample = START.sample(later(1e-9, queued=5.0), wall=1.0, device=CPU)
    assert 0 < sample.seconds < sample.wall
    assert 0 < sample.waited < sample.wall


def sampled(function):
    with watching() as watch:
        before = watch.read()
        start = time.perf_counter()
        function()
        wall = time.perf_counter() - start
        return before.sample(watch.read(), wall, CPU)


def work(seconds=0.1):
    """Work for so many seconds of the thread's own time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(1000))


@contextmanager
def crowded():
    """This thread shares one core with a process that never rests."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    other = subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
    try:
        time.sleep(0.3)
        yield
    finally:
        other.kill()
        other.wait()
        os.sched_setaffinity(0, cores)


@on_linux
def test_a_shared_core_is_seen_and_taken_off():
    with crowded():
        sample = sampled(work)
    assert sample.waited > 0.2 * sample.wall
    assert sample.alone
    assert sample.seconds == pytest.approx(0.1, rel=0.25)


@on_linux
def test_sleeping_is_no_wait():
    sample = sampled(lambda: time.sleep(0.2))
    assert sample.seconds == sample.wall
    assert not sample.alone


@on_linux
def test_the_clocks_alone_see_a_shared_core_too(monkeypatch):
    monkeypatch.setattr(disturbance, "_nanoseconds_queued", lambda queue: 0)
    with crowded():
        sample = sampled(work)
    assert sample.waited > 0.2 * sample.wall or not sample.alone


def test_work_of_another_thread_is_not_taken_for_a_wait():
    other = threading.Thread(target=work, args=(0.2,))
    other.start()
    sample = sampled(other.join)
    assert not sample.alone
    assert sample.seconds == sample.wall


@on_linux
@pytest.mark.parametrize("ratio", [1, 10])
def test_beside_a_busy_process_nothing_false_is_told(ratio):
    def times(count):
        return lambda: max(sum(range(1000)) for _ in range(count))

    compare(times(1), times(1), budget=0.01)  # imports what it needs, while the core is free
    with crowded():
        found = compare(times(20 * ratio), times(20), budget=0.5, threads=1)
    assert found.disturbed > 0.2
    assert "this machine was busy" in repr(found)
    assert "this machine was busy" in found._repr_html_()
    true = ("faster", "unclear") if ratio == 10 else ("same", "unclear")
    assert found.outcome in true or found.marks


@on_linux
def test_files_are_closed_again():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with watching() as watch:
            watch.read()
    assert len(os.listdir("/proc/self/fd")) == before


@on_linux
def test_a_thread_that_ends_meanwhile_does_no_harm():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        with watching() as watch:
            watch.read()
            stop.set()
            other.join()
            assert watch.read().queued >= 0
    finally:
        torch.set_num_threads(threads)
