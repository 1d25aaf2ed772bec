"""`utils.measuring.counting`, `utils.measuring.memory` and `utils.devices`: counted, not timed."""

import collections
import dataclasses

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


NUMBERS = torch.zeros(100, 100)
NUMBERS[0, :10] = 1
PARTS = [torch.zeros(10, 2), torch.zeros(5, 2)]


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda: NUMBERS.to_sparse(), 10 * (2 * 8 + 4)),  # two indices and a value
        (lambda: [NUMBERS.to_sparse(), NUMBERS.to_sparse()], 2 * 10 * (2 * 8 + 4)),
        (lambda: NUMBERS.to_sparse().to_dense(), 10 * (2 * 8 + 4) + 40_000),
        (lambda: torch.nested.nested_tensor(PARTS), 15 * 2 * 4),
        (lambda: torch.quantize_per_tensor(NUMBERS, 0.1, 0, torch.quint8), 10_000),
        (lambda: NUMBERS.to(torch.float8_e4m3fn), 10_000),
        (lambda: torch.complex(NUMBERS, NUMBERS).real, 80_000),
        (lambda: torch.add(NUMBERS, 1, out=torch.empty(0)), 40_000),
        (lambda: torch.empty(10).resize_(1000), 4000),
        (lambda: NUMBERS.view(torch.int32), 0),
    ],
)
@pytest.mark.filterwarnings("ignore")  # nested, quantised and sparse tensors are prototypes
def test_peak_memory_of_any_kind_of_tensor(make, size):
    assert peak_bytes(make) == size


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", [torch.sparse_csr, torch.sparse_csc, torch.jagged])
def test_peak_memory_of_compressed_and_jagged_tensors(layout):
    if layout is torch.jagged:
        given = torch.nested.nested_tensor(PARTS, layout=layout)
        assert peak_bytes(lambda: given * 2) >= 15 * 2 * 4
    else:
        assert 10 * (8 + 4) < peak_bytes(lambda: NUMBERS.to_sparse(layout=layout)) < 2000


def test_peak_memory_of_results_in_any_container():
    @dataclasses.dataclass
    class Both:
        one: torch.Tensor
        other: torch.Tensor

    Pair = collections.namedtuple("Pair", "one other")
    for hold in (Both, Pair, lambda *both: {"both": both}):
        assert peak_bytes(lambda hold=hold: hold(NUMBERS + 1, NUMBERS + 2)) == 80_000


def test_peak_memory_that_cannot_be_told_is_refused():
    with pytest.raises(TypeError, match=r"layout torch\._mkldnn"):
        peak_bytes(lambda: NUMBERS.to_mkldnn())
    with pytest.raises(TypeError, match="its work has not begun"):
        peak_bytes(lambda: (row + 1 for row in NUMBERS))


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
