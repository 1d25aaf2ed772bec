"""`utils.measuring.counting`, `utils.measuring.memory` and `utils.devices`: counted, not timed."""

import pytest
import torch

from utils import devices
from utils.measuring.counting import count_calls
from utils.measuring.memory import peak_bytes

ROWS = torch.ones(5, 3)


def test_a_loop_calls_for_every_row_and_a_batch_once():
    for n in (1, 5, 50):
        rows = torch.ones(n, 3)
        assert count_calls(lambda rows: [row.sum() for row in rows], rows)["Tensor.sum"] == n
        assert count_calls(lambda rows: rows.sum(dim=1), rows).total() == 1


def test_looks_at_a_tensor_are_no_calls():
    def look(rows):
        return rows.shape, rows.dtype, rows.device, rows.ndim, rows.dim(), rows.numel(), len(rows)

    assert count_calls(look, ROWS).total() == 0


def test_what_pytorch_calls_inside_is_not_counted():
    layer = torch.nn.Linear(3, 2)
    assert count_calls(layer, ROWS) == {"nn.functional.linear": 1}
    targets = torch.zeros(5, dtype=torch.int64)
    counts = count_calls(torch.nn.functional.cross_entropy, ROWS, targets)
    assert counts == {"nn.functional.cross_entropy": 1}


def test_peak_memory_counts_what_lives_at_once():
    numbers = torch.zeros(1000)  # 4,000 bytes
    assert peak_bytes(lambda x: x + 1, numbers) == 4000
    assert peak_bytes(lambda x: (x + 1) + (x + 2), numbers) == 12000
    assert peak_bytes(lambda x: x.view(10, 100).T, numbers) == 0

    def one_after_the_other(x):
        for _ in range(10):
            x + 1

    assert peak_bytes(one_after_the_other, numbers) == 4000


def test_peak_memory_does_not_count_what_existed_before():
    weight = torch.zeros(1000, 1000)
    assert peak_bytes(lambda x: x @ weight.T, torch.zeros(1, 1000)) == 4000
    assert peak_bytes(torch.nn.Linear(1000, 1000), torch.zeros(1, 1000)) == 4000


def test_an_iterator_has_not_done_its_calls_yet():
    with pytest.raises(TypeError, match="its work has not begun"):
        count_calls(lambda rows: map(torch.sum, rows), ROWS)


def test_peak_memory_of_what_would_never_fit():
    huge = torch.empty(10**6, 10**6, device="meta")
    assert peak_bytes(lambda x: x + 1, huge) == 4 * 10**12


def test_the_cpu_is_always_there_and_has_memory():
    assert devices.available_devices()[0] == torch.device("cpu")
    assert devices.default_device() in devices.available_devices()
    assert 0 < devices.free_bytes("cpu") < 2**50


@pytest.mark.accelerator
def test_an_accelerator_is_found_and_described():
    device = devices.default_device()
    assert device.type == torch.accelerator.current_accelerator().type
    assert devices.device_of([torch.zeros(1, device=device)]) == device
    assert devices.free_bytes(device) > 0
    assert str(device) in str(devices.describe())


def test_tensors_are_found_in_nested_values():
    a, b, c = torch.zeros(1), torch.zeros(2), torch.zeros(3)
    assert [len(t) for t in devices.tensors_in([a, {"x": (b, "text")}, [[c]]])] == [1, 2, 3]
    assert devices.device_of([a, {"x": b}], 3, "text") == torch.device("cpu")


def test_a_description_is_a_caption():
    with torch.no_grad():
        told = str(devices.describe("cpu", torch.float32))
    for part in ("cpu (", "float32", "thread", "grad mode off", torch.__version__):
        assert part in told
