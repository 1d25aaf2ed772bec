"""What a search found, as text and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from utils.finding.entries import Entry


@dataclass(frozen=True)
class Hit:
    """An entry that was found, and by which part of it."""

    entry: Entry
    part: str  # question, symptom, message, function, answer, subject or text
    message: str = ""  # the message that was recognised


@dataclass(frozen=True)
class Hits:
    """What was found for a text, the best first."""

    text: str
    hits: tuple[Hit, ...]

    def __iter__(self) -> Iterator[Entry]:
        return (hit.entry for hit in self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, place: int) -> Entry:
        return self.hits[place].entry

    def __repr__(self) -> str:
        if not self.hits:
            return f"nothing found for {self.text!r}"
        lines = []
        for place, hit in enumerate(self.hits, 1):
            lines.append(f"{place:>2}. {hit.entry.title}")
            lines.append(f"    {hit.entry.answer}")
            lines.append(f"    {hit.entry.notebook}, found by its {hit.part}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.hits:
            return f"<p>{escape(repr(self))}</p>"
        rows = "".join(
            f'<tr><th scope="row"><a href="{escape(hit.entry.link)}">{escape(hit.entry.title)}'
            f"</a></th><td>{escape(hit.entry.answer)}</td><td>{escape(hit.part)}</td></tr>"
            for hit in self.hits
        )
        head = "".join(f'<th scope="col">{name}</th>' for name in ("recipe", "answer", "found by"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
