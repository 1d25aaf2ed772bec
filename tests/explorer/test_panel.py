"""The panel without a browser: what it does when a control changes, and when things go wrong."""

import asyncio
import base64
import dataclasses
import io
import itertools
import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tests.explorer.test_hostile import BAD
from utils.display.prediction import predict
from utils.explorer.chart import fitted
from utils.explorer.history import draw_histories
from utils.explorer.panel import explore


def loop(rows):
    return [row.sum() for row in rows]


def batch(rows):
    return rows.sum(dim=1)


def inputs(batch_size, features, device):
    return torch.ones(batch_size, features, device=device)


RANGES = {"batch_size": (1, 4096), "features": (1, 1024)}


@pytest.fixture
def panel():
    return explore(loop, batch, inputs, budget=0.01, **RANGES)


def test_a_run_is_kept_shown_and_returned(panel):
    chart = panel.widget.chart
    comparison = panel.run(batch_size=8, features=4)
    run = panel.history[-1]
    assert run.comparison is comparison
    assert run.settings["batch_size"] == 8
    assert run.calls == (9, 1)
    assert panel.error is None
    assert comparison.verdict in panel.widget.result
    assert panel.widget.chart != chart
    assert panel.widget.chart["now"][:3] == pytest.approx(run.point[:3])
    assert "batch_size 8" in panel.widget.status["text"]


def test_a_panel_opens_with_a_result(panel):
    assert len(panel.history) == 1
    assert len(panel.widget.chart["here"]) == 1
    assert panel.widget.status["text"].startswith("done: batch_size 64")


def test_wide_ranges_step_in_powers_of_two_and_run_takes_other_sizes(panel):
    assert panel.controls["batch_size"].values == tuple(2**k for k in range(13))
    panel.run(batch_size=100)
    assert panel.history[-1].settings["batch_size"] == 100
    assert panel.widget.values["batch_size"] == 100


def move(panel, **changes):
    """What the page does when somebody moves controls."""
    panel.widget.values = {**panel.widget.values, **changes}


def test_the_other_abbreviations_of_interact():
    def make(batch_size, kind, biased, width, device):
        return torch.ones(batch_size, width)

    ranges = {"batch_size": (1, 9), "kind": ["a", "b"], "biased": True, "width": (1, 5)}
    panel = explore(loop, batch, make, budget=0.01, **ranges)
    kinds = [control.kind for control in panel.controls.values()]
    assert kinds[:4] == ["range", "choice", "check", "range"]
    panel.run(kind="b", biased=False)
    assert panel.history[-1].settings["kind"] == "b"
    move(panel, kind=0, biased=True)
    assert panel.history[-1].settings["kind"] == "a"
    assert panel.history[-1].settings["biased"] is True


@pytest.mark.parametrize("options", [[0, 1], [False, True], [0.0, 2.0], ["", "x"], [None, 1]])
def test_a_choice_whose_first_option_is_nothing_is_not_lost(options):
    seen = []

    def make(batch_size, extra, device):
        seen.append(extra)
        return torch.ones(batch_size, 2)

    panel = explore(loop, batch, make, budget=0.01, batch_size=(1, 4), extra=options)
    assert panel.settings["extra"] is options[0]
    panel.run(extra=options[1])
    move(panel, extra=0)
    assert panel.history[-1].settings["extra"] is options[0]
    assert seen[-1] is options[0]


def test_without_an_event_loop_a_moved_slider_runs_at_once(panel):
    move(panel, batch_size=16)
    assert panel.history[-1].settings["batch_size"] == 16


def test_thirty_rapid_changes_make_few_runs_and_end_on_the_last(panel):
    async def drag():
        for step in range(30):
            move(panel, batch_size=step + 1)
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)

    asyncio.run(drag())
    assert panel.history[-1].settings["batch_size"] == 30
    assert len(panel.history) <= 6


def test_the_axes_hold_still_and_the_vertical_one_only_grows(panel):
    limits = []
    for size in (1, 4096, 1, 64):
        panel.run(batch_size=size)
        limits.append(panel.widget.chart["times"])
        for point in panel.widget.chart["here"]:
            assert limits[-1][0] <= min(point[1:3]) <= max(point[1:3]) <= limits[-1][1]
    for (low, high), (next_low, next_high) in itertools.pairwise(limits):
        assert next_low <= low
        assert next_high >= high
    assert panel.widget.chart["sizes"] == (1, 4096)
    panel.run(batch_size=64, features=1024)
    assert len(panel.widget.chart["here"]) == 1
    assert len(panel.widget.chart["others"]) == 5
    panel.run(batch_size=64, features=32)
    assert panel.widget.chart["times"] == limits[-1], "as they were at these settings"


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 10.0])
@pytest.mark.parametrize("ratio", [1, 3, 1000])
def test_the_vertical_axis_does_not_squeeze_the_curves(scale, ratio):
    points = [(n, scale * ratio, scale, math.nan) for n in (1, 8, 64)]
    low, high = fitted(points, None)
    assert low <= scale <= scale * ratio <= high
    assert math.log10(high / low) <= math.log10(ratio) + 2.01


