"""Lesson 01 in a real JupyterLab, with a real browser, by keyboard and by mouse."""

import re
import shutil

import pytest

from utils.authoring.store import NOTEBOOKS

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser
LESSONS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a JupyterLab with all lessons, and a browser."""
    folder = tmp_path_factory.mktemp("served") / "a folder é"
    shutil.copytree(NOTEBOOKS, folder)
    with lab.jupyterlab(folder) as address, lab.chromium() as browser:
        yield address, browser


@pytest.fixture(scope="module")
def lesson(served):
    """Lesson 01, all cells run."""
    address, browser = served
    page = lab.new_page(browser)
    lab.open_notebook(page, address, "01_stack.ipynb")
    lab.run_all(page)
    return page


@pytest.fixture
def panel(lesson):
    """The panel: what holds the slider of the batch size."""
    lab.show_cell(lesson, "explore")
    found = lesson.locator(".pib", has=lesson.get_by_label("batch_size", exact=True)).first
    found.scroll_into_view_if_needed()
    return found


def state(panel):
    """What a person sees of the panel: size, picture, result and status."""
    return {
        "size": panel.get_by_label("batch_size, as a number").input_value(),
        "picture": panel.get_by_role("img").first.inner_html(),
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
    assert panel.get_by_role("slider").count() == 2
    words = panel.get_by_role("img").first.get_attribute("aria-label")
    assert words.startswith("Time per item against batch_size")


def test_an_arrow_key_reruns_and_redraws(panel):
    before = state(panel)
    panel.get_by_label("batch_size", exact=True).press("ArrowLeft")
    after = settled(panel, int(before["size"]) // 2)
    assert all(before[part] != after[part] for part in before)
    assert "PyTorch calls" in after["result"]


def test_the_mouse_drags_the_slider(panel):
    slider = panel.get_by_label("batch_size", exact=True)
    before, box = state(panel), slider.bounding_box()
    top = panel.get_by_role("img").first.bounding_box()["y"]
    middle = box["y"] + box["height"] / 2
    panel.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=15)
    panel.page.mouse.up()
    panel.page.wait_for_timeout(300)
    after = settled(panel, state(panel)["size"])
    assert int(after["size"]) > int(before["size"])
    assert after["picture"] != before["picture"]
    assert panel.get_by_role("img").first.bounding_box()["y"] == top, "the page jumped"


def test_a_typed_size_is_taken_as_it_is(panel):
    field = panel.get_by_label("batch_size, as a number")
    field.fill("100")
    field.press("Enter")
    assert settled(panel, 100)["size"] == "100"


def test_the_operation_can_be_changed(panel):
    panel.get_by_label("operation", exact=True).select_option("sort")
    panel.get_by_text(re.compile("^done: .*operation sort,")).wait_for(timeout=20_000)
    assert "sort" in state(panel)["said"]


def test_a_picture_of_the_panel(panel, lesson, request):
    """The README's picture: written where CI and people find it, not compared."""
    folder = request.config.rootpath / "test-output"
    folder.mkdir(exist_ok=True)
    panel.screenshot(path=folder / "panel.png")
    assert lesson.problems == []


@pytest.mark.thorough
@pytest.mark.parametrize("theme", lab.THEMES)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_axe_finds_nothing_in_the_outputs_of_a_lesson(served, axe, path, theme):
    address, browser = served
    page = lab.new_page(browser, height=20_000)  # so high that JupyterLab draws every cell
    lab.open_notebook(page, address, path.name)
    lab.use_theme(page, theme)
    lab.run_all(page)
    assert lab.findings(page, axe) == []
    page.close()
