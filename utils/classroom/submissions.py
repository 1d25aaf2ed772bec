"""The notebook among the files that a student has handed in."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.classroom.course import Course
from utils.classroom.records import CourseError
from utils.classroom.repair import belongs

LARGEST = 2**26  # bytes of a submitted notebook, with all its pictures
MOST_PARTS = 2_000_000  # lists and dicts in it, which take many times their bytes as objects
MOST_CELLS = 2000
LARGEST_OLD = 2**22  # characters of a notebook in a format before the fourth


def find(course: Course, assignment: str, student: str) -> tuple[NotebookNode | None, list[str]]:
    """The notebook that a student has handed in, and what is odd about it."""
    folder = course.submitted(assignment, student)
    files = sorted(_files(folder)) if folder.is_dir() else []
    paths = [path for path in files if is_notebook(path)]
    if not paths:
        if files:
            names = ", ".join(path.name for path in files[:5])
            raise CourseError(f"no notebook among the files: {names}")
        return None, []
    named = [path for path in paths if path.name == f"{assignment}.ipynb"]
    if len(named or paths) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in paths)
        raise CourseError(f"several notebooks, and which one counts is not clear: {names}")
    path = (named or paths)[0]
    notes = [] if named else [f"{path.name} was taken, since there is no {assignment}.ipynb"]
    return _read(path, course, assignment), notes


def is_notebook(path: Path) -> bool:
    """Whether a file is meant as a notebook: platforms change what stands behind the dot."""
    name = path.name.lower()
    return name.endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))


def _files(folder: Path) -> list[Path]:
    """All ordinary files: no links, no pipes, nothing that systems and editors add."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_clutter(name)]
        for name in names:
            path = Path(place) / name
            if not is_clutter(name) and stat.S_ISREG(path.lstat().st_mode):
                found.append(path)
    return found


def is_clutter(name: str) -> bool:
    """Whether a file or folder is one that systems and editors add, and no student has made."""
    added = {"__macosx", ".ipynb_checkpoints", "__pycache__", "thumbs.db", "desktop.ini"}
    return name.startswith(("._", ".")) or name.lower() in added


def _read(path: Path, course: Course, assignment: str) -> NotebookNode:
    size = path.stat().st_size
    if size > LARGEST:
        raise CourseError(f"{path.name} has {size / 2**20:.0f} MiB")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path.name} cannot be read: {error.strerror}") from None
    try:
        notebook = _parsed(content)
    except Exception as error:
        what = "is empty" if not content.strip() else "is no valid notebook"
        raise CourseError(f"{path.name} {what} ({type(error).__name__})") from None
    if not belongs(notebook, course.released(assignment)):
        for other in course.assignments():
            if belongs(notebook, course.released(other)):
                raise CourseError(f"{path.name} is a notebook of {other!r}")
        raise CourseError(f"{path.name} holds no cell of {assignment!r}")
    return notebook


def _parsed(content: bytes) -> NotebookNode:
    if content.count(b"{") + content.count(b"[") > MOST_PARTS:
        raise ValueError("too many parts")
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    with warnings.catch_warnings():  # of cells without ids, or with the same: repaired later
        warnings.simplefilter("ignore")
        notebook = nbformat.reads(_needed(text), as_version=4)
        if not all(isinstance(cell.source, str) for cell in notebook.cells):
            raise ValueError("a cell without text")
        for cell in notebook.cells:
            if not isinstance(cell.get("metadata"), dict):
                cell.metadata = NotebookNode()
            if not isinstance(cell.metadata.get("nbgrader", {}), dict):
                del cell.metadata["nbgrader"]
    return notebook


def _needed(text: str) -> str:
    """A notebook without outputs and without what programs note for themselves.

    What nobody needs costs most of the time, and a crafted one endless time.
    """
    whole = json.loads(text)
    if not isinstance(whole, dict) or whole.get("nbformat") != 4:
        return text if len(text) < LARGEST_OLD else "too large"
    cells = whole.get("cells")
    if not isinstance(cells, list) or len(cells) > MOST_CELLS:
        raise ValueError("no list of cells, or too many of them")
    for cell in cells:
        if isinstance(cell, dict):
            if cell.get("cell_type") == "code":
                cell |= {"outputs": [], "execution_count": None}
            noted = cell.get("metadata")
            noted = noted if isinstance(noted, dict) else {}
            cell["metadata"] = {n: noted[n] for n in noted if n == "nbgrader"}
    minor = whole.get("nbformat_minor")
    kept = {"cells": cells, "metadata": {}, "nbformat": 4}
    return json.dumps(kept | {"nbformat_minor": minor if type(minor) is int else 5})


def digest(course: Course, assignment: str, student: str) -> str:
    """What a mark depends on: the files handed in, and the assignment with its hidden tests."""
    found = hashlib.sha256()
    folders = [
        course.submitted(assignment, student),
        course.root / "source" / assignment,
        course.root / "hidden" / assignment,
    ]
    for folder in folders:
        for path in sorted(_files(folder)) if folder.is_dir() else []:
            found.update(f"{path.relative_to(course.root)}\n".encode("utf-8", "surrogatepass"))
            try:
                found.update(path.read_bytes())
            except OSError:
                found.update(b"unreadable")
    return found.hexdigest()