def test_an_error_is_shown_in_one_line_and_the_panel_goes_on():
    def moody(rows):
        if len(rows) == 7:
            raise RuntimeError("seven is <unlucky>\nand more lines")
        return batch(rows)

    panel = explore(loop, moody, inputs, budget=0.01, **RANGES)
    with pytest.raises(RuntimeError):
        panel.run(batch_size=7)
    assert isinstance(panel.error, RuntimeError)
    assert panel.error.__traceback__ is not None
    assert panel.widget.status == {"text": "RuntimeError: seven is <unlucky>", "alarm": True}
    move(panel, batch_size=8)
    assert panel.error is None
    assert panel.history[-1].settings["batch_size"] == 8


@pytest.mark.parametrize(("bad", "error", "told"), [case for case in BAD if callable(case[0])])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_hostile_function_is_one_line_and_the_panel_goes_on(bad, error, told):
    switch = {"now": bad}

    def batched(rows):
        return switch["now"](rows)

    panel = explore(batch, batched, inputs, budget=0.01, **RANGES)
    assert isinstance(panel.error, error)
    assert panel.widget.status["alarm"]
    assert "\n" not in panel.widget.status["text"]
    switch["now"] = batch
    move(panel, batch_size=8)
    assert panel.error is None
    assert panel.history[-1].settings["batch_size"] == 8


def test_a_mismatch_is_shown():
    panel = explore(loop, lambda rows: rows.sum(dim=1) + 1, inputs, budget=0.01, **RANGES)
    assert panel.history == []
    assert "ResultMismatchError" in panel.widget.status["text"]


def test_what_would_not_fit_is_refused_before_it_is_tried():
    made = []

    def huge(batch_size, features, device):
        made.append(torch.ones(batch_size * 2**20, features * 2**20, device=device))
        return made[-1]

    panel = explore(loop, batch, huge, budget=0.01, **RANGES)
    assert isinstance(panel.error, MemoryError)
    assert made == []
    assert "would take about" in panel.widget.status["text"]
    assert panel.widget.status["text"].endswith("choose a smaller batch_size or features")


def test_several_operations_share_a_panel():
    panel = explore(
        {"sum": loop, "max": lambda rows: [row.max() for row in rows]},
        {"sum": batch, "max": lambda rows: rows.amax(dim=1)},
        inputs,
        budget=0.01,
        **RANGES,
    )
    panel.run(operation="max", batch_size=4)
    assert panel.history[-1].settings["operation"] == "max"


def test_a_single_operation_in_a_dict_needs_no_menu():
    panel = explore({"sum": loop}, {"sum": batch}, inputs, budget=0.01, **RANGES)
    assert "operation" not in panel.controls
    assert panel.error is None


def test_histories_of_several_machines_share_a_chart(panel, tmp_path):
    for size in (1, 8, 64):
        panel.run(batch_size=size)
    paths = [panel.save(tmp_path / f"machine {n}.csv") for n in (1, 2)]
    drawn = draw_histories(*paths)
    assert drawn.alt.count("at size 64 the loop takes") == 2
    assert "machine 2 (features 32" in drawn.alt
    assert "batch_size" in repr(panel.history)
    assert "<table" in panel.history._repr_html_()
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="holds no runs"):
        draw_histories(tmp_path / "other.csv")
    with pytest.raises(ValueError, match="Give the files"):
        draw_histories()


@pytest.mark.parametrize("allocate", [torch.empty, np.empty, lambda size: bytearray(size)])
def test_out_of_memory_is_one_readable_line(allocate):
    def too_large(rows):
        allocate(2**58)
        return loop(rows)

    panel = explore(too_large, batch, inputs, budget=0.01, **RANGES)
    assert "out of memory, and nothing is lost" in panel.widget.status["text"]
    assert isinstance(panel.error, MemoryError | RuntimeError)


def test_whoever_reads_without_a_kernel_sees_a_picture_and_its_words(panel):
    data = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    shown = re.search(r'<img alt="([^"]+)" width="720" [^>]*base64,([^"]+)">', data["text/html"])
    assert "loop takes" in shown[1]
    image = Image.open(io.BytesIO(base64.b64decode(shown[2])))
    assert image.size == (1440, 780), "two pixels for each point"
    assert panel.history[-1].comparison.verdict in data["text/html"]
    assert panel.history[-1].comparison.verdict in data["text/plain"]


