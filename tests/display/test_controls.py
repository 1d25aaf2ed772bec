"""Controls from abbreviations: what they take, what they start with, what the page is told."""

import json

import pytest
import torch

from utils.display.controls import Controls, choice, control, ratios


@pytest.mark.parametrize(
    ("given", "kind", "values", "start"),
    [
        ((1, 4096), "range", tuple(2**k for k in range(13)), 64),
        ((3, 3000), "range", (3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3000), 128),
        ((1, 5), "range", (1, 2, 3, 4, 5), 3),
        ((0, 2), "range", (0, 1, 2), 1),
        ((-300, -299), "range", (-300, -299), -299),
        ((7, 7), "range", (7,), 7),
        ((0, 1000, 500), "range", (0, 500, 1000), 500),
        ((0.0, 1.0, 0.25), "range", (0.0, 0.25, 0.5, 0.75, 1.0), 0.5),
        (["a", "b"], "choice", ("a", "b"), "a"),
        ([0, 1], "choice", (0, 1), 0),
        ([False, True], "choice", (False, True), False),
        ([None, 1], "choice", (None, 1), None),
        ([torch.float16, torch.int8], "choice", (torch.float16, torch.int8), torch.float16),
        ([("small", 1), ("large", 9)], "choice", (1, 9), 1),
        ({"none": 0, "all": None}, "choice", (0, None), 0),
        (True, "check", (False, True), True),
        (False, "check", (False, True), False),
    ],
)
def test_an_abbreviation_becomes_a_control(given, kind, values, start):
    made = control("size", given)
    assert (made.kind, made.values) == (kind, values)
    assert made.start == start
    assert type(made.start) is type(start)
    assert len(made.labels) == len(values)
    for value in values:
        assert (
            made.from_page(json.loads(json.dumps(made.to_page(value)))) is value or kind == "range"
        )
        assert made.from_page(made.to_page(value)) == value
        assert made.take(value) == value
    json.dumps(made.described())


@pytest.mark.parametrize(
    "given",
    [
        object(),
        5,
        "text",
        (),
        (1,),
        (5, 1),
        ("a", "b"),
        (1, 2, 0),
        (1, 2, -1),
        [],
        {},
        None,
        (1, None),
    ],
)
def test_what_is_no_range_is_refused(given):
    with pytest.raises(TypeError, match=r"size=.* is no range: give a pair"):
        control("size", given)


@pytest.mark.parametrize("value", [0, 4097, 2.5, "8", None, True, float("nan"), [8]])
def test_what_is_out_of_a_range_is_refused(value):
    with pytest.raises(ValueError, match="takes whole numbers from 1 to 4,096"):
        control("size", (1, 4096)).take(value)


@pytest.mark.parametrize("value", [100, 100.0, torch.tensor(100)])
def test_a_range_takes_each_number_between_its_ends(value):
    taken = control("size", (1, 4096)).take(value)
    assert (taken, type(taken)) == (100, int)


def test_equal_options_of_other_types_are_told_apart():
    made = control("extra", [0, False, 1.0, True])
    assert [type(made.take(value)) for value in (0, False, 1.0, True)] == [int, bool, float, bool]
    assert [made.to_page(made.take(value)) for value in (0, False, 1.0, True)] == [0, 1, 2, 3]


def test_what_a_page_sends_is_brought_into_the_range():
    made = control("size", (1, 4096))
    assert [made.from_page(sent) for sent in (0, 1e9, 99.6, 7)] == [1, 4096, 100, 7]


def test_a_menu_starts_where_it_is_told():
    assert choice("threads", [1, 2, 4], 4).start == 4
    with pytest.raises(ValueError, match="takes 1, 2"):
        choice("threads", [1, 2], 3)


def test_ratios_have_labels_that_people_read():
    made = ratios("guess", 0.01, 1000, 1.0)
    assert (made.labels[0], made.labels[40], made.labels[-1]) == ("0.0100×", "1.00×", "1,000×")
    assert made.values[40] == 1


def test_the_page_gets_plain_data():
    shown = Controls([control("a", (1, 9)), control("b", [None, torch.int8])], "Title")
    assert shown.values == {"a": 5, "b": 0}
    assert [c["name"] for c in shown.controls] == ["a", "b"]
    json.dumps([shown.controls, shown.values])
