"""What a reader sees of Markdown, without its signs, and the anchors of its headings."""

from __future__ import annotations

import html
import re

FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", flags=re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)?\s*$", flags=re.MULTILINE)
CODE = re.compile(r"(`+)(.+?)\1")


def plain(source: str) -> str:
    """One line of Markdown as text: no links, code marks, emphasis, escapes or entities."""
    kept: list[str] = []

    def keep(found: re.Match) -> str:
        kept.append(found[2].strip() if len(found[1]) > 1 else found[2])
        return f"\0{len(kept) - 1}\0"

    text = CODE.sub(keep, source)  # what stands in code marks is no Markdown
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*\\])([*_])(?=[^\s*_])(.+?)(?<=[^\s*_])\1(?![\w*])", r"\2", text)
    text = html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)


def headings(source: str) -> list[str]:
    """The headings in a Markdown cell, as text."""
    return [plain(found) for found in HEADING.findall(FENCE.sub("", source))]


def anchor_of(heading: str) -> str:
    """The anchor that JupyterLab gives a heading with this text."""
    return heading.replace(" ", "-")


def sentences(text: str) -> list[str]:
    """The sentences of a text; a point inside a name or a number ends none."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z0-9`\"'(*\[])", " ".join(text.split()))
    return [part for part in parts if part]
