"""Tables in plain text, in HTML and as CSV files, made by pandas."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in plain text, its columns aligned on the right."""
    if not rows:
        return "  ".join(head)
    table = _frame(head, rows).to_string(index=False, line_width=None)
    return "\n".join(line.rstrip() for line in table.splitlines())


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], title: str, caption: str) -> str:
    """A table in HTML, with a title above and a caption below; an empty last column is left out."""
    if not any(row[-1] for row in rows):  # no notes: no column for them
        head, rows = head[:-1], [row[:-1] for row in rows]
    table = _frame(head, rows).to_html(index=False, border=0)
    title = f"<p><strong>{html.escape(title)}</strong></p>" if title else ""
    return f"{title}{table}<p><small>{html.escape(caption)}</small></p>"


def write_csv(path: str | Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write rows that share their keys to a CSV file, and return its path."""
    import pandas as pd

    pd.DataFrame(rows).to_csv(path, index=False)
    return Path(path)


def _frame(head: Sequence[str], rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    import pandas as pd  # half a second, and only who looks at a table needs it

    return pd.DataFrame(rows, columns=list(head), dtype=str)
