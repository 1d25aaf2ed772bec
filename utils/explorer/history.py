"""The runs of a panel: as a table, as a file, and several files in one chart."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from utils.display.pictures import Picture
from utils.display.plots import machines
from utils.display.tables import html_table, text_table
from utils.display.units import format_ratio, format_seconds
from utils.explorer.race import PanelRun

NEEDED = {"batch_size", "settings", "looped_s", "batched_s"}


class History(list[PanelRun]):
    """The runs of a panel, oldest first: a list that prints as a table."""

    def save(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each run (times in seconds) and return its path."""
        rows = []
        for run in self:
            looped, batched = run.calls or (None, None)
            row = {**run.settings, "settings": " ".join(run.settings)}
            row |= {"looped_calls": looped, "batched_calls": batched}
            rows.append({**run.comparison.record(), **row})
        table = pd.DataFrame(rows)
        first = list(rows[0]) if rows else []
        settings = [name for run in self[:1] for name in run.settings]
        table[[*settings, *(name for name in first if name not in settings)]].to_csv(
            path, index=False
        )
        return Path(path)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        settings = list(self[0].settings) if self else []
        names = self[-1].comparison.names if self else ("loop", "batch")
        head = [*settings, *(f"{name} / item" for name in names), "speedup", "outcome", "calls"]
        rows = []
        for run in self:
            _, looped, batched, _ = run.point
            calls = "" if run.calls is None else f"{run.calls[0]:,} and {run.calls[1]:,}"
            measured = [format_seconds(looped), format_seconds(batched)]
            measured += [format_ratio(run.comparison.speedup), run.comparison.outcome, calls]
            rows.append([*map(str, run.settings.values()), *measured])
        return head, rows

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table(), "", "")


def draw_histories(*paths: str | Path) -> Picture:
    """Draw files that `History.save` wrote into one chart, such as those of a whole class.

    Of each file those runs are drawn that share the settings, batch size aside, which most of its
    runs share. Raises `ValueError` for a file that was not written by `History.save`.
    """
    if not paths:
        raise ValueError("Give the files to draw, such as draw_histories('mine.csv', 'yours.csv').")
    return machines(dict(map(_curve, paths)))


def _curve(path: str | Path) -> tuple[str, list[tuple[float, float, float]]]:
    """A name from the settings that most runs in the file share, and these runs' points."""
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype={"settings": str})
    except pd.errors.EmptyDataError:
        table = pd.DataFrame()
    if table.empty or not set(table.columns) >= NEEDED:
        raise ValueError(f"{path} holds no runs: give files that a panel's save() has written.")
    settings = [name for name in table["settings"][0].split() if name != "batch_size"]
    shared = table[settings].astype(str).agg(", ".join, axis=1) if settings else table["settings"]
    runs = table[shared == shared.mode()[0]]
    told = ", ".join(f"{name} {runs[name].iloc[0]}" for name in settings)
    sizes = runs["batch_size"].astype(float)
    columns = (sizes, runs["looped_s"] / sizes, runs["batched_s"] / sizes)
    points = [(float(n), float(a), float(b)) for n, a, b in zip(*columns, strict=True)]
    return f"{Path(path).stem} ({told})", points
