"""What the panel says: its result, its picture in words, and errors in one line."""

from __future__ import annotations

import html
from collections.abc import Mapping

import torch

from utils.devices import last_level_cache
from utils.display.units import format_bytes, format_seconds
from utils.explorer.history import History
from utils.explorer.race import PanelRun


def in_words(settings: Mapping[str, object]) -> str:
    """Settings for a reader: ``batch_size 64, device cpu``."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def in_code(settings: Mapping[str, object]) -> str:
    """Settings for a call: ``batch_size=64, device='cpu'``."""
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


def picture_in_words(history: History) -> str:
    """Alternative text for the chart."""
    if not history:
        return "An empty chart: no comparison yet."
    run = history[-1]
    _, looped, batched, _ = run.point
    first, second = run.comparison.names
    points = f"{len(history)} point{'s' * (len(history) > 1)}"
    return (
        f"Time per item against batch_size, {points} for each side. At {in_words(run.settings)}: "
        f"{first} {format_seconds(looped)} per item, {second} {format_seconds(batched)}; "
        f"{run.comparison.verdict}."
    )


def result_in_html(history: History) -> str:
    """The last run in words and numbers; nothing before the first."""
    if not history:
        return ""
    run = history[-1]
    c = run.comparison
    sides = list(zip(c.names, (c.looped, c.batched), run.point[1:3], strict=True))
    head = ["side", "time a run", "time an item", "PyTorch calls"]
    body = [
        [name, format_seconds(side.median), format_seconds(item), f"{calls:,}" if calls else "–"]
        for (name, side, item), calls in zip(sides, run.calls or (0, 0), strict=True)
    ]
    marks = [f"{name}: {mark}" for name, side, _ in sides for mark in side.marks]
    lines = [*marks, *limit_in_words(run), *c.notes]
    same = f"the same without a slider: <code>.run({html.escape(in_code(run.settings))})</code>"
    return (
        f"<strong>{html.escape(c.verdict)}</strong>{_table(head, body)}"
        f"<small>{'<br>'.join([*map(html.escape, lines), same])}</small>"
    )


def error_in_words(error: BaseException) -> str:
    """An error in one line, for whoever has to move a slider next."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted: move a slider to run again"
    first = next(iter(str(error).splitlines()), "") or "no message"
    system = isinstance(error, MemoryError) and "choose a smaller" not in first
    if system or isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in first:
        return "out of memory, and nothing is lost: choose a smaller size"
    return f"{type(error).__name__}: {first}"


def limit_in_words(run: PanelRun) -> list[str]:
    """How far the run is from what the machine allows, as far as that is known."""
    demand, c = run.demand, run.comparison
    others = ", ".join(demand.unknown)
    if not run.least or demand.moved is None:
        why = f" ({others})" if others else ""
        return [f"for these functions{why} no least time is known, so there is no dotted line"]
    below = _below(demand.moved, str(run.settings["device"]))
    told = []
    for name, side in zip(c.names, (c.looped, c.batched), strict=True):
        share = side.share_of(run.least)
        if share <= 1:
            reached = "less than 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")
            told.append(f"{name} reaches {reached} of what {run.limit}")
        else:
            told.append(f"{name} is below the dotted line: {below}")
    if others:
        told.append(f"the dotted line knows reading and writing alone, not the work of {others}")
    return told


def _below(moved: int, device: str) -> str:
    """Why something is faster than main memory seems to allow."""
    if moved <= last_level_cache(device):
        return (
            f"its {format_bytes(moved)} stay in the processor's cache from call to call, and the "
            "line is for data that come from main memory"
        )
    return "it mostly reads, and the line is measured by copying, which writes as much as it reads"


def _table(head: list[str], rows: list[list[str]]) -> str:
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
