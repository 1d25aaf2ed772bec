"""The panel in a real JupyterLab and under Voilà: errors, haste, two at once, a restart."""

import contextlib
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.authoring.store import KERNEL

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser

FIRST = """
import torch
from utils import compare, diagrams, explore, predict

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
OTHERS = [
    "predict('How many times as long?')",
    "compare(looped['sum'], batched['sum'], torch.rand(64, 9), budget=0.02)",
    "diagrams.broadcasting({'images': (64, 3, 8), 'mean <b>': (3, 1)})",
    "second.history",
]
SETTINGS = "[run.settings['batch_size'] for run in first.history]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "served"
    folder.mkdir()
    cells = [new_code_cell(FIRST, id="first"), new_code_cell(SECOND, id="second")]
    cells += [new_code_cell(source, id=f"other-{k}") for k, source in enumerate(OTHERS)]
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), folder / "panels.ipynb")
    return folder


@pytest.fixture(scope="module")
def browser():
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(folder, browser):
    with lab.jupyterlab(folder) as address:
        page = lab.new_page(browser, height=4000)
        lab.open_notebook(page, address, "panels.ipynb")
        lab.run_all(page)
        yield page


@pytest.fixture
def panels(page):
    """The two panels, from the top."""
    boxes = page.locator(".pib", has=page.get_by_label("batch_size", exact=True))
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


def slider(panel, name="batch_size"):
    return panel.get_by_label(name, exact=True)


def test_every_control_has_a_name_for_a_screen_reader(panels):
    for role, name in [
        *(("slider", "batch_size"), ("slider", "features"), ("combobox", "operation")),
        *(("combobox", "device"), ("combobox", "threads")),
        *(("spinbutton", "batch_size, as a number"), ("spinbutton", "features, as a number")),
    ]:
        assert panels[0].get_by_role(role, name=name, exact=True).count() == 1
    assert panels[0].get_by_role("img", name=re.compile("^Time per item against")).count() == 1


@pytest.mark.parametrize(("key", "size"), [("End", 64), ("Home", 1)])
def test_a_slider_says_its_value_as_a_person_would(panels, key, size):
    slider(panels[1]).press(key)
    wait_for(panels[1], f"^done: batch_size {size},")
    said = slider(panels[1]).get_attribute("aria-valuetext")
    assert said == str(size)
    assert panels[1].get_by_label("batch_size, as a number").input_value() == str(size)


def test_tab_goes_through_the_controls_in_order(page, panels):
    slider(panels[0]).focus()
    order = []
    for _ in range(7):
        order.append(
            page.evaluate(
                """() => document.activeElement.labels?.[0]?.innerText
                    ?? document.activeElement.getAttribute("aria-label")"""
            )
        )
        page.keyboard.press("Tab")
    assert order == [
        *("batch_size", "batch_size, as a number", "features", "features, as a number"),
        *("operation", "device", "threads"),
    ]


@pytest.mark.parametrize("theme", lab.THEMES)
@pytest.mark.parametrize("width", [1300, 700, 600])
def test_the_panel_is_whole_at_every_width_and_in_every_theme(page, panels, axe, theme, width):
    lab.use_theme(page, theme)
    page.set_viewport_size({"width": width, "height": 4000})
    page.wait_for_timeout(500)
    try:
        outer = panels[0].bounding_box()
        parts = panels[0].locator(
            "input, select, label, .pib-chart > svg, .pib-result, .pib-legend li"
        )
        assert parts.count() > 12
        for part in parts.all():
            box = part.bounding_box()
            assert box["x"] >= outer["x"] - 1
            assert box["x"] + box["width"] <= min(outer["x"] + outer["width"], width) + 1
        drawing = panels[0].get_by_role("img", name=re.compile("^Time")).bounding_box()
        for entry in panels[0].locator(".pib-legend li").all():
            assert entry.bounding_box()["y"] >= drawing["y"] + drawing["height"] - 1
        cut = """svg => { const edge = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < edge.left - 1 || box.right > edge.right + 1;
            }).map(text => text.textContent); }"""
        assert panels[0].get_by_role("img", name=re.compile("^Time")).evaluate(cut) == []
        if width == 1300:
            assert lab.findings(page, axe) == []
        else:
            assert lab.findings(page, axe, ".pib") == []
    finally:
        page.set_viewport_size({"width": 1200, "height": 4000})
        lab.use_theme(page, lab.THEMES[0])


def test_a_panel_with_an_error_has_nothing_that_axe_finds(page, panels, axe):
    panels[0].get_by_label("operation", exact=True).select_option("boom")
    wait_for(panels[0], "^ValueError")
    for theme in reversed(lab.THEMES):
        lab.use_theme(page, theme)
        assert lab.findings(page, axe, ".pib") == []
    panels[0].get_by_label("operation", exact=True).select_option("sum")
    wait_for(panels[0], "^done: .*operation sum")


def test_a_guess_can_be_made_with_the_keyboard(page):
    box = page.locator(".pib", has=page.get_by_label("my guess", exact=True)).first
    slider(box, "my guess").press("ArrowRight")
    box.locator("output", has_text="1.12×").wait_for()
    assert slider(box, "my guess").get_attribute("aria-valuetext") == "1.12×"


def test_two_panels_do_not_disturb_each_other(page, panels):
    before = said(panels[0])
    slider(panels[1], "features").press("End")
    wait_for(panels[1], r"^done: batch_size \d+, features 8,")
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
    slider(panels[0], "features").press("End")
    wait_for(panels[0], r"^MemoryError: this would take about [\d,.]+ [TG]iB")
    slider(panels[0], "features").press("ArrowLeft")
    wait_for(panels[0], r"^done: batch_size \d+, features 512,")


def test_thirty_rapid_changes_make_few_runs_and_end_on_the_last(page, panels):
    runs = int(ask_kernel(page, "len(first.history)"))
    slider(panels[0]).press("Home")
    wait_for(panels[0], "^done: batch_size 1,")
    for key in ["ArrowRight"] * 11 + ["ArrowLeft"] * 10 + ["ArrowRight"] * 9:
        page.keyboard.press(key)
    wait_for(panels[0], "^done: batch_size 1024,")
    page.wait_for_timeout(300)
    assert said(panels[0]).startswith("done: batch_size 1024,")
    assert int(ask_kernel(page, "len(first.history)")) - runs <= 20
    assert panels[0].get_by_label("batch_size, as a number").input_value() == "1024"


def test_a_cell_runs_between_two_drags(page, panels):
    box = slider(panels[0]).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * step / 10, middle)
    assert ask_kernel(page, "6 * 7") == "42"
    page.mouse.move(box["x"], middle)
    page.mouse.up()
    wait_for(panels[0], "^done: batch_size 1,")


def test_after_a_kernel_restart_run_all_gives_live_panels(page):
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    lab.wait_until_idle(page)
    lab.run_all(page)
    boxes = page.locator(".pib", has=page.get_by_label("batch_size", exact=True))
    boxes.nth(0).get_by_label("batch_size", exact=True).press("End")
    wait_for(boxes.nth(0), "^done: batch_size 4096,")
    assert ask_kernel(page, SETTINGS) == "[64, 4096]"
    assert page.problems == []


def test_the_panel_works_under_voila(folder, browser, axe):
    with voila(folder / "panels.ipynb") as address:
        page = lab.new_page(browser)
        page.goto(address)
        panel = page.locator(".pib", has=page.get_by_label("batch_size", exact=True)).first
        slider(panel).press("End", timeout=60_000)
        wait_for(panel, "^done: batch_size 4096,")
        assert lab.findings(page, axe, ".pib") == []


def test_the_panel_works_in_notebook_7(folder, browser, axe):
    with lab.jupyterlab(folder) as address:
        page = lab.new_page(browser, height=3000)
        page.goto(f"{address}/notebooks/panels.ipynb?token={lab.TOKEN}")
        page.locator(".jp-Notebook-cell").first.wait_for(timeout=60_000)
        page.get_by_text("Python 3 (ipykernel)").first.wait_for(timeout=60_000)
        page.wait_for_timeout(5000)  # the kernel starts
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        panel = page.locator(".pib", has=page.get_by_label("batch_size", exact=True)).first
        slider(panel).press("End", timeout=60_000)
        wait_for(panel, "^done: batch_size 4096,")
        assert lab.findings(page, axe, ".pib") == []


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
