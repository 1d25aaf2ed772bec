"""What the panel says: its result, its picture in words, and errors in one line."""

from __future__ import annotations

import html
from collections.abc import Mapping

import torch

from utils.display.units import format_seconds
from utils.explorer.history import History, Run


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
    _, looped, batched, _ = history[-1].point
    return (
        f"Time per item against batch_size, {len(history)} points. At "
        f"{in_words(history[-1].settings)} the loop takes {format_seconds(looped)} per item "
        f"and the batch {format_seconds(batched)}: {history[-1].comparison.verdict}."
    )


def result_in_html(history: History) -> str:
    """The last run in words and numbers; nothing before the first."""
    if not history:
        return ""
    run = history[-1]
    c = run.comparison
    sides = zip(
        ("loop", "batch"),
        (c.looped, c.batched),
        run.point[1:3],
        run.calls or ("not counted",) * 2,
        strict=True,
    )
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{name}</th>'
        f"<td>{format_seconds(side.median)}</td><td>{format_seconds(per_item)}</td>"
        f"<td>{calls}</td><td>{'; '.join(side.marks)}</td></tr>"
        for name, side, per_item, calls in sides
    )
    return (
        f"<strong>{html.escape(c.verdict)}</strong>"
        '<table style="border-spacing:16px 0;margin-left:-16px"><thead><tr><th></th>'
        '<th scope="col">time a call</th><th scope="col">time an item</th>'
        f'<th scope="col">PyTorch calls</th><th></th></tr></thead><tbody>{body}</tbody></table>'
        f"{html.escape(_limit_in_words(run))}<br>{c.agreed}<br>"
        f"<small>{html.escape(str(c.conditions))}<br>the same without a slider: "
        f"<code>.run({html.escape(in_code(run.settings))})</code></small>"
    )


def error_in_words(error: BaseException) -> str:
    """An error in one line, for whoever has to move a slider next."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted: move a slider to run again"
    first = next(iter(str(error).splitlines()), "") or "no message"
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in first:
        return "out of memory, and nothing is lost: choose a smaller size"
    return f"{type(error).__name__}: {first}"


def _limit_in_words(run: Run) -> str:
    if not run.least:
        return "what this machine could do at best is not known for these functions"
    share = run.comparison.batched.share_of(run.least)
    if share > 1:
        return "the batch is faster than main memory could deliver it: it is in a cache"
    return f"the batch reaches {share:.0%} of what this machine's memory and cores allow"
