"""The form that every notebook of recipes has, as rules that say what is still missing.

A recipe is a heading, an answer that runs, what goes wrong with it, its limits and links.
CONTRIBUTING has an example; `tests/notebooks/test_recipes.py` holds each notebook to the rules.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from utils.finding.markdown import CODE, headings
from utils.finding.reading import without_symptoms

SLUG = re.compile(r"[a-z0-9-]{3,40}")
LINES = 25  # of a cell of code
FIRST_LINES = 65  # of the first one, where recipes share a device or processes
ANSWER_WORDS = (12, 130)
CLOCKS = re.compile(r"\b(perf_counter|monotonic|process_time|time\.time|elapsed_time|timeit)\b")
TABLE = re.compile(r"^\|.*$", flags=re.MULTILINE)
EASY = re.compile(r"\b(simply|just|obviously|easy|easily)\b", flags=re.IGNORECASE)
VARYING = {
    "an address": re.compile(r"\b0x[0-9a-f]{6,}\b"),
    "a path of this machine": re.compile(
        r"(?<![\w.])/(tmp|home|root|usr|opt|work|var/folders|Users|private)/\w|site-packages|\\Users\\"
    ),
    "the number of a process": re.compile(r"\bpid[ =:(]*\d+", flags=re.IGNORECASE),
}


def lacking(path: Path) -> list[str]:
    """What the notebook of recipes at ``path`` lacks of the form, one sentence each."""
    notebook = nbformat.read(path, as_version=4)
    told = _at_the_top(notebook.cells)
    slugs = [cell.id for cell in notebook.cells if _begins(cell)]
    known = {cell.id for cell in notebook.cells[:2]}
    for slug in slugs:
        own = [cell for cell in notebook.cells if _of(cell.id) == slug]
        known |= {cell.id for cell in own}
        told += [f"{slug}: {what}" for what in _in_recipe(slug, own)]
    told += [
        f"{cell.id} belongs to no recipe: its id is not '<slug>-answer', '-trap', '-trap-shown' or "
        "'-more' of one"
        for cell in notebook.cells
        if cell.id not in known
    ]
    for cell in notebook.cells:
        told += [f"{cell.id}: {what}" for what in _in_cell(cell)]
    return told


def _begins(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith("## ")


def _of(name: str) -> str:
    """The slug of the recipe that a cell with this id belongs to."""
    return re.sub("-(answer|trap|trap-shown|more)$", "", name)


def _at_the_top(cells: list[NotebookNode]) -> list[str]:
    told = []
    if not cells or not cells[0].source.startswith("# Recipes: "):
        told.append("the title '# Recipes: …' in the first cell")
    elif "(index.ipynb)" not in cells[0].source:
        told.append("a link to the index, [index](index.ipynb), under the title")
    if len(cells) < 2 or cells[1].cell_type != "code" or cells[1].id != "first":
        told.append("a cell of code with the id 'first' after the title")
    return told


def _in_recipe(slug: str, cells: list[NotebookNode]) -> list[str]:
    told, heading = [], cells[0].source
    if not SLUG.fullmatch(slug):
        told.append("an id of 3 to 40 small letters, digits and hyphens")
    if len(headings(heading)) != 1:
        told.append("one heading in the cell that begins it")
    title = heading.splitlines()[0].removeprefix("## ")
    if "](" in title:
        told.append("a heading without links")
    if re.search(r"\b__\w+__\b", CODE.sub("", title)):
        told.append("code marks around __names__ in the heading, which Markdown makes bold")
    text = TABLE.sub("", without_symptoms(heading.partition("\n")[2]))
    low, high = ANSWER_WORDS
    if not low <= len(text.split()) <= high:
        told.append(f"an answer of {low} to {high} words under the heading: {len(text.split())}")
    parts = [cell.id.removeprefix(slug).removeprefix("-") for cell in cells]
    full = ["", "answer", "trap", "trap-shown", "more"]
    wanted = [part for part in full if part != "trap-shown" or part in parts]
    if parts != wanted:
        found = ", ".join(f"{slug}-{part}" for part in parts[1:])
        return [*told, f"the cells {slug}-answer, -trap, -trap-shown and -more, in order: {found}"]
    by_part = dict(zip(parts, cells, strict=True))
    for part, kind in zip(full, ("markdown", "code", "markdown", "code", "markdown"), strict=True):
        if part in by_part and by_part[part].cell_type != kind:
            told.append(f"{slug}-{part} as a cell of {kind}")
    if not by_part["trap"].source.startswith("**What goes wrong.** "):
        told.append("'**What goes wrong.** ' at the beginning of its trap")
    more = by_part["more"].source
    told += [
        f"'{word}' in its last cell" for word in ("**Limits.**", "**More:**") if word not in more
    ]
    if not re.search(r"\]\(\S+\)", more.partition("**More:**")[2]):
        told.append("a link after '**More:**'")
    for part in ("answer", "trap-shown"):
        if part in by_part and re.fullmatch(r"(True|False|None|\s)*", _shown(by_part[part])):
            told.append(f"a result that {slug}-{part} prints, and not True alone")
    return told


def _in_cell(cell: NotebookNode) -> list[str]:
    told = []
    if cell.cell_type == "markdown":
        told += [f"another word for {word[0]!r}" for word in EASY.finditer(cell.source)]
        return told
    lines = len(cell.source.splitlines())
    most = FIRST_LINES if cell.id == "first" else LINES
    if lines > most:
        told.append(f"at most {most} lines: it has {lines}")
    if _asserts_a_clock(cell.source):
        told.append("no assertion on a clock")
    if re.search(r"^\s*[%!]", cell.source, flags=re.MULTILINE):
        told.append("plain Python: no magic and no command")
    if "nbval-ignore-output" not in cell.metadata.get("tags", []):
        shown = _shown(cell)
        for what, pattern in VARYING.items():
            found = pattern.search(shown)
            if found:
                told.append(f"{what} in its output, which is compared: {found[0]!r}")
    return told


def _shown(cell: NotebookNode) -> str:
    """What a cell printed and showed, as text."""
    texts = [output.get("text", "") for output in cell.outputs]
    texts += [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


def _asserts_a_clock(source: str) -> bool:
    """Whether an assertion in ``source`` depends on what a clock said."""
    timed: set[str] = set()
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, of which another rule tells
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _told_by_clock(node.value, timed):
            timed |= {
                name.id
                for target in node.targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
        asserting = isinstance(node, ast.Assert) or (
            isinstance(node, ast.Call) and ast.unparse(node.func).endswith("assert_close")
        )
        if asserting and _told_by_clock(node, timed):
            return True
    return False


def _told_by_clock(node: ast.AST, timed: set[str]) -> bool:
    names = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return bool(names & timed) or bool(CLOCKS.search(ast.unparse(node)))
