"""The panel in a real JupyterLab and under Voilà: errors, haste, two at once, a restart."""

import contextlib
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.authoring.store import KERNEL, NOTEBOOKS

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser

FIRST = """
import torch
from utils.explorer.panel import explore

def inputs(batch_size, features, device):
    return torch.rand(batch_size, features * (2**30 if features > 512 else 1), device=device)

def boom(rows):
    raise ValueError("this operation always fails\\nin two lines")

looped = {"sum": lambda rows: [row.sum() for row in rows], "boom": boom}
batched = {"sum": lambda rows: rows.sum(dim=1), "boom": boom}
first = explore(looped, batched, inputs, batch_size=(1, 4096), features=(1, 1024), budget=0.05)
first
"""
SECOND = """
second = explore(looped["sum"], batched["sum"], inputs, batch_size=(1, 64), features=(1, 8),
                 budget=0.05)
second
"""
SETTINGS = "[run.settings['batch_size'] for run in first.history]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "served"
    folder.mkdir()
    cells = [new_code_cell(FIRST, id="first"), new_code_cell(SECOND, id="second")]
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), folder / "panels.ipynb")
    return folder


@pytest.fixture(scope="module")
def browser():
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(folder, browser):
    with lab.jupyterlab(folder) as address:
        page = lab.new_page(browser, height=1800)
        lab.open_notebook(page, address, "panels.ipynb")
        lab.run_all(page)
        yield page


@pytest.fixture
def panels(page):
    """The two panels, from the top."""
    boxes = page.locator(".widget-vbox", has=page.get_by_text("batch_size", exact=True))
    assert boxes.count() == 2
    return boxes.nth(0), boxes.nth(1)


def said(panel):
    return panel.locator('[role="status"], [role="alert"]').inner_text()


def wait_for(panel, pattern):
    panel.get_by_text(re.compile(pattern)).first.wait_for(timeout=20_000)


def ask_kernel(page, expression):
    """What an expression is in the kernel, without a cell: the panels do not notice."""
    return page.evaluate(
        """async expression => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const reply = await kernel.requestExecute({
                code: "", user_expressions: {it: expression}, store_history: false}).done;
            const it = reply.content.user_expressions.it;
            return it.status === "ok" ? it.data["text/plain"] : it.evalue;
        }""",
        expression,
    )


def test_every_control_has_a_name_for_a_screen_reader(panels):
    for name in ("operation", "device", "threads"):
        assert panels[0].get_by_label(name, exact=True).count() == 1
    assert panels[0].get_by_role("img", name=re.compile("^Time per item against")).count() == 1
    assert panels[0].get_by_role("slider").count() == 2


def test_tab_goes_through_the_controls_in_order(page, panels):
    panels[0].locator(".noUi-handle").first.focus()
    order = []
    for _ in range(7):
        order.append(
            page.evaluate(
                """() => document.activeElement.closest(".jupyter-widgets.widget-inline-hbox")
                    ?.querySelector(".widget-label")?.innerText"""
            )
        )
        page.keyboard.press("Tab")
    names = [name for index, name in enumerate(order) if name and name not in order[:index]]
    assert names == ["batch_size", "features", "operation", "device", "threads"]


def test_two_panels_do_not_disturb_each_other(page, panels):
    before = said(panels[0])
    panels[1].locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    wait_for(panels[1], r"^done: batch_size \d+, features")
    assert said(panels[0]) == before


def test_threads_can_be_switched(panels):
    menu = panels[0].get_by_label("threads", exact=True)
    menu.select_option("1")
    wait_for(panels[0], r"^done: .*threads 1$")
    wait_for(panels[0], r"· 1 thread ·")


def test_an_operation_that_raises_is_one_line_and_the_next_works(page, panels):
    menu = panels[0].get_by_label("operation", exact=True)
    menu.select_option("boom")
    wait_for(panels[0], "^ValueError: this operation always fails$")
    assert "two lines" in ask_kernel(page, "str(first.error)")
    menu.select_option("sum")
    wait_for(panels[0], "^done: .*operation sum")
    assert ask_kernel(page, "first.error") == "None"


def test_a_size_that_would_not_fit_is_refused(page, panels):
    slider = panels[0].locator(".noUi-handle").nth(1)
    slider.focus()
    page.keyboard.press("End")
    wait_for(panels[0], r"^MemoryError: this would take about [\d,.]+ [TG]iB")
    page.keyboard.press("ArrowLeft")
    wait_for(panels[0], r"^done: batch_size \d+, features 512,")


def test_thirty_rapid_changes_make_few_runs_and_end_on_the_last(page, panels):
    runs = int(ask_kernel(page, "len(first.history)"))
    handle = panels[0].locator(".noUi-handle").first
    handle.focus()
    page.keyboard.press("Home")
    wait_for(panels[0], "^done: batch_size 1,")
    for key in ["ArrowRight"] * 11 + ["ArrowLeft"] * 10 + ["ArrowRight"] * 9:
        page.keyboard.press(key)
    wait_for(panels[0], "^done: batch_size 1024,")
    page.wait_for_timeout(300)
    assert said(panels[0]).startswith("done: batch_size 1024,")
    assert int(ask_kernel(page, "len(first.history)")) - runs <= 20
    assert panels[0].locator(".widget-readout").first.inner_text() == "1024"


def test_a_cell_runs_between_two_drags(page, panels):
    box = panels[0].locator(".widget-slider").first.bounding_box()
    panels[0].locator(".noUi-handle").first.hover()
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * step / 10, box["y"] + box["height"] / 2)
    assert ask_kernel(page, "6 * 7") == "42"
    page.mouse.move(box["x"], box["y"] + box["height"] / 2)
    page.mouse.up()
    wait_for(panels[0], "^done: batch_size 1,")


def test_after_a_kernel_restart_run_all_gives_live_panels(page):
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    lab.wait_until_idle(page)
    lab.run_all(page)
    boxes = page.locator(".widget-vbox", has=page.get_by_text("batch_size", exact=True))
    boxes.nth(0).locator(".noUi-handle").first.focus()
    page.keyboard.press("End")
    wait_for(boxes.nth(0), "^done: batch_size 4096,")
    assert ask_kernel(page, SETTINGS) == "[64, 4096]"
    assert page.problems == []


def test_an_export_shows_the_stored_picture(tmp_path, browser):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path)]
    subprocess.run([*command, str(NOTEBOOKS / "01_stack.ipynb")], check=True, capture_output=True)
    page = lab.new_page(browser)
    page.goto((tmp_path / "01_stack.html").as_uri(), wait_until="domcontentloaded")
    picture = page.locator('img[width="720"]')
    assert picture.count() == 1
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 720


def test_the_panel_works_under_voila(folder, browser):
    with voila(folder / "panels.ipynb") as address:
        page = lab.new_page(browser)
        page.goto(address)
        panel = page.locator(".widget-vbox", has=page.get_by_text("batch_size", exact=True)).first
        panel.locator(".noUi-handle").first.focus(timeout=60_000)
        page.keyboard.press("End")
        wait_for(panel, "^done: batch_size 4096,")


@contextlib.contextmanager
def voila(notebook):
    port, log = lab.free_port(), notebook.parent.parent / "voila.log"
    command = [
        *(sys.executable, "-m", "voila", str(notebook), "--no-browser", "--Voila.ip=127.0.0.1"),
        f"--port={port}",
    ]
    with log.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            lab.wait_for(f"http://127.0.0.1:{port}/voila/static/", server, log)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(timeout=30)
