"""A real JupyterLab on a loopback port, and a real Chromium that looks at it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TOKEN = "lessons"
BUSY = """() => {
    const session = window.jupyterapp.shell.currentWidget?.sessionContext?.session;
    return !session || session.kernel?.status !== "idle";
}"""


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Serve ``folder``; yields the address. The server and its kernels end with the context."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = folder.parent / "jupyter"
    places = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
    ]
    overrides = home / "CONFIG" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text('{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}')
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **places}
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api?token={TOKEN}", server, home / "log")
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@contextlib.contextmanager
def page(width: int = 1200, height: int = 1000) -> Iterator[Page]:
    """A page in the Chromium on the PATH; its errors are kept in ``page.problems``."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM
        )
        opened = browser.new_page(viewport={"width": width, "height": height})
        opened.set_default_timeout(20_000)
        opened.problems = []
        opened.on("pageerror", lambda error: opened.problems.append(str(error)))
        try:
            yield opened
        finally:
            browser.close()


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


def wait_until_idle(opened: Page, seconds: float = 180) -> None:
    """Wait until the kernel has been idle for half a second."""
    calm, end = 0, time.monotonic() + seconds
    while calm < 5:
        if time.monotonic() > end:
            raise TimeoutError("the kernel does not become idle")
        calm = 0 if opened.evaluate(BUSY) else calm + 1
        opened.wait_for_timeout(100)
