"""A race leaves the session as it was, refuses what would not fit, says what it cannot know."""

import functools
import gc
import random

import numpy as np
import pytest
import torch

from utils.explorer.race import Race
from utils.explorer.watch import Lookout
from utils.explorer.words import limit_in_words

SETTINGS = {"batch_size": 8, "device": "cpu", "threads": 1}
MUCH = 2**40


def loop(rows):
    return [row.sum() for row in rows]


def batch(rows):
    return rows.sum(dim=1)


def ones(batch_size, device):
    return torch.ones(batch_size, 4, device=device)


def race(looped, batched, inputs=ones):
    return Race({"": (looped, batched)}, inputs, 0.01, ("loop", "batch"))


def remembered_by_cache():
    rows_of = functools.cache(lambda size: torch.arange(4.0).repeat(size, 1))
    return (lambda rows: (rows * rows_of(len(rows))).sum(1)), lambda: rows_of(8)[1].tolist()


def remembered_in_dict():
    known = {}

    def scale(rows):
        known.setdefault(rows.shape, torch.arange(4.0, device=rows.device))
        return (rows * known[rows.shape]).sum(1)

    return scale, lambda: next(iter(known.values())).tolist()


def remembered_in_module():
    class Scale(torch.nn.Module):
        def forward(self, rows):
            self.last = torch.arange(4.0, device=rows.device)
            return (rows * self.last).sum(1)

    module = Scale()
    return module, lambda: module.last.tolist()


def made_when_first_needed():
    buffer = []

    def scale(rows):
        if not buffer:
            buffer.append(torch.arange(4.0).to(rows.device))
        return rows @ buffer[0]

    return scale, lambda: buffer[0].tolist()


def lazy_layer():
    layer = torch.nn.LazyLinear(1, bias=False)

    def scale(rows):
        layer(rows)
        return rows @ torch.arange(4.0)

    return scale, lambda: [float(k) if layer.weight.shape == (1, 4) else None for k in range(4)]


def remembered_as_attribute():
    def scale(rows):
        scale.seen = rows.cumsum(1)[0] - 1
        return rows @ scale.seen

    return scale, lambda: scale.seen.tolist()


def remembered_in_default(known=None):
    known = {} if known is None else known

    def scale(rows, memory=known):
        memory["last"] = rows.new_tensor([0.0, 1.0, 2.0, 3.0])
        return rows @ memory["last"]

    return scale, lambda: known["last"].tolist()


KEEPERS = [
    remembered_by_cache,
    remembered_in_dict,
    remembered_in_module,
    made_when_first_needed,
    lazy_layer,
    remembered_as_attribute,
    remembered_in_default,
]


@pytest.mark.parametrize("keeper", KEEPERS, ids=lambda keeper: keeper.__name__)
def test_what_a_function_keeps_is_real_and_works_afterwards(keeper):
    scale, kept = keeper()
    expected = torch.full((8,), 6.0)
    run = race(lambda rows: [rows[k] @ torch.arange(4.0) for k in range(len(rows))], scale)
    for size in (8, 2, 8):
        assert run.run({**SETTINGS, "batch_size": size}).comparison.max_difference == 0
    assert kept() == [0.0, 1.0, 2.0, 3.0]
    assert torch.equal(scale(torch.ones(8, 4)), expected)


def test_no_tensor_without_data_is_seen_or_left_behind():
    seen = set()

    def watched(rows):
        seen.add((rows.device.type, type(rows)))
        return batch(rows)

    def make(batch_size, device):
        seen.add((device.type, torch.Tensor))
        return ones(batch_size, device)

    def without_data():
        gc.collect()
        found = (x for x in gc.get_objects() if issubclass(type(x), torch.Tensor))
        return sum(tensor.is_meta for tensor in found)

    before = without_data()
    race(watched, watched, make).run(SETTINGS)
    assert seen == {("cpu", torch.Tensor)}
    assert without_data() == before


def test_what_the_inputs_keep_is_real_too():
    kept = []

    def make(batch_size, device):
        kept.append(torch.ones(batch_size, 4, device=device))
        return kept[-1]

    race(loop, batch, make).run(SETTINGS)
    assert kept[0].sum() == 32


def test_random_numbers_grad_mode_and_threads_stay_as_they_were():
    def make(batch_size, device):
        random.random(), np.random.rand()
        return torch.rand(batch_size, 4, device=device)

    def numbers():
        return random.random(), np.random.rand(), torch.rand(1).item()

    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = numbers()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    before = torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype()
    race(loop, batch, make).run(SETTINGS)
    assert numbers() == expected
    assert (torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_dtype()) == before


