"""A field for questions, error messages and names that answers with each key that is pressed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from utils.finding.hits import Hit
from utils.finding.ranking import Finder

HERE = Path(__file__).parent
DISPLAY = HERE.parent / "display"
STATIC = (
    "<p>A search field stands here when the notebook runs. Everything it finds is listed below.</p>"
)


def search_field(
    finder: Finder, label: str = "A question, an error message or a function"
) -> SearchField:
    """A field that asks ``finder``: show it by making it the last line of a cell.

    While you type, the ten best entries are listed under it, as links. Arrow down goes through
    them, Enter opens one, Esc clears the field.
    """
    return SearchField(finder, label)


class SearchField(anywidget.AnyWidget):
    """What `search_field` returns. ``text`` is what was typed, ``answer`` what is shown."""

    _esm = "".join(path.read_text("utf-8") for path in (DISPLAY / "element.js", HERE / "field.js"))
    _css = (HERE / "field.css").read_text("utf-8")
    label = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Dict().tag(sync=True)

    def __init__(self, finder: Finder, label: str) -> None:
        super().__init__(label=label)
        self.finder = finder
        self.observe(self._on_text, "text")

    def _on_text(self, change: dict) -> None:
        hits = self.finder.search(change["new"]).hits
        self.answer = {"text": change["new"], "hits": [_shown(hit) for hit in hits]}

    def __repr__(self) -> str:
        return f"a search field over {len(self.finder.entries)} entries"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": STATIC}, metadata


def _shown(hit: Hit) -> dict[str, str]:
    """What the page has to know of a hit."""
    part = f"{hit.part}: {hit.message}" if hit.message else hit.part
    told = {"title": hit.entry.title, "answer": hit.entry.answer, "link": hit.entry.link}
    return {**told, "part": part}
