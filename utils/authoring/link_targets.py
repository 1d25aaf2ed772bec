"""Whether the links of a notebook lead somewhere: to files that exist, and places in them.

A place is a heading, as in ``02_batch_dimension.ipynb#Why``, or a cell, as in ``#cell-id=why``.
JupyterLab finds a heading only by letters and signs that a browser leaves as they are.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat

from utils.finding.markdown import CODE, FENCE, anchor_of, headings

# A target may hold brackets, as long as they come in pairs.
ENCODED = re.compile(r"[^!#$&'()*+,\-./0-9:;=?@A-Z\[\\\]^_a-z{|}~]")
LINK = re.compile(r"\]\(((?:[^()\s]|\([^()\s]*\))+)\)")


def broken_links(path: Path) -> list[str]:
    """The targets of links in the Markdown of ``path`` that are not there; the web is not asked."""
    told = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            text = CODE.sub(r"\1", FENCE.sub("", cell.source))
            told += [
                f"{cell.id}: {target}" for target in LINK.findall(text) if _is_missing(path, target)
            ]
    return told


def _is_missing(path: Path, target: str) -> bool:
    """Whether the target of a link in ``path`` is missing, or a place that JupyterLab misses."""
    if re.match(r"[a-z]+:", target):
        return False
    name, _, anchor = target.partition("#")
    file = path.parent / unquote(name) if name else path
    if not file.exists():
        return True
    if not anchor or file.suffix != ".ipynb":
        return False
    return bool(ENCODED.search(anchor)) or anchor not in _anchors(file)


@cache
def _anchors(path: Path) -> frozenset[str]:
    cells = nbformat.read(path, as_version=4).cells
    names = [f"cell-id={cell.id}" for cell in cells]
    told = [
        heading
        for cell in cells
        if cell.cell_type == "markdown"
        for heading in headings(cell.source)
    ]
    return frozenset([*names, *map(anchor_of, told)])