TOO_LARGE = [  # inputs and a function that would need far more than there is
    (lambda **_: torch.ones(MUCH), lambda rows: rows),
    (lambda **_: torch.zeros(2**20, 2**20, dtype=torch.int8), lambda rows: rows),
    (lambda **_: torch.rand(2**20, 1), lambda rows: rows - rows.T),
    (lambda **_: torch.rand(2**20, 1), lambda rows: (rows @ rows.T).sum(1)),
    (lambda **_: torch.ones(1), lambda rows: rows.expand(MUCH).clone()),
    (lambda **_: torch.ones(4), lambda rows: rows.repeat(MUCH)),
    (lambda **_: torch.ones(4), lambda rows: torch.arange(MUCH) + rows.sum()),
    (lambda **_: torch.ones(4), lambda rows: torch.nn.functional.pad(rows, (0, MUCH))),
    (lambda **_: [torch.ones(2**28, dtype=torch.int8)], lambda rows: torch.stack(rows * 99)),
    (lambda **_: torch.tensor([MUCH]), lambda rows: torch.nn.functional.one_hot(rows)),
    (lambda **_: torch.ones(2, 2**22), torch.vmap(lambda row: torch.outer(row, row).sum())),
]


@pytest.mark.parametrize(("inputs", "batched"), TOO_LARGE)
def test_what_would_not_fit_is_refused_where_it_is_asked_for(monkeypatch, inputs, batched):
    monkeypatch.setattr("utils.explorer.race.free_bytes", lambda device: 2**34)
    make = lambda batch_size, device: inputs()  # noqa: E731
    with pytest.raises(MemoryError, match=r"about [\d,.]+ GiB, .*: choose a smaller batch_size"):
        race(batched, batched, make).run(SETTINGS)


def test_what_adds_up_is_refused_when_it_is_too_much():
    def hoard(rows):
        return torch.stack([rows + k for k in range(100)])

    with pytest.raises(MemoryError), Lookout(free=50 * 2**20):
        hoard(torch.ones(2**20))
    with Lookout(free=50 * 2**20):
        for k in range(100):
            torch.ones(2**20) + k  # freed again at once


def test_the_comparison_itself_needs_room():
    with Lookout(free=2**20) as watch, pytest.raises(MemoryError):
        watch.insist(2**20)


LAYER = torch.nn.Linear(4, 3)
TABLE = torch.rand(2000, 4)
WORK = [  # a function, the bytes it moves at least, whether its arithmetic is counted, the limit
    (batch, 8 * 16 + 8 * 4, True, "main memory allows"),
    (lambda rows: rows + 1, 2 * 8 * 16, True, "main memory allows"),
    (lambda rows: rows.softmax(1), 2 * 8 * 16, True, "main memory allows"),
    (LAYER, 8 * 16 + 12 * 4 + 12 + 8 * 12, True, "main memory and cores allow"),
    (lambda rows: rows @ TABLE[:4].T[:4, :4], 8 * 16 + 64 + 8 * 16, True, "main memory and cores"),
    (lambda rows: rows[:2].sum(1), 2 * 16 + 2 * 4, True, "main memory allows"),
    (lambda rows: TABLE[rows[:, 0].long()], 8 * 4 + 8 * 16 + 8 * 16, True, "main memory allows"),
    (lambda rows: rows.sort(1).values, 2 * 8 * 16, False, "main memory allows"),
    (lambda rows: torch.linalg.inv(rows[:, :1, None] + 1), None, False, "main memory allows"),
    (lambda rows: torch.fft.fft(rows).abs(), None, False, "main memory allows"),
    (lambda rows: rows.bfloat16() @ rows.bfloat16().T, None, False, "main memory allows"),
]


@pytest.mark.parametrize(("function", "moved", "counted", "limit"), WORK)
def test_a_limit_is_told_as_far_as_it_is_known(function, moved, counted, limit):
    run = race(function, function).run(SETTINGS)
    assert run.demand.moved is not None
    assert moved is None or run.demand.moved == moved
    assert (run.demand.operations is not None) == counted
    assert run.limit.startswith(limit)
    assert ("not the work of" in " ".join(limit_in_words(run))) == (not counted)


UNKNOWN = [  # what is not looked into, or is not done by PyTorch
    lambda rows: torch.from_numpy(rows.numpy().sum(1)),
    lambda rows: rows.view(-1),
    lambda rows: torch.nn.functional.fold(rows[:3].T[None], (4, 2), (2, 2)),
    lambda rows: torch.zeros(8),
]


@pytest.mark.parametrize("function", UNKNOWN)
def test_no_limit_is_told_where_none_is_known(function):
    run = race(function, function).run(SETTINGS)
    assert run.least is None
    assert run.limit == ""
    assert "no least time is known" in limit_in_words(run)[0]


@pytest.mark.parametrize(
    ("cache", "why"), [(2**30, "stay in the processor's cache"), (1, "measured by copying")]
)
def test_why_a_side_lies_below_the_line_is_said(monkeypatch, cache, why):
    monkeypatch.setattr("utils.explorer.race.least_seconds", lambda *_: 1.0)
    monkeypatch.setattr("utils.explorer.words.last_level_cache", lambda _: cache)
    told = limit_in_words(race(loop, batch).run(SETTINGS))
    assert any(line.startswith("batch is below the dotted line") and why in line for line in told)
    monkeypatch.setattr("utils.explorer.race.least_seconds", lambda *_: 1e-12)
    told = limit_in_words(race(loop, batch).run(SETTINGS))
    assert told[1] == "batch reaches less than 1 % of what main memory allows"
