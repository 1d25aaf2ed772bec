"""Devices that work while Python goes on: the clock is read only after they have finished.

No accelerator is needed: a thread that takes work from a queue stands for one, and
`torch.accelerator` is patched to it. The tests at the end use a real one where there is one.
"""

import itertools
import queue
import threading
import time

import pytest
import torch

from utils.measuring import stopwatch
from utils.measuring.roofline import copy_bandwidth, matmul_rate
from utils.timing import compare, measure

WORK = 0.004  # seconds that a piece of work takes on the simulated device


class SimulatedDevice:
    """Work is queued and done by a thread, in order; everything that happens is written down."""

    def __init__(self, index):
        self.device = torch.device("cuda", index)
        self.queue, self.events, self.peak = queue.Queue(), [], 0
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while True:
            time.sleep(self.queue.get())
            self.queue.task_done()

    def launch(self, seconds=WORK):
        self.events.append("launch")
        self.queue.put(seconds)

    @property
    def idle(self):
        return self.queue.unfinished_tasks == 0


class OnDevice(torch.Tensor):
    """A tensor of the CPU that says it is on a simulated device."""

    @staticmethod
    def on(device, data):
        tensor = data.as_subclass(OnDevice)
        tensor.simulated = device
        return tensor

    @property
    def device(self):
        return self.simulated.device


@pytest.fixture
def devices(monkeypatch):
    """Two simulated devices, ``cuda:0`` and ``cuda:1``."""
    both = {torch.device("cuda", index): SimulatedDevice(index) for index in (0, 1)}

    def synchronize(device):
        both[device].events.append("synchronise")
        both[device].queue.join()

    def max_memory_allocated(device):
        return both[device].peak

    def perf_counter():
        for device in both.values():
            device.events.append("clock" if device.idle else "clock while busy")
        return time.perf_counter()

    monkeypatch.setattr(torch.accelerator, "synchronize", synchronize)
    monkeypatch.setattr(torch.accelerator, "max_memory_allocated", max_memory_allocated)
    monkeypatch.setattr(torch.accelerator, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(stopwatch, "perf_counter", perf_counter)
    monkeypatch.setattr("utils.devices._hardware", lambda device: "simulated")
    return list(both.values())


def looped(rows):
    for _ in range(5):
        rows.simulated.launch()
    return torch.zeros(5)


def batched(rows):
    rows.simulated.launch()
    return torch.zeros(5)


def test_the_time_is_that_of_the_work_and_not_of_the_launch(devices):
    measurement = measure(batched, OnDevice.on(devices[1], torch.zeros(5)), budget=0.05)
    assert WORK <= measurement.median < 10 * WORK
    assert measurement.conditions.device == "cuda:1"
    assert measurement.conditions.hardware == "simulated"


def test_the_speedup_is_that_of_the_work(devices):
    comparison = compare(looped, batched, OnDevice.on(devices[0], torch.zeros(5)), budget=0.3)
    assert 2 < comparison.speedup < 12  # five pieces of work against one


def test_without_synchronising_the_figure_would_be_absurd(devices, monkeypatch):
    honest = measure(batched, OnDevice.on(devices[0], torch.zeros(5)), budget=0.05)
    monkeypatch.setattr(torch.accelerator, "synchronize", lambda device: None)
    absurd = measure(batched, OnDevice.on(devices[0], torch.zeros(5)), budget=0.002)
    assert absurd.median < WORK / 2 < honest.median


def test_the_clock_is_read_only_when_the_device_is_idle(devices):
    compare(looped, batched, OnDevice.on(devices[1], torch.zeros(5)), budget=0.1)
    used = devices[1].events
    assert "clock while busy" not in used
    assert used.count("clock") > 4
    for before, after in itertools.pairwise(used):
        if after == "launch":
            assert before in ("clock", "launch", "synchronise"), "work began before the clock"


def test_work_queued_earlier_is_not_counted(devices):
    for _ in range(10):
        devices[0].launch(0.01)
    measurement = measure(batched, OnDevice.on(devices[0], torch.zeros(5)), budget=0.02)
    assert measurement.median < 0.05


def test_no_other_device_is_synchronised(devices):
    measure(batched, OnDevice.on(devices[1], torch.zeros(5)), budget=0.02)
    assert "synchronise" in devices[1].events
    assert "synchronise" not in devices[0].events


def test_the_cpu_waits_for_nothing(devices):
    measure(torch.neg, torch.zeros(5), budget=0.01)
    assert all("synchronise" not in device.events for device in devices)


def test_a_device_that_no_tensor_shows_can_be_named(devices):
    def hidden():
        devices[1].launch()

    assert WORK <= measure(hidden, budget=0.05, device="cuda:1").median < 10 * WORK


def test_peak_memory_is_what_the_call_added(devices):
    def greedy(rows):
        devices[0].peak = 3000
        return torch.zeros(5)

    devices[0].peak = 1000
    measurement = measure(greedy, OnDevice.on(devices[0], torch.zeros(5)), budget=0.01)
    assert measurement.peak_bytes == 2000
    assert "1.95 KiB at the peak" in repr(measurement)
    assert measure(torch.neg, torch.zeros(5), budget=0.01).peak_bytes is None


def test_limits_of_the_cpu_are_plausible_and_measured_once():
    start = time.perf_counter()
    bandwidth, rate = copy_bandwidth("cpu"), matmul_rate("cpu")
    assert 1e8 < bandwidth < 1e13
    assert 1e8 < rate < 1e15
    assert time.perf_counter() - start < 10
    assert (copy_bandwidth("cpu"), matmul_rate("cpu")) == (bandwidth, rate)


@pytest.mark.accelerator
class TestOnARealAccelerator:
    device = "cuda" if torch.cuda.is_available() else None

    @pytest.fixture(autouse=True)
    def its_device(self):
        self.device = torch.accelerator.current_accelerator()

    def test_a_large_product_takes_as_long_as_its_arithmetic(self):
        a = torch.rand(4096, 4096, device=self.device)
        measurement = measure(torch.mm, a, a, budget=0.3)
        assert measurement.conditions.device.startswith(self.device.type)
        launched = time.perf_counter()
        a @ a
        launched = time.perf_counter() - launched
        torch.accelerator.synchronize()
        assert measurement.median > 2 * launched

    def test_a_batch_beats_its_loop_and_agrees_with_it(self):
        rows = torch.rand(256, 64, device=self.device)
        comparison = compare(lambda rows: [r.sum() for r in rows], lambda rows: rows.sum(1), rows)
        assert comparison.conclusive
        assert comparison.speedup > 1

    def test_memory_is_told(self):
        a = torch.zeros(2**20, device=self.device)
        peak = measure(lambda a: a + 1, a, budget=0.02).peak_bytes
        assert peak is None or 2**22 <= peak < 2**24

    def test_limits(self):
        assert copy_bandwidth(self.device) > 1e9
        assert matmul_rate(self.device) > 1e10
