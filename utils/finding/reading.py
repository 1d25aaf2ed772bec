"""The recipes of a folder of notebooks, as entries.

A recipe begins with a Markdown cell whose only heading, ``## …``, is the question, and goes on with
the cells ``<slug>-answer``, ``<slug>-trap``, ``<slug>-trap-shown``, ``<slug>-more``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from utils.finding.entries import Entry
from utils.finding.markdown import anchor_of, headings, plain, sentences
from utils.finding.messages import messages_in

RECIPES = Path(__file__).parents[2] / "notebooks" / "recipes"
INDEX = "index.ipynb"
SYMPTOM = re.compile(r"^\*\*Symptom:\*\*\s*(.+)$", flags=re.MULTILINE)
PARTS = ("answer", "trap", "trap-shown", "more")
LEADING = 2  # sentences of an answer that are shown


def read_recipes(folder: str | Path = RECIPES) -> tuple[Entry, ...]:
    """All recipes in the notebooks of ``folder``, by the name of the notebook and in its order.

    Raises `FileNotFoundError` where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder. Give the one that holds the recipes.")
    paths = [path for path in sorted(folder.glob("*.ipynb")) if path.name != INDEX]
    return tuple(entry for path in paths for entry in _in_notebook(path))


def _in_notebook(path: Path) -> Iterator[Entry]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    subject = next((h for cell in cells for h in headings(_markdown(cell))), path.stem)
    subject = subject.partition(": ")[2] or subject
    imports = next((cell["source"] for cell in cells if cell["cell_type"] == "code"), "")
    for cell in cells:
        if _markdown(cell).startswith("## "):
            names = [cell["id"], *(f"{cell['id']}-{part}" for part in PARTS)]
            own = [found for found in cells if found["id"] in names]
            yield _entry(path.name, subject[:1].upper() + subject[1:], imports, own)


def without_symptoms(text: str) -> str:
    """A text without its symptoms, each the sentence after ``**Symptom:**``."""
    return SYMPTOM.sub(lambda found: " ".join(sentences(found[1])[1:]), text)


def _markdown(cell: dict[str, Any]) -> str:
    return cell["source"] if cell["cell_type"] == "markdown" else ""


def _entry(notebook: str, subject: str, imports: str, cells: list[dict[str, Any]]) -> Entry:
    heading, _, text = cells[0]["source"].partition("\n")
    title = plain(heading.removeprefix("## ").strip())
    symptoms = tuple(
        plain(sentences(found)[0]).removesuffix(".") for found in SYMPTOM.findall(text)
    )
    text = without_symptoms(text)
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    told = [text, *map(_markdown, cells[1:])]
    printed = "\n".join(filter(None, map(_printed, cells)))
    functions = [name for source in code for name in called(f"{imports}\n{source}")]
    functions += [
        name for part in told for name in re.findall(r"`([\w.]+[a-z]\w*)(?:\(\))?`", part)
    ]
    return Entry(
        title=title,
        answer=plain(" ".join(sentences(text)[:LEADING])),
        subject=subject,
        notebook=notebook,
        anchor=anchor_of(title),
        cells=tuple(cell["id"] for cell in cells),
        messages=tuple(dict.fromkeys([*messages_in(title), *messages_in(printed)])),
        symptoms=symptoms,
        functions=tuple(dict.fromkeys(functions)),
        body="\n".join([*map(plain, told), *code]),
    )


def _printed(cell: dict[str, Any]) -> str:
    """What a cell printed or showed, as stored."""
    found = []
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        found.append("".join(text))
    return "\n".join(found)


def called(source: str) -> list[str]:
    """The functions of packages that a program names, such as ``torch.nn.functional.pad``.

    Names that it imports are written out; what it defines itself, and methods of values, are left
    out. A program that cannot be parsed names none.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            base, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, [known.get(base, ""), rest]))
            if base in known and "." in name and re.fullmatch(r"[\w.]+", name):
                found.append(name)
    return list(dict.fromkeys(found))
