"""Tables in plain text, in HTML and as CSV files."""

from __future__ import annotations

import csv
import html
from collections.abc import Sequence
from pathlib import Path


def text_table(head: list[str], rows: list[list[str]]) -> str:
    """A table in plain text, its columns aligned on the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(map(str.rjust, row, widths)).rstrip() for row in [head, *rows])
    return "\n".join(lines)


def html_table(head: list[str], rows: list[list[str]], title: str, caption: str) -> str:
    """A table in HTML, with a title above and a caption below; an empty last column is left out."""
    if not any(row[-1] for row in rows):  # no notes: no column for them
        head, rows = head[:-1], [row[:-1] for row in rows]
    top = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + f'<th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    title = f"<p><strong>{html.escape(title)}</strong></p>" if title else ""
    return (
        f"{title}<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
        f"<p><small>{html.escape(caption)}</small></p>"
    )


def write_csv(path: str | Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write rows that share their keys to a CSV file, and return its path."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return Path(path)
