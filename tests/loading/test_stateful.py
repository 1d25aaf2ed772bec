"""Places that others save: torchdata's loader, distributed checkpoints, and your own count."""

import itertools
import json

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.stateful import Stateful
from torch.utils.data import DataLoader, TensorDataset
from torchdata.stateful_dataloader import StatefulDataLoader

from utils.loading import ChunkedRows, TensorBatchSampler

ROWS = 95
pytestmark = [
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated"),  # torchdata calls it
    pytest.mark.filterwarnings("ignore:torch.distributed is .*assuming the intent is to"),
]


def chunked(**options):
    return ChunkedRows(torch.arange(ROWS), batch_size=8, shuffle=True, chunk_rows=24, **options)


def sampler(**options):
    return TensorBatchSampler(ROWS, 8, shuffle=True, **options)


def loaded_by(kind, **options):
    """The part that keeps the order, and torchdata's loader of its batches."""
    if kind is chunked:
        rows = chunked()
        return rows, StatefulDataLoader(rows, batch_size=None, **options)
    order = sampler()
    rows = TensorDataset(torch.arange(ROWS))
    return order, StatefulDataLoader(rows, sampler=order, batch_size=None, **options)


def numbers(batches):
    return [(batch[0] if isinstance(batch, list | tuple) else batch).tolist() for batch in batches]


def expected(epoch):
    rows = chunked()
    rows.set_epoch(epoch)
    return numbers(rows)


@pytest.mark.parametrize("make", [chunked, sampler])
def test_both_follow_the_protocol(make):
    assert isinstance(make(), Stateful)


SETTINGS = [
    {"num_workers": 0},
    {"num_workers": 0, "snapshot_every_n_steps": 7},
    {"num_workers": 1},
    {"num_workers": 2},
    {"num_workers": 2, "snapshot_every_n_steps": 7},
    {"num_workers": 2, "persistent_workers": True},
    {"num_workers": 4, "snapshot_every_n_steps": 7, "persistent_workers": True},
]


@pytest.mark.parametrize("kind", [chunked, sampler])
@pytest.mark.parametrize("stop", [0, 1, 7, 12])
@pytest.mark.parametrize("options", SETTINGS[:5:2])
def test_torchdata_goes_on_with_the_next_batch(kind, stop, options):
    goes_on(kind, stop, options)


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("kind", [chunked, sampler])
@pytest.mark.parametrize("stop", range(13))
@pytest.mark.parametrize("options", SETTINGS)
def test_torchdata_goes_on_after_any_batch(kind, stop, options):
    goes_on(kind, stop, options)


def goes_on(kind, stop, options):
    def epoch_of(epoch):
        rows, loader = loaded_by(kind)
        rows.set_epoch(epoch)
        return numbers(loader)

    rows, loader = loaded_by(kind, **options)
    rows.set_epoch(2)
    batches = iter(loader)
    before = numbers(itertools.islice(batches, stop))
    state = loader.state_dict()
    del batches

    resumed, loader = loaded_by(kind, **options)
    resumed.set_epoch(2)
    loader.load_state_dict(state)
    after = numbers(loader) if stop < 12 else []
    assert before + after == epoch_of(2)
    resumed.set_epoch(3)
    if stop < 12:
        assert numbers(loader) == epoch_of(3)


def test_torchdata_goes_on_in_the_epoch_that_was_saved():
    rows, loader = loaded_by(chunked, num_workers=2)
    rows.set_epoch(5)
    batches = iter(loader)
    for _ in range(4):
        next(batches)
    state = loader.state_dict()
    del batches
    rows, loader = loaded_by(chunked, num_workers=2)
    loader.load_state_dict(state)
    assert numbers(loader) == expected(5)[4:]
    assert rows.epoch == 5


def test_a_state_of_other_workers_is_refused():
    rows, loader = loaded_by(chunked, num_workers=2)
    next(iter(loader))
    state = loader.state_dict()
    _, loader = loaded_by(chunked, num_workers=1)
    loader.load_state_dict(state)
    with pytest.raises(Exception, match="same num_workers"):
        next(iter(loader))
    inner = state["_snapshot"]["_worker_snapshots"]["worker_1"]["dataset_state"]
    with pytest.raises(ValueError, match="worker 1 of 2"):
        rows.load_state_dict(inner)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_plain_loader_with_workers_is_counted_by_whom_it_serves(workers):
    rows = chunked()
    loader = DataLoader(rows, batch_size=None, num_workers=workers)
    for used, _ in enumerate(loader, start=1):
        if used == 5:
            break
    state = rows.state_after(5)
    if workers:
        with pytest.raises(RuntimeError, match=r"state_after\(batches\)"):
            rows.state_dict()
    else:
        assert rows.state_dict() == state
    resumed = chunked()
    resumed.load_state_dict(state)
    again = DataLoader(resumed, batch_size=None, num_workers=2 - workers)
    assert numbers(again) == expected(0)[5:]


@pytest.mark.parametrize("make", [chunked, sampler])
def test_distributed_checkpoints_hold_the_place(make, tmp_path):
    rows = make()
    rows.set_epoch(3)
    seen = numbers(itertools.islice(rows, 5))
    dcp.save({"rows": rows}, checkpoint_id=tmp_path, no_dist=True)
    resumed = make()
    dcp.load({"rows": resumed}, checkpoint_id=tmp_path, no_dist=True)
    assert (resumed.epoch, resumed.done) == (3, 5)
    again = make()
    again.set_epoch(3)
    assert seen + numbers(resumed) == numbers(again)


def test_the_place_is_counted_from_the_newest_iteration():
    rows = chunked()
    old = iter(rows)
    for _ in range(4):
        next(old)
    next(iter(rows))
    next(old)
    assert rows.state_dict()["batches"] == 1
    rows.set_epoch(1)
    assert rows.state_dict() == rows.state_after(0)
    assert len(numbers(rows)) == rows.state_dict()["batches"] == 12
    rows.set_epoch(1)
    assert len(numbers(rows)) == 12


def test_a_place_is_a_step_of_any_number_of_ranks():
    def of(rank, world_size):
        return ChunkedRows(
            torch.arange(ROWS), batch_size=24 // world_size, shuffle=True, chunk_rows=48,
            rank=rank, world_size=world_size, empty_last=True,
        )  # fmt: skip

    alone = numbers(of(0, 1))
    ranks = [of(rank, 2) for rank in range(2)]
    running = [iter(rank) for rank in ranks]
    seen = [sum(numbers(map(next, running)), []) for _ in range(2)]  # noqa: RUF017
    states = [json.dumps(rank.state_dict()) for rank in ranks]
    assert states[0] == states[1]
    more = [of(rank, 4) for rank in range(4)]
    for rank in more:
        rank.load_state_dict(json.loads(states[0]))
    seen += [sum(numbers(step), []) for step in zip(*more, strict=True)]  # noqa: RUF017
    assert [sorted(step) for step in seen] == [sorted(step) for step in alone]
    with pytest.raises(ValueError, match=r"global_batch=24 and not 32.*batch_size × world_size"):
        ChunkedRows(torch.arange(ROWS), batch_size=8, rank=0, world_size=4).load_state_dict(
            json.loads(states[0])
        )
