"""Whether the links of a notebook lead somewhere: to files that exist, and headings in them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat

from utils.finding.markdown import CODE, FENCE, anchor_of, headings

# A target may hold brackets, as long as they come in pairs.
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
    """Whether the target of a link in ``path`` is missing."""
    if re.match(r"[a-z]+:", target):
        return False
    name, _, anchor = target.partition("#")
    file = path.parent / unquote(name) if name else path
    if not file.exists():
        return True
    return bool(anchor) and file.suffix == ".ipynb" and unquote(anchor) not in _anchors(file)


@cache
def _anchors(path: Path) -> frozenset[str]:
    cells = nbformat.read(path, as_version=4).cells
    told = [
        heading
        for cell in cells
        if cell.cell_type == "markdown"
        for heading in headings(cell.source)
    ]
    return frozenset(map(anchor_of, told))
