"""Start a lesson: ``python -m utils.authoring.new_lesson 08_batch_size`` (or ``make lesson``).

Writes the notebook with all headings, its solution, its exercise module and wrong answers, and a
row in the README; then prints what is still missing. Nothing that exists is overwritten.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from utils.authoring.form import HEADINGS, SETUP, missing
from utils.authoring.store import KERNEL

EXERCISES = '''"""The exercises of lesson {number}: their loops, inputs and mistakes."""

from __future__ import annotations

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise


def _doubled(rows: Tensor) -> Tensor:
    return torch.stack([2 * row for row in rows])


EXERCISES = {{
    "{number}.1": Exercise(
        loop=_doubled,
        cases={{"three rows": (torch.arange(6.0).reshape(3, 2),)}},
        growing={{"rows": ((torch.ones(4, 2),), (torch.ones(16, 2),))}},
    ),
}}
'''
WRONG_ANSWERS = '''"""Wrong answers to lesson {number}, each with words that its hint must hold."""

WRONG = {{
    "{number}.1": [
        (lambda rows: rows, "the values are not"),
    ],
}}
'''


def start(root: Path, name: str) -> Path:
    """Write the files of the lesson ``name``, such as ``"08_batch_size"``; returns its notebook.

    Raises `ValueError` for a name of another form, `FileExistsError` if one of the files exists.
    """
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise ValueError(f"A lesson's name is like 08_batch_size, but got {name!r}.")
    number = name.partition("_")[0]
    path = root / "notebooks" / f"{name}.ipynb"
    solution = root / "notebooks" / "solutions" / path.name
    exercises = root / "utils" / "exercises" / f"lesson_{number}.py"
    wrong = root / "tests" / "exercises" / "wrong_answers" / f"lesson_{number}.py"
    for file in (path, solution, exercises, wrong):
        if file.exists():
            raise FileExistsError(f"{file} exists already. Choose another number, or remove it.")
    nbformat.write(_lesson(number), path)
    nbformat.write(_solution(number, path), solution)
    exercises.write_text(EXERCISES.format(number=number), encoding="utf-8")
    wrong.write_text(WRONG_ANSWERS.format(number=number), encoding="utf-8")
    _add_row(root / "README.md", number, path)
    return path


def _lesson(number: str) -> nbformat.NotebookNode:
    title = f"# {number} · …\n\n**Minutes:** core 25 · further 20 · exercises 20 · **Needs:** …"
    cells = [
        new_markdown_cell(title, id="title"),
        new_code_cell(SETUP, id="setup"),
        new_code_cell("import torch\n\nfrom utils import check, compare", id="imports"),
    ]
    for heading in HEADINGS:
        name = re.sub("[^a-z]+", "-", heading.lower()).strip("-")
        cells.append(new_markdown_cell(f"## {heading}\n\n…", id=name))
        if heading == "Exercises":
            stub = "def doubled(rows):\n    raise NotImplementedError"
            cells.append(new_code_cell(f'{stub}\n\n\ncheck("{number}.1", doubled)', id="ex-1"))
    return new_notebook(cells=cells, metadata=KERNEL)


def _solution(number: str, path: Path) -> nbformat.NotebookNode:
    told = f"# Answers to lesson {number}\n\nTry them yourself first: [the lesson](../{path.name})."
    answer = "def doubled(rows):\n    return 2 * rows"
    cells = [
        new_markdown_cell(told, id="title"),
        new_code_cell("import torch\n\nfrom utils import check", id="imports"),
        new_code_cell(f'{answer}\n\n\ncheck("{number}.1", doubled)', id="ex-1"),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


def _add_row(readme: Path, number: str, path: Path) -> None:
    lines = readme.read_text("utf-8").splitlines()
    rows = [i for i, line in enumerate(lines) if re.match(r"\| \[\d\d · ", line)]
    lines.insert(rows[-1] + 1, f"| [{number} · …](notebooks/{path.name}) | … |")
    readme.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Start a lesson and print what it still lacks; returns 1, after a message, if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.authoring.new_lesson", description=__doc__
    )
    parser.add_argument("name", help="such as 08_batch_size")
    root = Path(__file__).parents[2]
    try:
        path = start(root, parser.parse_args(arguments).name)
    except (ValueError, FileExistsError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{path.relative_to(root)} has begun. Still missing:")
    for what in missing(path):
        print(f"  - {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
