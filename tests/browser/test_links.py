"""A link for a JupyterHub, followed: the notebook that it names opens."""

import os
import subprocess

import pytest

from utils.authoring.links import Repository

pytest.importorskip("playwright")
from tests.browser import lab

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
NOTEBOOK = """{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Here"}],
"metadata": {}, "nbformat": 4, "nbformat_minor": 5}"""


def publish(folder, name):
    """A bare repository with one notebook, as a remote that a link can name."""
    work, bare = folder / "work" / name, folder / "remote" / f"{name}.git"
    (work / "notebooks").mkdir(parents=True)
    (work / "notebooks" / "for us 1.ipynb").write_text(NOTEBOOK.replace("Here", name))
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet", "-b", "main"], ["add", "."], ["commit", "-qm", "One"]):
        subprocess.run([*git, *command], cwd=work, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(work), str(bare)], check=True)
    return Repository("", os.fspath(bare.with_suffix("")).lstrip("/"), scheme="file")


def test_a_link_opens_the_notebook_that_it_names(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    links = {
        name: publish(tmp_path, name).nbgitpuller("http://hub", "main", "notebooks/for us 1.ipynb")
        for name in ("lessons", "version 2")
    }
    with lab.jupyterlab(home) as address, lab.chromium() as browser:
        page = lab.new_page(browser)
        page.goto(f"{address}/lab?token={lab.TOKEN}")
        for name, link in links.items():
            page.goto(link.replace("http://hub/hub/user-redirect", address))
            page.get_by_role("heading", name=name).wait_for(timeout=60_000)
            assert (home / name / "notebooks" / "for us 1.ipynb").exists()
