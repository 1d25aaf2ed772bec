"""The panel without a browser: what it does when a control changes, and when things go wrong."""

import asyncio
import base64
import io
import itertools
import time

import pytest
import torch
from PIL import Image

from tests.explorer.test_hostile import BAD
from utils.display.prediction import predict
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
    picture = panel._picture.value
    comparison = panel.run(batch_size=8, features=4)
    run = panel.history[-1]
    assert run.comparison is comparison
    assert run.settings["batch_size"] == 8
    assert run.calls == (9, 1)
    assert panel.error is None
    assert comparison.verdict in panel._result.value.replace("&gt;", ">")
    assert panel._picture.value != picture
    assert "batch_size 8" in panel._status.value


def test_a_panel_opens_with_a_result(panel):
    assert len(panel.history) == 1
    assert Image.open(io.BytesIO(panel._png)).size == (1440, 780)


def test_wide_ranges_step_in_powers_of_two_and_run_takes_other_sizes(panel):
    slider = panel.controls["batch_size"]
    assert (slider.base, slider.min, slider.max, slider.step) == (2, 0, 12, 1)
    panel.run(batch_size=100)
    assert panel.history[-1].settings["batch_size"] == 100


def test_the_other_abbreviations_of_interact():
    def make(batch_size, kind, biased, width, device):
        return torch.ones(batch_size, width)

    ranges = {"batch_size": (1, 9), "kind": ["a", "b"], "biased": True, "width": (1, 5)}
    panel = explore(loop, batch, make, budget=0.01, **ranges)
    names = [type(control).__name__ for control in panel.controls.values()]
    assert names[:4] == ["IntSlider", "Dropdown", "Checkbox", "IntSlider"]
    panel.run(kind="b", biased=False)
    assert panel.history[-1].settings["kind"] == "b"


def test_without_an_event_loop_a_moved_slider_runs_at_once(panel):
    panel.controls["batch_size"].value = 16.0
    assert panel.history[-1].settings["batch_size"] == 16


def test_thirty_rapid_changes_make_few_runs_and_end_on_the_last(panel):
    async def drag():
        for step in range(30):
            panel.controls["batch_size"].value = float(step + 1)
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)

    asyncio.run(drag())
    assert panel.history[-1].settings["batch_size"] == 30
    assert len(panel.history) <= 6


def test_the_vertical_axis_only_grows(panel):
    limits = []
    for size in (1, 4096, 1, 64):
        panel.run(batch_size=size)
        limits.append(panel._chart.axes.get_ylim())
    for (low, high), (next_low, next_high) in itertools.pairwise(limits):
        assert next_low <= low
        assert next_high >= high
    assert panel._chart.axes.get_xlim() == pytest.approx((1 / 1.3, 4096 * 1.3))


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
    assert 'role="alert"' in panel._status.value
    assert "RuntimeError: seven is &lt;unlucky&gt;</span>" in panel._status.value
    panel.controls["batch_size"].value = 8.0
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
    assert 'role="alert"' in panel._status.value
    assert "\n" not in panel._status.value
    switch["now"] = batch
    panel.controls["batch_size"].value = 8.0
    assert panel.error is None
    assert panel.history[-1].settings["batch_size"] == 8


def test_a_mismatch_is_shown():
    panel = explore(loop, lambda rows: rows.sum(dim=1) + 1, inputs, budget=0.01, **RANGES)
    assert panel.history == []
    assert "ResultMismatchError" in panel._status.value


def test_what_would_not_fit_is_refused_before_it_is_tried():
    made = []

    def huge(batch_size, features, device):
        made.append(device)
        return torch.ones(batch_size * 2**20, features * 2**20, device=device)

    panel = explore(loop, batch, huge, budget=0.01, **RANGES)
    assert isinstance(panel.error, MemoryError)
    assert set(made) == {torch.device("meta")}
    assert "would take about" in panel._status.value
    assert "choose a smaller batch_size or features" in panel._status.value


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


def test_the_guard_works_for_functions_with_weights_of_their_own(monkeypatch):
    monkeypatch.setattr("utils.explorer.panel.default_device", lambda: torch.device("cpu"))
    layer = torch.nn.Linear(8, 4)
    ranges = {"batch_size": (1, 4096)}
    make = (lambda batch_size, device: torch.ones(batch_size, 8, device=device),)
    sides = (lambda rows: [layer(row) for row in rows]), layer
    assert explore(*sides, *make, budget=0.01, **ranges).error is None
    monkeypatch.setattr("utils.explorer.panel.free_bytes", lambda device: 1000)
    assert isinstance(explore(*sides, *make, budget=0.01, **ranges).error, MemoryError)


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


def test_out_of_memory_is_one_readable_line(monkeypatch):
    monkeypatch.setattr("utils.explorer.panel.default_device", lambda: torch.device("cpu"))
    weight = torch.ones(1)  # a tensor of its own, so that its need is not known beforehand

    def too_large(rows):
        return (rows + weight) + torch.empty(2**60)

    panel = explore(loop, too_large, inputs, budget=0.01, **RANGES)
    assert "out of memory, and nothing is lost" in panel._status.value
    assert "can't allocate memory" in str(panel.error)


def test_whoever_reads_without_a_kernel_sees_a_picture_and_its_words(panel):
    data, metadata = panel._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "text/html" not in data  # exports would show it instead of the picture
    assert "the loop takes" in metadata["image/png"]["alt"]
    assert panel.history[-1].comparison.verdict in data["text/plain"]


def test_the_history_can_be_saved(panel, tmp_path):
    panel.run(batch_size=2)
    lines = panel.save(tmp_path / "results.csv").read_text().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("batch_size,features,device,threads,looped_calls,batched_calls,")


def test_nonsense_is_refused_with_a_reason(panel):
    with pytest.raises(TypeError, match="no height; it has batch_size"):
        panel.run(height=3)
    with pytest.raises(ValueError, match="this panel takes 1 to 4,096"):
        panel.run(batch_size=5000)
    with pytest.raises(ValueError, match="this panel takes cpu"):
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


def test_a_redraw_is_quick(panel):
    panel.run(batch_size=2)
    start = time.perf_counter()
    for _ in range(5):
        panel._redraw()
    assert time.perf_counter() - start < 5


def test_a_guess_is_put_beside_the_outcome():
    question = "How many times?"
    assert predict(question).outcome(2.0) == "You did not guess. Measured: 2.00×."
    assert "your guess was 5.00× too high" in predict(question, guess=10).outcome(2.0)
    assert "your guess was 2.00× too low" in predict(question, guess=1).outcome(2.0)
    assert "within a tenth" in predict(question, guess=2.1).outcome(2.0)
    moved = predict(question)
    moved._slider.value = 100.0
    assert moved.guess == 100.0
    with pytest.raises(ValueError, match="ratio above 0"):
        predict(question, guess=-1)
