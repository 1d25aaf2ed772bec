"""A class for the tests: its course, and the students who hand things in."""

from __future__ import annotations

import html
import importlib
import json
import re
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from utils.classroom.course import Course
from utils.classroom.repair import grade_id

SEED = 7


def wrong_answers(assignment: str) -> dict[str, list[str]]:
    """Answer cell -> the sources of typical wrong answers."""
    return importlib.import_module(f"tests.classroom.wrong_answers.{assignment}").WRONG


def briefly(source: str) -> str:
    """The same cell, measuring for less long: what it measures is not what is tested."""
    return source.replace("budget=0.2", "budget=0.01")


class Class:
    """A course that was built, one of its assignments, and ways to hand it in."""

    def __init__(self, root: Path, assignment: str):
        self.course, self.assignment = Course(root), assignment
        self.course.build(SEED)
        path = root / "source" / assignment / f"{assignment}.ipynb"
        self.source = nbformat.read(path, as_version=4)
        self.released = self.course.released(assignment)
        cells = [cell.metadata.nbgrader | {"source": cell.source} for cell in self.source.cells]
        self.answers = {c["grade_id"]: briefly(c["source"]) for c in cells if c["solution"]}
        self.points = {c["grade_id"]: c["points"] for c in cells if c["grade"]}
        order = [c["grade_id"] for c in cells if c["grade"] or c["solution"]]
        # for each automatically graded answer the test that decides on it: the next cell
        self.tests = {name: test for name, test in pairwise(order) if name not in self.points}
        self.automatic = sum(self.points[test] for test in self.tests.values())

    def solved(self, **changed: str) -> NotebookNode:
        """The released notebook with the right answers, but for those that are given."""
        notebook = deepcopy(self.released)
        for cell in notebook.cells:
            if cell.metadata.nbgrader.solution:
                name = grade_id(cell)
                cell.source = changed.get(name, self.answers[name] + "\n\n# mine")
        return notebook

    def cell(self, notebook: NotebookNode, name: str) -> NotebookNode:
        """The cell of this name."""
        return next(cell for cell in notebook.cells if grade_id(cell) == name)

    def behind(self, notebook: NotebookNode, name: str, source: str) -> NotebookNode:
        """The notebook with a new code cell behind the named one."""
        index = notebook.cells.index(self.cell(notebook, name))
        notebook.cells.insert(index + 1, new_code_cell(source))
        return notebook

    def hand_in(self, student: str, content: NotebookNode | bytes, name: str = "") -> None:
        """Put a notebook, or any bytes, where submissions are."""
        folder = self.course.root / "submitted" / student / self.assignment
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            (folder / (name or f"{self.assignment}.ipynb")).write_bytes(content)
        else:
            path = folder / (name or f"{self.assignment}.ipynb")
            path.write_text(json.dumps(content), encoding="utf-8")

    def wrong_in(self, tasks: list[str], number: int) -> NotebookNode:
        """A notebook whose answers to some tasks are wrong, each with its wrong answer number."""
        wrong = wrong_answers(self.assignment)
        return self.solved(**{task: wrong[task][number] for task in tasks})

    def secrets(self) -> tuple[set[str], set[str]]:
        """Lines that only the hidden tests have, and lines that only the solutions have."""
        public = "\n".join(cell.source for cell in self.released.cells)
        files = (self.course.root / "hidden" / self.assignment).glob("*.py")
        solved = "\n".join(
            part
            for cell in self.source.cells
            for part in re.findall(r"### BEGIN SOLUTION(.*?)### END SOLUTION", cell.source, re.S)
        )
        hidden = "\n".join(path.read_text("utf-8") for path in files)
        return _lines(hidden) - _lines(public), _lines(solved) - _lines(public)


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 14}


def text_of(page: str) -> str:
    """What a page of HTML says, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))
