"""Signs that a submission tried more than its tasks: a hint for a person, and no more.

What is looked at is the text of the cells. Honest programs can hold any of these words, and a
clever one needs none of them; no mark depends on it.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode

_SIGNS = {
    "opens a connection": r"\b(socket|urllib|requests|http\.client|httpx)\b",
    "starts processes": (
        r"\b(subprocess|os\.(system|popen|fork|exec\w*|spawn\w*)|multiprocessing)\b"
    ),
    "ends or signals processes": r"\bos\.(_exit|kill|killpg|abort)\b",
    "clears its parent-death signal, or calls the system's library": r"\b(ctypes|cffi|prctl)\b",
    "replaces modules": r"\bsys\.(modules|meta_path|path_hooks)\b",
    "replaces functions of others": (
        r"^(torch|np|numpy|utils|builtins)(\.\w+)+\s*=[^=]|\bsetattr\(\s*(torch|np|numpy|builtins)"
        r"|^(def )?__\w+__ *[(=]"
    ),
    "reaches into other frames or objects": (
        r"\b(_getframe|currentframe|f_globals|f_locals|f_back)\b|__subclasses__|__builtins__"
        r"|\bgc\.get_(objects|referrers|referents)\b"
    ),
    "turns traces or hooks on or off": (
        r"\b(settrace|setprofile|excepthook|displayhook|addaudithook|set_custom_exc)\b"
        r"|\b(ast_transformers|input_transformers\w*|events\.(un)?register)\b"
    ),
    "imitates the grader": r"application/x-answer|utils\.classroom|\breply_from\b",
    "looks for files of others": (
        r"/(etc|proc|root|home|var)/|\bsubmitted\b|\bgradebook\b|\.\./|\bnbgrader\b|\bhidden\b"
    ),
    "reads earlier cells": r"\b(In|Out)\[|\bfor \w+ in (In|Out)\b|%history\b|\bhistory_manager\b",
}


def signs_in(notebook: NotebookNode) -> list[str]:
    """A line for each sign in the cells that are the student's own, with the words found."""
    found: dict[str, set[str]] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.metadata.get("nbgrader", {}).get("locked"):
            continue
        for name, pattern in _SIGNS.items():
            words = {match[0].strip() for match in re.finditer(pattern, cell.source, re.MULTILINE)}
            if words:
                found.setdefault(name, set()).update(words)
    return [f"{name}: {', '.join(sorted(words)[:4])}" for name, words in found.items()]
