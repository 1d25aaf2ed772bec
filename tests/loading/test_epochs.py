"""Where in which epoch a loader is: stops, copies, workers that stay, true warnings."""

import copy
import itertools
import json
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from tests.loading.parts import (
    chunked,
    made,
    settings_of_an_epoch,
)
from utils.loading import ChunkedRows, TensorBatchSampler


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
@settings(max_examples=60)
@given(stop=st.integers(0, 400), **settings_of_an_epoch)
def test_a_stop_after_any_batch_goes_on_with_the_next(make, rows, stop, **options):
    options = made(make, **options)
    alone = [batch.tolist() for batch in make(rows, **options)]
    stopped = make(rows, **options)
    before = [batch.tolist() for batch in itertools.islice(stopped, stop)]
    state = stopped.state_dict()
    assert state == make(rows, **options).state_after(len(before))
    again = make(rows, **options)
    again.load_state_dict(json.loads(json.dumps(state)))
    assert before + [batch.tolist() for batch in again] == alone


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_epoch_gone_through_twice_is_noticed(make):
    loader = make(100, batch_size=10, shuffle=True)
    for epoch in range(2):
        loader.set_epoch(epoch)
        list(loader)
    next(iter(make(100, batch_size=10, shuffle=True)))
    with pytest.warns(UserWarning, match=r"Epoch 1 .* same order"):
        list(loader)
    unshuffled = make(100, batch_size=10)
    assert len(list(unshuffled)) == len(list(unshuffled)) == 10


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("rows", [5, 30, 100])
@pytest.mark.parametrize("chunk_rows", [None, 20])
def test_an_epoch_that_was_only_begun_is_not_said_to_be_gone_through(workers, rows, chunk_rows):
    loader = chunked(rows, batch_size=10, shuffle=True, chunk_rows=chunk_rows)
    batches = DataLoader(loader, batch_size=None, num_workers=workers)
    next(iter(batches))
    if rows == 5:  # one batch: this was the whole epoch
        loader.set_epoch(0)
    assert len(list(batches)) == len(loader)
    loader.set_epoch(0)  # what is asked for is no mistake
    assert len(list(batches)) == len(loader)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_epoch_that_workers_have_gone_through_is_noticed(workers):
    loader = chunked(100, batch_size=10, shuffle=True)
    place = loader._place
    list(DataLoader(loader, batch_size=None, num_workers=workers))
    assert place.gone_through
    with pytest.warns(UserWarning, match=r"Epoch 0 .* same order"):
        next(iter(loader))


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_the_last_batch_that_was_yielded_ends_the_epoch(make):
    loader = make(30, batch_size=10, shuffle=True)
    list(zip(range(2), loader, strict=False))
    for number, _ in enumerate(loader):  # no warning: two batches of three were yielded
        if number == 2:
            break
    with pytest.warns(UserWarning, match="same order"):
        next(iter(loader))


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_iteration_that_has_begun_stays_in_its_epoch(make):
    options = {"chunk_rows": 20} if make is chunked else {}
    loader = make(100, batch_size=10, shuffle=True, **options)
    batches = iter(loader)
    seen = next(batches).tolist()
    loader.set_epoch(1)
    assert sorted(seen + torch.cat(list(batches)).tolist()) == list(range(100))


@pytest.mark.parametrize("make", [chunked, TensorBatchSampler])
def test_an_epoch_cut_short_twice_is_noticed(make):
    loader = make(100, batch_size=10)
    loader.load_state_dict(loader.state_after(3))
    assert len(list(loader)) == 7
    with pytest.warns(UserWarning, match="without its first 3 batches"):
        list(loader)


def test_copies_have_a_place_of_their_own_that_workers_see():
    rows = chunked(40, batch_size=10, shuffle=True)
    for other in (copy.copy(rows), copy.deepcopy(rows), pickle.loads(pickle.dumps(rows))):
        loader = DataLoader(other, batch_size=None, num_workers=1, persistent_workers=True)
        orders = set()
        for epoch in range(3):
            other.set_epoch(epoch)
            orders.add(tuple(torch.cat(list(loader)).tolist()))
        assert len(orders) == 3
        assert rows.epoch == 0


def test_workers_that_stay_see_the_epoch_and_the_place(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(500))
    rows = ChunkedRows(tmp_path / "y.npy", batch_size=50, shuffle=True)
    alone = ChunkedRows(tmp_path / "y.npy", batch_size=50, shuffle=True)
    loader = DataLoader(rows, batch_size=None, num_workers=2, persistent_workers=True)
    for epoch in range(3):
        rows.set_epoch(epoch)
        alone.set_epoch(epoch)
        assert [b.tolist() for b in loader] == [b.tolist() for b in alone]
    state = rows.state_after(7)
    rows.set_epoch(9)
    rows.load_state_dict(state)
    assert [b.tolist() for b in loader] == [b.tolist() for b in as_loaded(alone, state)]


def as_loaded(rows, state):
    rows.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(rows)


def test_a_pickled_copy_goes_on_alone():
    rows = chunked(100, batch_size=10, shuffle=True)
    rows.set_epoch(4)
    copy = pickle.loads(pickle.dumps(rows))
    assert [b.tolist() for b in copy] == [b.tolist() for b in rows]
    copy.set_epoch(5)
    assert rows.epoch == 4


def test_epochs_and_states_that_make_no_sense_are_refused():
    rows = chunked(100, batch_size=10, shuffle=True)
    with pytest.raises(ValueError, match="epoch is 0 or more"):
        rows.set_epoch(-1)
    with pytest.raises(ValueError, match="10 batches, but got 11"):
        rows.state_after(11)
    state = rows.state_after(3)
    for wrong in ({"batches": 99}, {"batches": -3}, {"epoch": -1}):
        with pytest.raises(ValueError, match=r"99 were done|or more"):
            rows.load_state_dict(state | wrong)
    with pytest.raises(TypeError, match="epoch is a whole number"):
        rows.load_state_dict(state | {"epoch": 1.9})
    with pytest.raises(TypeError, match="but got None"):
        rows.load_state_dict(None)
    with pytest.raises(ValueError, match="global_batch=10 and not 20"):
        chunked(100, batch_size=20, shuffle=True).load_state_dict(state)
    with pytest.raises(ValueError, match="rows=100 and not 101"):
        chunked(101, batch_size=10, shuffle=True).load_state_dict(state)
    with pytest.raises(ValueError, match="other entries"):
        rows.load_state_dict({k: v for k, v in state.items() if k != "epoch"})


def test_the_place_is_kept_until_another_epoch_is_chosen():
    rows = chunked(100, batch_size=10, shuffle=True)
    rows.load_state_dict(rows.state_after(4) | {"epoch": 2})
    rows.set_epoch(2)
    assert len(rows) == 6
    assert rows.state_after(2)["batches"] == 6  # counted from the beginning of the epoch
    rows.set_epoch(3)
    assert len(rows) == 10
