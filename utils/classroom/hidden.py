"""The hidden tests of an assignment: Python files that no student and no submission gets."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from utils.classroom.judging import Task


def tasks(folder: Path, year: int, chance_seed: int) -> list[Task]:
    """The tests in the files of a folder, each of which has a function ``task``.

    ``year`` is the seed of the course; ``chance_seed`` draws the inputs.
    """
    return [_load(path)(year, chance_seed) for path in sorted(folder.glob("*.py"))]


def _load(path: Path):
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.task


def chance_seed(secret: str, *parts: str) -> int:
    """A number that always is the same for one submission, and that nobody can foresee."""
    digest = hashlib.sha256("\n".join((secret, *parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big")
