"""Notebooks that are made to stop the reading of others: each is refused or read, and soon."""

import collections
import enum
import json
from typing import NamedTuple

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from utils.classroom import grading, likeness, repair, wire
from utils.classroom.execution import definitions
from utils.classroom.names import composed, printable
from utils.classroom.records import FAILED, Record, State
from utils.classroom.submissions import _parsed

DEEP = {
    "signs": "-" * 50_000 + "1",
    "attributes": "a" + ".a" * 50_000,
    "brackets": "(" * 5000 + ")" * 5000,
    "a sum": "1" + "+1" * 50_000,
    "calls": "f" + "()" * 50_000,
    "branches": "if 1: pass\n" + "elif 1: pass\n" * 5000,
    "no text": "x = 1\0",
    "halves of characters": "x = '\ud800'",
}


@pytest.mark.parametrize("form", DEEP)
def test_a_program_too_deep_for_the_parser_stops_nothing(form):
    source = f"def answer(): return 1\n{DEEP[form]}"
    mark = {"grade_id": "answer", "solution": True, "grade": False, "locked": False}
    released = new_notebook(
        cells=[new_code_cell("def answer(): pass", metadata={"nbgrader": mark})]
    )
    submitted = new_notebook(cells=[new_code_cell(source)])
    repaired, _ = repair.put_back(submitted, released)
    assert repaired.cells[0].source == source
    assert definitions(source)
    assert likeness._words(source)


@pytest.mark.parametrize(
    "inside",
    [
        '"metadata": {"a": [%s{}]}' % ("{}," * 2_100_000),
        '"metadata": {"a": %s}' % ("[" * 200_000 + "]" * 200_000),
        '"metadata": {}, "a": [%s]' % ("[" * 3_000_000),
    ],
)
def test_a_notebook_of_endless_parts_is_refused(inside):
    with pytest.raises((ValueError, RecursionError)):
        _parsed(f'{{"cells": [], "nbformat": 4, "nbformat_minor": 5, {inside}}}'.encode())


def test_too_many_cells_are_refused():
    cell = {"cell_type": "raw", "source": "", "metadata": {}}
    whole = {"cells": [cell] * 5000, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    with pytest.raises(ValueError, match="too many of them"):
        _parsed(json.dumps(whole).encode())


@pytest.mark.parametrize("minor", [0, 2, 4, 5, None, "5"])
def test_what_other_programs_note_is_not_needed(minor):
    mark = {"grade_id": "answer", "solution": True}
    cell = {
        "cell_type": "code",
        "source": ["a = 1\n", "b"],
        "metadata": {"nbgrader": mark, "id": 3},
    }
    cell |= {"outputs": [{"output_type": "of Colab's"}], "execution_count": "7"}
    whole = {"cells": [cell], "metadata": {"colab": {"a": [1] * 1000}}, "nbformat": 4}
    whole |= {} if minor is None else {"nbformat_minor": minor}
    (read,) = _parsed(json.dumps(whole).encode()).cells
    assert (read.source, read.metadata.nbgrader.grade_id) == ("a = 1\nb", "answer")


@pytest.mark.parametrize("text", ["\udcff", "a\ud800b", "\udfff\ud800"])
def test_halves_of_characters_can_be_kept_and_shown(tmp_path, text):
    assert printable(text).encode()
    assert composed(text).encode()
    record = grading._printable(Record(FAILED, [text], [f"opens {text}"]))
    State(tmp_path / "state.json").keep("stacking", composed(text), record)
    kept = State(tmp_path / "state.json").record("stacking", composed(text))
    assert "".join(kept.notes + kept.signs).encode()
    assert composed("\udcff") != composed("\udcfe")


class Pair(NamedTuple):
    x: torch.Tensor
    n: int


class Own(torch.Tensor):
    pass


Color = enum.IntEnum("Color", "RED GREEN")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Pair(torch.ones(2), 3), (torch.ones(2), 3)),
        (torch.ones(2, 3).max(dim=1), (torch.ones(2), torch.zeros(2, dtype=torch.int64))),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}),
        (collections.Counter("aa"), {"a": 2}),
        (type("Mine", (list,), {})([1, 2]), [1, 2]),
        (torch.ones(2).as_subclass(Own), torch.ones(2)),
        (torch.nn.Parameter(torch.ones(2)), torch.ones(2)),
        (np.int64(3), np.array(3)),
        (np.float32(0.5), np.array(0.5, np.float32)),
        (Color.GREEN, 2),
        (torch.Size([2, 3]), (2, 3)),
    ],
)
def test_what_is_derived_counts_as_what_it_is(value, expected):
    found = wire.read(wire.write(value))
    assert type(found) is type(expected)
    torch.testing.assert_close(found, expected)


def test_a_notebook_of_today_is_read():
    whole = new_notebook(cells=[new_code_cell("a = 1")])
    assert _parsed(nbformat.writes(whole).encode()).cells[0].source == "a = 1"
