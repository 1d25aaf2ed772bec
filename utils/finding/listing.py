"""Entries as tables that read without a kernel: in JupyterLab, on the web, for a screen reader."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from utils.finding.entries import Entry
from utils.finding.markdown import sentences
from utils.finding.messages import error_class, neutral

LEFT = ' style="text-align:left"'  # JupyterLab sets tables to the right
NO_MESSAGE = "No message"


@dataclass(frozen=True)
class Listing:
    """Tables as HTML, and what they hold in one line. It is shown as the last line of a cell."""

    html: str
    told: str

    def __repr__(self) -> str:
        return self.told

    def _repr_html_(self) -> str:
        return self.html


def question_table(entries: Iterable[Entry]) -> Listing:
    """All questions by subject, each with the first sentence of its answer."""
    by_subject: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_subject[entry.subject].append(entry)
    tables = [
        _table(subject, ("question", "in short"), [(_link(e), escape(_short(e))) for e in listed])
        for subject, listed in by_subject.items()
    ]
    count = sum(map(len, by_subject.values()))
    return Listing("".join(tables), f"{count} questions in {len(by_subject)} subjects")


def symptom_table(entries: Iterable[Entry]) -> Listing:
    """Each error message by its class, then what people see who have none, with the recipes.

    Messages that differ in numbers, names in quotes or brackets alone are one row.
    """
    rows: dict[str, dict[str, tuple[str, list[Entry]]]] = defaultdict(dict)
    for entry in entries:
        for said in (*entry.messages, *entry.symptoms):
            kind = error_class(said) or NO_MESSAGE
            _, found = rows[kind].setdefault(neutral(said), (said, []))
            if entry not in found:
                found.append(entry)
    kinds = sorted(rows, key=lambda kind: (kind == NO_MESSAGE, kind))
    tables = []
    for kind in kinds:
        listed = [
            (_said(text, kind), "<br>".join(map(_link, sorted(found, key=_about(text)))))
            for _, (text, found) in sorted(rows[kind].items())
        ]
        head = "what you see" if kind == NO_MESSAGE else "message"
        tables.append(_table(kind, (head, "recipe"), listed))
    seen = len(rows.pop(NO_MESSAGE, {}))
    messages = sum(map(len, rows.values()))
    return Listing("".join(tables), f"{messages} messages and {seen} other symptoms")


def choice_table(
    entries: Iterable[Entry], head: tuple[str, str], rows: Sequence[tuple[str, ...]]
) -> Listing:
    """What to use for what: ``rows`` of a case, the advice, and the slugs of its recipes.

    Raises `KeyError` for a slug that no entry has.
    """
    by_slug = {entry.slug: entry for entry in entries}
    told = []
    for case, advice, *slugs in rows:
        unknown = [slug for slug in slugs if slug not in by_slug]
        if unknown:
            raise KeyError(f"no recipe is called {', '.join(unknown)}")
        links = "<br>".join(_link(by_slug[slug]) for slug in slugs)
        told.append((escape(case), escape(advice), links))
    return Listing(_table("", (*head, "recipe"), told), f"{len(told)} rows")


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names its rows; captions and cells are HTML already."""
    top = "".join(f'<th scope="col"{LEFT}>{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row"{LEFT}>{first}</th>'
        + "".join(f"<td{LEFT}>{cell}</td>" for cell in rest)
        + "</tr>\n"
        for first, *rest in rows
    )
    named = f"<caption{LEFT}><strong>{escape(caption)}</strong></caption>" if caption else ""
    return f"<table>{named}\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"


def _link(entry: Entry) -> str:
    return f'<a href="{escape(entry.link)}">{escape(entry.title)}</a>'


def _short(entry: Entry) -> str:
    return (sentences(entry.answer) or [""])[0]


def _said(text: str, kind: str) -> str:
    return escape(text if kind == NO_MESSAGE else text.removeprefix(f"{kind}: "))


def _about(text: str):
    """Sorts the recipes of a message: the one whose title it is comes first."""
    return lambda entry: neutral(text) not in neutral(entry.title)
