"""The runs of a panel: as a table, as a file, and several files in one chart."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from IPython.display import Image

from utils.display.plots import machines
from utils.display.tables import html_table, text_table, write_csv
from utils.display.units import format_ratio, format_seconds
from utils.measuring.results import Comparison


@dataclass(frozen=True)
class Run:
    """One run of the panel: its settings, and what came of it."""

    settings: Mapping[str, object]
    comparison: Comparison
    calls: tuple[int, int] | None  # of each side; None where the loop is too slow to count
    least: float | None  # seconds that the machine needs at least, where that can be told

    @property
    def point(self) -> tuple[float, float, float, float]:
        """Batch size, and seconds per item: of the loop, of the batch, and at least."""
        size, c = self.settings["batch_size"], self.comparison
        least = math.nan if self.least is None else self.least
        return size, c.looped.median / size, c.batched.median / size, least / size


class History(list[Run]):
    """The runs of a panel, oldest first: a list that prints as a table."""

    def save(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each run (times in seconds) and return its path."""
        rows = []
        for run in self:
            looped, batched = run.calls or (None, None)
            calls = {"looped_calls": looped, "batched_calls": batched}
            rows.append({**run.settings, **calls, **run.comparison.record()})
        return write_csv(path, rows)

    def _table(self) -> tuple[list[str], list[list[str]]]:
        settings = list(self[0].settings) if self else []
        head = [*settings, "loop / item", "batch / item", "speedup", "calls"]
        rows = []
        for run in self:
            _, looped, batched, _ = run.point
            calls = "" if run.calls is None else f"{run.calls[0]:,} and {run.calls[1]:,}"
            measured = [format_seconds(looped), format_seconds(batched)]
            measured += [format_ratio(run.comparison.speedup), calls]
            rows.append([*map(str, run.settings.values()), *measured])
        return head, rows

    def __repr__(self) -> str:
        return text_table(*self._table())

    def _repr_html_(self) -> str:
        return html_table(*self._table(), "", "")


def draw_histories(*paths: str | Path) -> Image:
    """Draw files that `History.save` wrote into one chart, such as those of a whole class.

    Of each file those runs are drawn that share the settings, batch size aside, which most of its
    runs share. Raises `ValueError` for a file that was not written by `History.save`.
    """
    if not paths:
        raise ValueError("Give the files to draw, such as draw_histories('mine.csv', 'yours.csv').")
    return machines({_name(path, *curve): curve[1] for path in paths for curve in [_curve(path)]})


def _curve(path: str | Path) -> tuple[str, list[tuple[float, float, float]]]:
    """The settings that most runs in the file share, and these runs' points."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"batch_size", "looped_calls", "looped_s", "batched_s"} <= rows[0].keys():
        raise ValueError(f"{path} holds no runs: give files that a panel's save() has written.")
    settings = list(rows[0])[: list(rows[0]).index("looped_calls")]
    groups = defaultdict(list)
    for row in rows:
        size = float(row["batch_size"])
        shared = ", ".join(f"{name} {row[name]}" for name in settings if name != "batch_size")
        point = (size, float(row["looped_s"]) / size, float(row["batched_s"]) / size)
        groups[shared].append(point)
    return max(groups.items(), key=lambda group: len(group[1]))


def _name(path: str | Path, shared: str, points: list) -> str:
    return f"{Path(path).stem} ({shared})"
