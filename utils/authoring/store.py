"""Run notebooks and store their outputs: ``python -m utils.authoring.store [NAME …]``.

Each notebook runs in a fresh kernel in its own folder, as nbval will run it again. What would
change from run to run without telling a reader anything (widget ids, execution times) is not
stored, so that a difference between two versions is one that matters.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


def notebooks() -> list[Path]:
    """All notebooks whose outputs are stored: lessons, solutions, recipes, then their index.

    The index is last, since it is made of what the recipes have stored.
    """
    recipes = sorted(NOTEBOOKS.glob("recipes/*.ipynb"), key=lambda path: path.stem == "index")
    return [
        *sorted(NOTEBOOKS.glob("*.ipynb")),
        *sorted(NOTEBOOKS.glob("solutions/*.ipynb")),
        *recipes,
    ]


def run_notebook(notebook: nbformat.NotebookNode, folder: Path, seconds: int = 300) -> None:
    """Execute every cell of ``notebook`` in place, in ``folder``; an error in a cell is raised."""
    os.environ["TQDM_DISABLE"] = "1"  # a bar that has gone again is not worth storing
    client = NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Keep what a reader sees; drop what is new in every run."""
    notebook.metadata = KERNEL
    for cell in notebook.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k == "tags"}
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET in data and len(data) > 1:
                del data[WIDGET]


def _joined(outputs: list) -> list:
    """The outputs, with a stream that came in pieces as one."""
    joined: list[NotebookNode] = []
    for output in outputs:
        stream = output.output_type == "stream"
        if stream and joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def run_and_store(path: Path) -> None:
    """Run the notebook at ``path`` and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    run_notebook(notebook, path.parent)
    normalise(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for path in notebooks():
        if not wanted or any(name in path.name for name in wanted):
            print(f"running {path.relative_to(NOTEBOOKS.parent)}", flush=True)
            run_and_store(path)
