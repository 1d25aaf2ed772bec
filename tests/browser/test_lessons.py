"""Lesson 01 in a real JupyterLab, with a real browser, by keyboard and by mouse."""

import re
import shutil

import pytest

from utils.authoring.store import NOTEBOOKS

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Lesson 01, all cells run, with its panel in view."""
    folder = tmp_path_factory.mktemp("served") / "a folder é"
    shutil.copytree(NOTEBOOKS, folder)
    with lab.jupyterlab(folder) as address, lab.chromium() as browser:
        page = lab.new_page(browser)
        lab.open_notebook(page, address, "01_stack.ipynb")
        lab.run_all(page)
        yield page


@pytest.fixture
def panel(lesson):
    """The panel's box: the one that holds the slider of the batch size."""
    lab.show_cell(lesson, "explore")
    found = lesson.locator(".widget-vbox", has=lesson.get_by_text("batch_size", exact=True)).first
    found.scroll_into_view_if_needed()
    return found


def state(panel):
    """What a person sees of the panel: size, picture, result and status."""
    return {
        "size": panel.locator(".widget-readout").first.inner_text().replace(",", ""),
        "picture": panel.locator("img").get_attribute("src"),
        "result": panel.locator("table").inner_text(),
        "said": panel.locator('[role="status"], [role="alert"]').inner_text(),
    }


def settled(panel, size):
    """The state once the panel has finished a run at this size."""
    panel.get_by_text(re.compile(f"^done: batch_size {size},")).wait_for(timeout=20_000)
    return state(panel)


def test_the_lesson_runs_without_an_error(lesson):
    assert lesson.problems == []
    cells = lesson.evaluate("window.jupyterapp.shell.currentWidget.model.toJSON().cells")
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for output in (output for cell in cells for output in cell["outputs"]):
        assert output["output_type"] != "error"
        if output.get("name") == "stderr":
            assert re.fullmatch(r"(\s|sizes:.*\])*", output["text"]), "more than a sweep's bar"


def test_the_panel_is_live_and_not_the_stored_picture(panel):
    assert panel.locator(".widget-slider").count() == 2
    assert panel.locator("img").get_attribute("src").startswith("data:image/png")
    assert "Time per item against batch_size" in panel.locator("img").get_attribute("alt")


def test_an_arrow_key_reruns_and_redraws(panel):
    before = state(panel)
    panel.locator(".noUi-handle").first.focus()
    panel.page.keyboard.press("ArrowLeft")
    after = settled(panel, int(before["size"]) // 2)
    assert all(before[part] != after[part] for part in before)
    assert "PyTorch calls" in after["result"]


def test_the_mouse_drags_the_slider(panel):
    handle = panel.locator(".noUi-handle").first
    before, box = state(panel), panel.locator(".widget-slider").first.bounding_box()
    top = panel.locator("img").bounding_box()["y"]
    handle.hover()
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=15)
    panel.page.mouse.up()
    panel.page.wait_for_timeout(300)
    size = panel.locator(".widget-readout").first.inner_text().replace(",", "")
    after = settled(panel, size)
    assert int(after["size"]) > int(before["size"])
    assert after["picture"] != before["picture"]
    assert panel.locator("img").bounding_box()["y"] == top, "the page jumped"


def test_a_typed_size_goes_to_the_nearest_power_of_two(panel):
    readout = panel.locator(".widget-readout").first
    readout.click()
    panel.page.keyboard.press("Control+A")
    panel.page.keyboard.type("100")
    panel.page.keyboard.press("Enter")
    assert settled(panel, 128)["size"] == "128"


def test_the_operation_can_be_changed(panel):
    panel.get_by_label("operation").select_option("sort")
    panel.get_by_text(re.compile("^done: .*operation sort,")).wait_for(timeout=20_000)
    assert "sort" in state(panel)["said"]


def test_a_picture_of_the_panel(panel, lesson, request):
    """The README's picture: written where CI and people find it, not compared."""
    folder = request.config.rootpath / "test-output"
    folder.mkdir(exist_ok=True)
    panel.screenshot(path=folder / "panel.png")
    assert lesson.problems == []
