"""A real JupyterLab on a loopback port, and a real Chromium that looks at it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TOKEN = "lessons"
THEMES = ("JupyterLab Light", "JupyterLab Dark")
BUSY = """() => {
    const session = window.jupyterapp.shell.currentWidget?.sessionContext?.session;
    return !session || session.kernel?.status !== "idle";
}"""


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serve ``folder``; yields the address. The server and its kernels end with the context."""
    port = free_port()
    home = folder.parent / "jupyter"
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
    ]
    overrides = home / "CONFIG" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    overrides.write_text('{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}')
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **places}
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api?token={TOKEN}", server, home / "log")
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:  # an extension that still waits for a browser
                server.kill()
                server.wait(timeout=15)


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Wait until a server answers, with whatever; raise what it logged if it ends instead."""
    for _ in range(120):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            pass
        else:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium on the PATH. Only one at a time: Playwright keeps an event loop meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, width: int = 1200, height: int = 1000) -> Page:
    """A page whose errors are kept in ``page.problems``."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(20_000)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    return page


def open_notebook(opened: Page, address: str, name: str) -> None:
    """Open a notebook in JupyterLab and wait for its kernel."""
    opened.goto(f"{address}/lab/tree/{name}?token={TOKEN}&reset")
    opened.wait_for_function("() => window.jupyterapp?.shell?.currentWidget", timeout=60_000)
    opened.wait_for_selector(".jp-Notebook-cell", timeout=60_000)
    wait_until_idle(opened)


def run_all(opened: Page) -> None:
    """Run all cells, wait until the kernel is idle again, and let every cell be drawn."""
    opened.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait_until_idle(opened)


def show_cell(opened: Page, cell: str) -> None:
    """Scroll to the cell with this id; JupyterLab does not keep cells far out of view."""
    opened.evaluate(
        """async cell => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            const index = notebook.widgets.findIndex(found => found.model.id === cell);
            notebook.activeCellIndex = index;
            await notebook.scrollToItem(index, "start");
        }""",
        cell,
    )


def use_theme(opened: Page, theme: str) -> None:
    """Switch to one of `THEMES`, and wait until the page is drawn in it."""
    opened.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    light = "true" if theme.endswith("Light") else "false"
    selector = f"body[data-jp-theme-light={light}]"
    opened.wait_for_selector(selector, state="attached", timeout=60_000)
    opened.wait_for_timeout(500)


def findings(opened: Page, axe: str, within: str = ".jp-OutputArea-output") -> list[str]:
    """What axe finds in the outputs on a page: each rule, its element and what is wrong."""
    opened.evaluate(axe)
    return opened.evaluate(
        """async within => {
            const found = await axe.run({include: [within]}, {resultTypes: ["violations"]});
            return found.violations.flatMap(rule => rule.nodes.map(node =>
                `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
        }""",
        within,
    )


def wait_until_idle(opened: Page, seconds: float = 180) -> None:
    """Wait until the kernel has been idle for half a second."""
    calm, end = 0, time.monotonic() + seconds
    while calm < 5:
        if time.monotonic() > end:
            raise TimeoutError("the kernel does not become idle")
        calm = 0 if opened.evaluate(BUSY) else calm + 1
        opened.wait_for_timeout(100)
