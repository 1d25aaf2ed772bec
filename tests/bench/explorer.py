"""How live is the panel? Key press to redrawn chart in a real browser, beside `interact`.

Both compare the same loop and batch at the same budget, count calls, and show the same chart. The
times inside the kernel are those of the comparison, so that what remains is the drawing, the
messages and the browser.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.browser import lab
from utils.authoring.store import KERNEL

SETUP = """
import time
import ipywidgets
import matplotlib.pyplot as plt
import torch
import utils.explorer.panel
import utils.explorer.race
from utils.measuring.counting import count_calls
from utils.timing import compare as timed

walls = []

def compare(*args, **settings):
    start = time.perf_counter()
    comparison = timed(*args, **settings)
    walls.append(time.perf_counter() - start)
    return comparison

utils.explorer.race.compare = compare

def loop(rows):
    return [row.sum() for row in rows]

def batch(rows):
    return rows.sum(dim=1)

def inputs(batch_size, features, device):
    return torch.rand(batch_size, features, device=device)
"""
PANEL = (
    "utils.explorer.panel.explore(loop, batch, inputs, batch_size=(1, 4096), features=(1, 1024))"
)
INTERACT = """
points = {}

def show(size):
    rows = inputs(2**size, 32, "cpu")
    c = compare(loop, batch, rows)
    calls = [count_calls(side, rows).total() for side in (loop, batch)]
    points[2**size] = c.looped.median / 2**size, c.batched.median / 2**size
    figure, axes = plt.subplots(figsize=(7.2, 3.9), dpi=100, layout="constrained")
    sizes = sorted(points)
    axes.plot(sizes, [points[n][0] for n in sizes], "o-", label="loop")
    axes.plot(sizes, [points[n][1] for n in sizes], "s--", label="batch")
    axes.set(xscale="log", yscale="log", xlabel="batch_size", ylabel="time per item")
    axes.set_xlim(0.7, 6000)
    axes.grid()
    axes.legend()
    plt.show()
    print(c.verdict, calls)

ipywidgets.interact(show, size=ipywidgets.IntSlider(6, 0, 12));
"""
DRAWN = """root => [...root.querySelectorAll("img")].map(image => image.src).join()
    + [...root.querySelectorAll("svg[role=img]")].map(drawn => drawn.innerHTML).join()"""
# Move the slider by one step, as an arrow key does: of the browser's own kind, or of ipywidgets'.
REDRAW = """([root, step]) => new Promise(done => {
    const drawn = DRAWN;
    const before = drawn(root), start = performance.now();
    const look = () => {
        const now = drawn(root);
        const ready = [...root.querySelectorAll("img")].every(image => image.complete);
        if (now && now !== before && ready) done(performance.now() - start);
        else if (performance.now() - start > 5000) done(null);
        else requestAnimationFrame(look);
    };
    const own = root.querySelector("input[type=range]");
    if (own) {
        own.valueAsNumber += step;
        own.dispatchEvent(new Event("input", {bubbles: true}));
    } else {
        const key = step > 0 ? "ArrowRight" : "ArrowLeft";
        root.querySelector(".noUi-handle").dispatchEvent(
            new KeyboardEvent("keydown", {key, bubbles: true}));
    }
    look();
})""".replace("DRAWN", DRAWN)
COUNT = """([root, milliseconds]) => new Promise(done => {
    const drawn = DRAWN;
    let last = "", changes = -1;
    const start = performance.now();
    const look = () => {
        const now = drawn(root);
        if (now && now !== last) { last = now; changes += 1; }
        if (performance.now() - start > milliseconds) done(changes);
        else requestAnimationFrame(look);
    };
    look();
})""".replace("DRAWN", DRAWN)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "served"
        folder.mkdir()
        cells = [new_code_cell(source) for source in (SETUP, PANEL, INTERACT)]
        nbformat.write(new_notebook(cells=cells, metadata=KERNEL), folder / "bench.ipynb")
        with lab.jupyterlab(folder) as address, lab.chromium() as browser:
            page = lab.new_page(browser)
            lab.open_notebook(page, address, "bench.ipynb")
            lab.run_all(page)
            print(f"{'':12}{'key to chart':>14}{'measuring':>14}{'the rest':>12}{'a second':>10}")
            for name, cell in (("explore", 1), ("interact", 2)):
                root = page.locator(".jp-Cell").nth(cell).locator(".jp-OutputArea-output").first
                root.scroll_into_view_if_needed()
                figures = measure(page, root)
                print(f"{name:12}" + "".join(figures))


def measure(page: object, root: object) -> list[str]:
    """Median milliseconds of single key presses, and redraws a second while dragging."""
    handle = root.element_handle()
    redraws = []
    for step in [1, -1] * 10:
        redraws.append(page.evaluate(REDRAW, [handle, step]))
        lab.wait_until_idle(page)
    walls = kernel_walls(page)[-len(redraws) :]
    total, inside = statistics.median(redraws), statistics.median(walls) * 1000
    slider = root.locator("input[type=range], .widget-slider").first
    box, end = slider.bounding_box(), 4.0
    page.mouse.move(*middle(box))
    page.mouse.down()
    counting = page.evaluate_handle("() => ({})")
    page.evaluate(
        f"([into, root, ms]) => {{ ({COUNT})([root, ms]).then(n => into.count = n); }}",
        [counting, handle, end * 1000],
    )
    for step in range(int(end * 30)):
        share = 0.5 + 0.4 * ((step % 40) / 20 - 1)
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        page.wait_for_timeout(33)
    page.mouse.up()
    page.wait_for_function("into => into.count !== undefined", arg=counting)
    rate = page.evaluate("into => into.count", counting) / end
    lab.wait_until_idle(page)
    return [f"{total:>11.0f} ms{inside:>11.0f} ms{total - inside:>9.0f} ms{rate:>10.1f}"]


def middle(box: dict[str, float]) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def kernel_walls(page: object) -> list[float]:
    """The seconds that each comparison took inside the kernel."""
    return page.evaluate(
        """async () => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const asked = kernel.requestExecute({
                code: "", user_expressions: {walls: "walls"}, store_history: false});
            const reply = await asked.done;
            return JSON.parse(reply.content.user_expressions.walls.data["text/plain"]);
        }"""
    )


if __name__ == "__main__":
    main()
