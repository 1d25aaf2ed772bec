"""The index of the recipes in a real JupyterLab, Notebook and Voilà: type, arrow down, Enter."""

import re
import shutil

import pytest

from tests.finding.samples import odd, write_samples
from utils.authoring.store import NOTEBOOKS
from utils.finding.markdown import headings

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser
QUESTION = "How do I take a different index from each row?"
LABEL = "A question, an error message or a function"
IN_VIEW = """heading => {
    const panel = window.jupyterapp.shell.currentWidget;
    const found = [...panel.node.querySelectorAll("h2")].find(
        h => h.textContent.replace("¶", "") === heading);
    if (!found) return false;
    const box = found.getBoundingClientRect();
    return box.top >= 0 && box.bottom <= window.innerHeight;
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a JupyterLab with the index over sample recipes, and a browser."""
    folder = tmp_path_factory.mktemp("served") / "a folder é"
    recipes = folder / "some recipes"
    recipes.mkdir(parents=True)
    write_samples(recipes)
    shutil.copy(NOTEBOOKS / "recipes" / "index.ipynb", recipes)
    with lab.jupyterlab(folder) as address, lab.chromium() as browser:
        yield address, browser


def run_index(served):
    address, browser = served
    page = lab.new_page(browser)
    lab.open_notebook(page, address, "some recipes/index.ipynb")
    lab.run_all(page)
    return page


@pytest.fixture(scope="module")
def page(served):
    """The index in JupyterLab, all cells run."""
    page = run_index(served)
    yield page
    assert page.problems == []


@pytest.fixture
def index(page):
    """The page, with the index in front and an empty search field."""
    page.evaluate(
        """window.jupyterapp.commands.execute(
            "docmanager:open", {path: "some recipes/index.ipynb"}).then(() => null)"""
    )
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.title.label === 'index.ipynb'"
    )
    page.set_viewport_size({"width": 1200, "height": 1000})
    box = page.get_by_role("searchbox", name=LABEL)
    for _ in range(20):  # what is drawn meanwhile may scroll it away again
        lab.show_cell(page, "field")
        page.wait_for_timeout(250)
        if box.is_visible():
            break
    box.fill("")
    return page


def opened(page, heading):
    """Wait until a notebook is the current one and its heading is in view."""
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.title.label !== 'index.ipynb'"
    )
    page.wait_for_function(IN_VIEW, arg=heading, timeout=60_000)
    return page.evaluate("window.jupyterapp.shell.currentWidget.context.path")


def type_into(page, text):
    """Type into the search field, and return it once it has answered."""
    box = page.get_by_role("search")
    box.get_by_role("searchbox", name=LABEL).click()
    page.keyboard.type(text, delay=10)
    page.wait_for_function(
        """text => {
            const box = document.querySelector(".pib-find");
            return box.dataset.answered === text;
        }""",
        arg=text,
    )
    return box


def test_type_arrow_down_enter_opens_the_recipe_at_its_heading(index):
    box = type_into(index, "different index from each row")
    assert re.match(r"\d+ found", box.get_by_role("status").inner_text())
    index.keyboard.press("ArrowDown")
    assert index.evaluate("document.activeElement.textContent") == QUESTION
    index.keyboard.press("Enter")
    assert opened(index, QUESTION) == "some recipes/selecting.ipynb"


def test_a_pasted_message_is_found_whatever_its_sizes(index):
    said = "RuntimeError: stack expects each tensor to be equal size, but got [9, 7] at entry 0"
    box = type_into(index, said)
    first = box.get_by_role("listitem").first.inner_text()
    assert "found by its message: RuntimeError: stack expects each tensor" in first


ODD = [heading for cell in odd().cells for heading in headings(cell.source)][1:]


@pytest.mark.parametrize("heading", ODD)
@pytest.mark.parametrize("by", ["field", "table"])
def test_a_link_opens_the_heading_whatever_signs_it_holds(index, heading, by):
    if by == "field":
        type_into(index, heading).get_by_role("link", name=heading, exact=True).click()
    else:
        lab.show_cell(index, "question-table")
        index.get_by_role("table").get_by_role("link", name=heading, exact=True).first.click()
    assert opened(index, heading) == "some recipes/odd.ipynb"


def test_arrows_walk_through_what_was_found_and_escape_clears(index):
    box = type_into(index, "index row")
    links = box.get_by_role("listitem").get_by_role("link")
    walk = ["ArrowDown", "ArrowDown", "ArrowUp", "End", "Home", "ArrowUp"]
    focused = "[...document.querySelectorAll('.pib-find li a')].indexOf(document.activeElement)"
    places = []
    for key in walk:
        index.keyboard.press(key)
        places.append(index.evaluate(focused))
    assert places == [0, 1, 0, links.count() - 1, 0, -1]
    index.keyboard.press("Escape")
    assert box.get_by_role("searchbox").input_value() == ""
    assert links.count() == 0
    cells = index.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    type_into(index, "dd x")  # would be commands of JupyterLab
    still = index.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert still == cells


@pytest.mark.parametrize("theme", lab.THEMES)
def test_axe_finds_nothing_and_both_themes_are_readable(index, axe, theme):
    lab.use_theme(index, theme)
    index.set_viewport_size({"width": 1000, "height": 6000})
    type_into(index, "index row")
    assert lab.findings(index, axe) == []
    index.set_viewport_size({"width": 600, "height": 1000})
    wide = index.evaluate(
        "(() => { const b = document.querySelector('.pib-find');"
        "return b.scrollWidth > b.clientWidth; })()"
    )
    assert not wide


@pytest.mark.thorough
def test_a_kernel_that_does_not_answer_is_told(served):
    index = run_index(served)
    index.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    box = index.get_by_role("search")
    box.get_by_role("searchbox").fill("gather")
    box.get_by_text("Is the kernel running").wait_for()