def test_both_sides_can_have_names_of_their_own(tmp_path):
    names = ("batch_size=1", "batch_size=64")
    panel = explore(loop, batch, inputs, budget=0.01, names=names, **RANGES)
    assert panel.history[-1].comparison.names == names
    assert panel.widget.chart["names"] == names
    assert all(f'<th scope="row">{name}</th>' in panel.widget.result for name in names)
    assert all(name in repr(panel.history) for name in names)
    assert all(name in panel._scene.words for name in names)


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([1.0, 1.01, 0.99] * 8, "the same within 5 %"),
        ([0.2, 1.0, 5.0] * 8, "not conclusive"),
        ([2.0, 2.1, 1.9] * 8, "the loop takes 2.00× as long as the batch"),
    ],
)
def test_the_same_is_told_apart_from_the_unclear(panel, ratios, words):
    run = panel.history[-1]
    told = dataclasses.replace(
        run.comparison,
        ratios=tuple(ratios),
        slack=(1.0, 1.0),
        marks=("this machine was busy",),
    )
    panel.history.append(dataclasses.replace(run, comparison=told))
    panel._redraw()
    assert words in panel.widget.result
    assert "this machine was busy" in panel.widget.result
    assert words in panel.widget.chart["words"]
    assert told.outcome in repr(panel.history)


def test_the_history_can_be_saved(panel, tmp_path):
    panel.run(batch_size=2)
    saved = pd.read_csv(panel.save(tmp_path / "results.csv"))
    assert saved["batch_size"].tolist() == [64, 2]
    assert saved["settings"].tolist() == ["batch_size features device threads"] * 2
    assert saved["looped_calls"].tolist() == [65, 3]
    assert saved["looped_s"][1] == panel.history[1].comparison.looped.median


def test_a_saved_history_is_read_by_the_names_of_its_columns(panel, tmp_path):
    panel.run(batch_size=2)
    table = pd.read_csv(panel.save(tmp_path / "mine.csv"))
    table[sorted(table, reverse=True)].assign(more="words, with a comma").to_csv(
        tmp_path / "yours.csv", index=False
    )
    drawn = draw_histories(tmp_path / "mine.csv", tmp_path / "yours.csv")
    mine, yours = drawn.alt.split("; ")
    assert mine.partition(" (")[2] == yours.rstrip(".").partition(" (")[2].rstrip(".")


def test_a_parameter_may_have_the_name_of_a_result(tmp_path):
    def make(batch_size, dtype, device):
        return torch.ones(batch_size, 2, dtype=getattr(torch, dtype))

    sizes = {"batch_size": (1, 4)}
    panel = explore(loop, batch, make, budget=0.01, dtype=["float32", "float64"], **sizes)
    panel.run(dtype="float64", batch_size=1)
    panel.run(dtype="float64", batch_size=4)
    assert "dtype float64" in draw_histories(panel.save(tmp_path / "a.csv")).alt


def test_nonsense_is_refused_with_a_reason(panel):
    with pytest.raises(TypeError, match="no height; it has batch_size"):
        panel.run(height=3)
    with pytest.raises(ValueError, match="takes whole numbers from 1 to 4,096"):
        panel.run(batch_size=5000)
    with pytest.raises(ValueError, match="this control takes cpu"):
        panel.run(device="toaster")
    with pytest.raises(TypeError, match="Give a range for features"):
        explore(loop, batch, inputs, batch_size=(1, 8))
    with pytest.raises(TypeError, match="no parameter height"):
        explore(loop, batch, inputs, height=(1, 8), **RANGES)
    with pytest.raises(TypeError, match="device is missing"):
        explore(loop, batch, lambda batch_size: None, batch_size=(1, 8))
    with pytest.raises(TypeError, match="same keys"):
        explore({"a": loop}, {"b": batch}, inputs, **RANGES)
    for sizes in ((0, 10), 64, "big", [], True):
        with pytest.raises(TypeError, match="batch_size takes whole numbers from 1 on"):
            explore(loop, batch, inputs, batch_size=sizes, features=(1, 8))
    with pytest.raises(TypeError, match="a control named threads of its own"):
        explore(loop, batch, lambda batch_size, threads, device: None, batch_size=(1, 8))
    with pytest.raises(TypeError, match="is no range"):
        explore(loop, batch, inputs, batch_size=(1, 8), features=object())


def test_a_guess_is_put_beside_the_outcome():
    question = "How many times?"
    assert predict(question).outcome(2.0) == "You did not guess. Measured: 2.00×."
    assert "your guess was 5.00× too high" in predict(question, guess=10).outcome(2.0)
    assert "your guess was 2.00× too low" in predict(question, guess=1).outcome(2.0)
    assert "within a tenth" in predict(question, guess=2.1).outcome(2.0)
    moved = predict(question)
    moved.widget.values = {"my guess": 100.0}
    assert moved.guess == 100.0
    with pytest.raises(ValueError, match="ratio above 0"):
        predict(question, guess=-1)
