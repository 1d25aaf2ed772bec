"""Drawings of shapes and flows: each is sharp, says what it shows, and refuses nonsense."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from utils.display import diagrams, plots
from utils.timing import measure

PHOTO = torch.arange(12).reshape(2, 2, 3)
DRAWN = [  # a picture, and what its words must hold
    (lambda: diagrams.cells({"photo": PHOTO}), "photo, shape (2, 2, 3): [[[0, 1, 2], [3, 4, 5]]"),
    (lambda: diagrams.cells({"x": torch.tensor([0.5, 2.0])}, title="Two"), "Two. x, shape (2,)"),
    (lambda: diagrams.cells({"x": torch.eye(2, dtype=torch.bool)}, colour=int), "[[1, 0], [0, 1]]"),
    (lambda: diagrams.broadcasting({"a": (4, 1), "b": (3,)}), "the result has shape (4, 3)"),
    (lambda: diagrams.broadcasting({"a": (2, 3), "b": (2,)}), "do not fit in dimension -1"),
    (lambda: diagrams.broadcasting({"a": (5, 0), "b": (1,)}), "the result has shape (5, 0)"),
    (lambda: diagrams.stacking((8, 8), 64), "a batch of shape (64, 8, 8)"),
    (lambda: diagrams.stacking((3,), 1), "a batch of shape (1, 3)"),
    (lambda: diagrams.flow([("a", "does"), ("b", "")], ["what"]), "a (does), which hands on what"),
    (lambda: diagrams.flow([("alone", "")]), "In order: alone."),
    (
        lambda: diagrams.flow([("a", ""), ("", ""), ("b", "")], ["x", ""]),
        "a, which hands on x; then",
    ),
    (lambda: diagrams.timeline({"main": [(0, 0.01, "load")]}), "main: 1 × load, in all 10.0 ms"),
    (lambda: diagrams.parts({"epoch": {"a": 3e-3, "b": 0}}), "epoch takes 3.00 ms: a 3.00 ms and"),
    (lambda: diagrams.histogram({"x": [1, 2, 9]}, "words"), "3 values from 1 to 9, half of them"),
    (lambda: diagrams.histogram({"x": [1], "y": [2]}, "words"), "y: 1 values from 2 to 2"),
]


@pytest.mark.parametrize(("draw", "told"), DRAWN)
def test_a_diagram_is_sharp_and_says_what_it_shows(draw, told):
    drawn = draw()
    assert told in drawn.alt
    image = Image.open(io.BytesIO(drawn.png))
    assert image.width >= 2 * drawn.width - 2, "two pixels for each point"
    pixels = np.asarray(image.convert("L"))
    assert pixels[0, 0] == pixels[-1, -1] == 255, "a white ground reads on any page"
    assert (pixels < 100).any(), "and something is drawn on it"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: diagrams.cells({}),
        lambda: diagrams.cells({"x": torch.tensor(1)}),
        lambda: diagrams.cells({"x": torch.zeros(1000)}),
        lambda: diagrams.broadcasting({"alone": (1, 2)}),
        lambda: diagrams.stacking((1, 2, 3), 4),
        lambda: diagrams.stacking((1, 2), 0),
        lambda: diagrams.flow([]),
        lambda: diagrams.flow([("a", ""), ("", "")]),
        lambda: diagrams.flow([("a", ""), ("b", "")], ["one", "too many"]),
        lambda: diagrams.timeline({"main": []}),
        lambda: diagrams.timeline({"main": [(2, 1, "back in time")]}),
        lambda: diagrams.parts({"a": {"x": -1.0}}),
        lambda: diagrams.parts({"a": {"x": 0.0}}),
        lambda: diagrams.histogram({"x": []}, "words"),
        lambda: plots.picture(plots.figure(), " "),
        lambda: plots.ways({}),
        lambda: plots.ways({"loop": {}}),
    ],
)
def test_nonsense_is_refused_with_a_reason(draw):
    with pytest.raises(
        ValueError, match=r"[Gg]ive|needs at least|nothing to draw|say in a sentence"
    ):
        draw()


def test_a_step_left_out_of_a_flow_leaves_its_place_empty():
    ends = [("a", "does"), ("b", "does")]
    whole, gap = (diagrams.flow([ends[0], middle, ends[1]]) for middle in (("c", ""), ("", "")))
    assert whole.width == gap.width
    first, second = (np.asarray(Image.open(io.BytesIO(p.png)).convert("L")) for p in (whole, gap))
    differ = (abs(first.astype(int) - second) > 40).any(axis=0).nonzero()[0]
    assert differ.size
    assert len(differ) < first.shape[1] / 2, "the boxes at both ends stay where they are"
    assert first.shape[1] / 4 < differ.min() < differ.max() < 3 * first.shape[1] / 4


def test_many_ways_share_a_chart():
    timed = {n: measure(torch.sum, torch.ones(n), budget=0.001) for n in (1, 8)}
    names = ["loop", "vmap", "by hand", "compiled", "einsum", "bmm", "a seventh"]
    drawn = plots.ways(dict.fromkeys(names, timed), per="row")
    assert all(f"{name} takes" in drawn.alt for name in names)
    assert "at size 8" in drawn.alt
    assert "Time per row" in drawn.alt


def test_words_with_html_in_them_stay_words():
    drawn = diagrams.flow([('<b> & "quoted"', "")])
    assert "&lt;b&gt; &amp; &quot;quoted&quot;" in drawn.html
    assert drawn._repr_html_() == drawn.html
    assert '<b> & "quoted"' in repr(drawn)
