"""Batches are sent to a device one ahead, from pinned memory, without waiting."""

from collections import namedtuple
from itertools import islice

import pytest
import torch

from tests.measuring.test_async_device import SimulatedDevice
from utils.loading import ChunkedRows, on_device

ACCELERATOR = torch.accelerator.is_available()


class OnHost(torch.Tensor):
    """A tensor that can be pinned, and copied to a simulated device."""

    simulated, pinned = None, False

    def is_pinned(self):
        return self.pinned

    def pin_memory(self):
        copy = self.clone().as_subclass(OnHost)
        copy.simulated, copy.pinned = self.simulated, True
        return copy

    def to(self, device, non_blocking=False):
        assert torch.device(device) == self.simulated.device
        assert self.pinned
        assert non_blocking
        self.simulated.launch()
        return self.as_subclass(torch.Tensor)


def on_host(batches, device, asked):
    for batch in batches:
        asked.append(batch)
        host = batch.as_subclass(OnHost)
        host.simulated = device
        yield host


@pytest.fixture
def device():
    return SimulatedDevice(0)


def test_the_next_batch_is_on_its_way_when_one_is_handed_over(device):
    asked = []
    rows = ChunkedRows(torch.arange(50), batch_size=10, shuffle=True)
    got = []
    for number, batch in enumerate(on_device(on_host(rows, device, asked), "cuda:0")):
        assert len(asked) == device.events.count("launch") == min(number + 2, 5)
        got.append(batch)
    assert torch.cat(got).sort().values.tolist() == list(range(50))
    assert all(map(torch.equal, got, asked))
    device.queue.join()


def test_the_cpu_does_not_wait_for_the_device(device):
    for batch in on_device(on_host(torch.arange(60).split(10), device, []), "cuda:0"):
        device.launch(0.05)  # far longer than Python takes for all of them
        assert not device.idle
        assert len(batch) == 10
    assert device.queue.qsize() > 6  # of 12
    device.queue.join()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_batches_all_arrive(count, device):
    batches = torch.arange(3 * count).split(3) if count else ()
    got = list(on_device(on_host(batches, device, []), "cuda:0"))
    assert [batch.tolist() for batch in got] == [list(batch) for batch in batches]
    device.queue.join()


def test_batches_of_any_form_keep_it(device):
    Pair = namedtuple("Pair", "x y")
    (x,) = on_host([torch.arange(3)], device, [])
    for batch in ((x, 1), [x, "a"], {"x": x}, Pair(x, None), (x, {"y": [x]})):
        (got,) = on_device([batch], "cuda:0")
        assert type(got) is type(batch)
        assert str(got) == str(batch).replace("OnHost", "tensor")
    device.queue.join()


def test_for_the_cpu_batches_are_handed_on_as_they_come():
    asked = []
    batches = (asked.append(number) or torch.tensor(number) for number in range(5))
    assert [int(batch) for batch in islice(on_device(batches, "cpu"), 2)] == [0, 1]
    assert asked == [0, 1]


def test_an_error_reaches_the_caller_and_a_stop_ends_the_loader(device):
    ended = []

    def broken():
        try:
            yield from on_host(torch.arange(20).split(10), device, [])
            raise RuntimeError("no more")
        finally:
            ended.append(True)

    with pytest.raises(RuntimeError, match="no more"):
        list(on_device(broken(), "cuda:0"))
    batches = on_device(broken(), "cuda:0")
    next(batches)
    batches.close()
    assert len(ended) == 2
    device.queue.join()


@pytest.mark.accelerator
@pytest.mark.skipif(not ACCELERATOR, reason="needs an accelerator")
def test_a_real_device_gets_the_same_numbers():
    device = torch.accelerator.current_accelerator()
    rows = torch.rand(1000, 64)
    loader = ChunkedRows(rows, batch_size=96, shuffle=True)
    got = [batch.cpu() for batch in on_device(loader, device)]
    loader.set_epoch(0)
    assert all(map(torch.equal, got, loader))
