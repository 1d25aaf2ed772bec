"""axe-core, which knows what keeps people out of a page."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def axe(request):
    """The program of axe-core. It is fetched with npm, once; without npm the test is left out."""
    folder = request.config.rootpath / ".venv" / "share" / AXE
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs npm, which fetches axe-core")
        mine = Path(f"{folder}-{os.getpid()}")
        mine.mkdir(parents=True)
        fetch = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(mine), AXE]
        done = subprocess.run(fetch, capture_output=True, text=True, timeout=300)
        if done.returncode:
            shutil.rmtree(mine)
            pytest.skip(f"npm could not fetch axe-core: {done.stderr[-300:]}")
        try:
            mine.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(mine)
    return script.read_text("utf-8")
