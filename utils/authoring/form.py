"""The form that every lesson has, as rules that say what is still missing.

`tests/notebooks` holds each stored lesson to them; `utils.authoring.new_lesson` prints them for a
lesson that has only begun.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

HEADINGS = [
    *("The question", "What you will be able to do", "The loop first", "The batch"),
    *("Are they equal?", "Predict", "Measure", "Explore", "Why", "When it loses"),
    *("What goes wrong", "Exercises", "Takeaways", "Further", "Next"),
]
NEEDED = ["The question", "What you will be able to do", "When it loses", "Exercises"]
NEEDED += ["Takeaways", "Further", "Next"]
SETUP = """from importlib.util import find_spec

if find_spec("utils") is None:
    raise ModuleNotFoundError("in the folder of pyproject.toml, run: python -m pip install -e .")"""
MINUTES = re.compile(
    r"^\*\*Minutes:\*\* core (\d+) · further (\d+) · exercises (\d+) · \*\*Needs:\*\* .+$", re.M
)
CORE_WORDS, CORE_LINES, CORE_MINUTES = 1600, 130, 30
PRACTICE, PICTURES = 4, 2


def core_of(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells of the core path: all that stand before the exercises."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and re.search(r"^## Exercises$", cell.source, re.M):
            return notebook.cells[:index]
    return notebook.cells


def missing(path: Path) -> list[str]:
    """What the lesson at ``path`` lacks of the form, one sentence each; empty if it lacks nothing.

    Its solution, exercises, wrong answers and README row are looked for in the repository that
    ``path`` is in, whose `notebooks` folder holds the lesson.
    """
    notebook = nbformat.read(path, as_version=4)
    return [*_in_the_text(notebook), *_in_the_core(notebook), *_beside(path)]


def _text(cells: list[NotebookNode]) -> str:
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def _in_the_text(notebook: NotebookNode) -> list[str]:
    told, text = [], _text(notebook.cells)
    found = re.findall(r"^## (.+)$", text, flags=re.M)
    told += [f"the heading '## {heading}'" for heading in NEEDED if heading not in found]
    told += [
        f"'## {heading}' is none of the headings" for heading in found if heading not in HEADINGS
    ]
    if found != sorted(
        found, key=lambda heading: HEADINGS.index(heading) if heading in HEADINGS else 99
    ):
        told.append("the order of the headings")
    minutes = MINUTES.search(text)
    if not minutes:
        told.append("the line '**Minutes:** core … · further … · exercises … · **Needs:** …'")
    elif int(minutes[1]) > CORE_MINUTES:
        told.append(f"a core of at most {CORE_MINUTES} minutes: it says {minutes[1]}")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not code or code[0].source != SETUP:
        told.append("the first code cell that all lessons share (utils.authoring.form.SETUP)")
    if len(code) > 1 and len(code[1].source.splitlines()) > 5:
        told.append("imports of at most five lines in the second code cell")
    empty = [cell.id for cell in notebook.cells if re.search("(^|· )…$", cell.source, flags=re.M)]
    told += [f"a text in place of … in cell {name!r}" for name in empty]
    return told


def _in_the_core(notebook: NotebookNode) -> list[str]:
    core, told = core_of(notebook), []
    code = [cell.source for cell in core if cell.cell_type == "code"]
    words = len(_text(core).split())
    lines = sum(bool(line.strip()) for source in code for line in source.splitlines())
    if words > CORE_WORDS:
        told.append(f"a core of at most {CORE_WORDS:,} words: it has {words:,}")
    if lines > CORE_LINES:
        told.append(f"a core of at most {CORE_LINES} lines of code: it has {lines}")
    practice = sum("quiz(" in source for source in code)
    practice += len(re.findall("your turn", _text(core), flags=re.I))
    if practice < PRACTICE:
        told.append(f"{PRACTICE} questions on the way (quiz or 'your turn'): it has {practice}")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = sum(
        "<img" in str(o.get("data", {})) or "image/png" in o.get("data", {}) for o in outputs
    )
    if pictures < PICTURES:
        told.append(f"{PICTURES} pictures in the stored outputs: it has {pictures}")
    return told


def _beside(path: Path) -> list[str]:
    root, number = path.parents[1], path.stem.partition("_")[0]
    needed = [
        root / "notebooks" / "solutions" / path.name,
        root / "utils" / "exercises" / f"lesson_{number}.py",
        root / "tests" / "exercises" / "wrong_answers" / f"lesson_{number}.py",
    ]
    told = [str(file.relative_to(root)) for file in needed if not file.exists()]
    if f"notebooks/{path.name}" not in (root / "README.md").read_text("utf-8"):
        told.append("a row in the README's table of lessons")
    return told
