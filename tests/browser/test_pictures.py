"""The words of a picture reach readers: in JupyterLab, trusted or not, and in an HTML export."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook

from utils.authoring.store import KERNEL, normalise, run_notebook

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = pytest.mark.browser

CELLS = {
    "first": "import torch\nfrom utils import compare, diagrams, explore, plots, sweep",
    "figure": (
        "figure = plots.figure()\nfigure.add_subplot().plot([1, 2])\n"
        "plots.picture(figure, 'A line that rises, & \"quoted\" <b>')"
    ),
    "diagram": "diagrams.stacking((8, 8), 64)",
    "chart": (
        "pair = (lambda x: [row.sum() for row in x], lambda x: x.sum(1))\n"
        "plots.speedups({'sum': compare(*pair, torch.rand(64, 4), budget=0.02)})"
    ),
    "panel": (
        "explore(*pair, lambda batch_size, device: torch.rand(batch_size, 4), "
        "batch_size=(1, 64), budget=0.02)"
    ),
}
EXPECTED = {
    "figure": 'A line that rises, & "quoted" <b>',
    "diagram": "64 samples of shape (8, 8) lie on one pile",
    "chart": "the loop takes … times as long as the batch. sum:",
    "panel": "Time per item against batch_size",
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small notebook as `make notebooks` stores it."""
    path = tmp_path_factory.mktemp("stored") / "served" / "pictures.ipynb"
    path.parent.mkdir()
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    notebook = new_notebook(cells=cells, metadata=KERNEL)
    run_notebook(notebook, path.parent)
    normalise(notebook)
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def browser():
    with lab.chromium() as browser:
        yield browser


def pictures(page, within):
    """Alternative text and natural width of each picture that a reader sees."""
    shown = page.locator(f"{within} img")
    shown.last.wait_for(timeout=60_000)
    return shown.evaluate_all(
        """images => Promise.all(images.map(async image => {
            await image.decode();
            return [image.alt, image.naturalWidth, image.getBoundingClientRect().width];
        }))"""
    )


def check(found):
    assert len(found) == len(EXPECTED)
    for (alt, pixels, width), words in zip(found, EXPECTED.values(), strict=True):
        assert words in alt
        assert pixels >= 2 * width - 2, "two pixels for each point"
        assert width > 200


@pytest.mark.parametrize("trusted", [True, False])
def test_in_jupyterlab(stored, browser, trusted, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(stored, folder)
    if trusted:
        home = tmp_path / "jupyter" / "DATA"
        home.mkdir(parents=True)
        notary = NotebookNotary(data_dir=str(home))
        notary.sign(nbformat.read(stored, as_version=4))
        notary.store.close()
    with lab.jupyterlab(folder) as address:
        page = lab.new_page(browser, height=3000)
        lab.open_notebook(page, address, stored.name)
        shown = page.locator(".jp-RenderedHTML")
        shown.first.wait_for(timeout=60_000)
        marked = shown.evaluate_all(
            "all => all.map(one => one.classList.contains('jp-mod-trusted'))"
        )
        assert set(marked) == {trusted}
        check(pictures(page, ".jp-OutputArea-output"))


def test_in_an_html_export(stored, browser, axe, tmp_path):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path)]
    subprocess.run([*command, str(stored)], check=True, capture_output=True)
    page = lab.new_page(browser)
    page.goto((tmp_path / "pictures.html").as_uri(), wait_until="domcontentloaded")
    check(pictures(page, ".jp-OutputArea-output"))
    assert lab.findings(page, axe, ".jp-OutputArea-output") == []
