"""Pictures of flows and of time: boxes and arrows, lanes, bars that add up, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from utils.display.canvas import FILLS, INK, arrow, blank, look
from utils.display.pictures import GREY, Picture, figure, legend_below, listed, picture
from utils.display.units import format_seconds

ROUND = "round,pad=0,rounding_size=0.08"


def flow(steps: Sequence[tuple[str, str]], travels: Sequence[str] = (), title: str = "") -> Picture:
    """Draw steps as boxes with arrows between them.

    ``steps`` are pairs of a name and what the step does; ``travels`` says what goes along each
    arrow (one fewer than steps, or none at all: else a `ValueError`). A step between others
    without a name, ``("", "")``, is left out and its place stays empty: two flows can be compared
    box by box. What travels through the gap stands before it.
    """
    if (
        not steps
        or not (steps[0][0] and steps[-1][0])
        or (travels and len(travels) != len(steps) - 1)
    ):
        raise ValueError(
            f"Give at least one step, names for the first and the last, and for {len(steps)} steps "
            f"{max(0, len(steps) - 1)} things that travel or none, but got {len(travels)}."
        )
    inside = [
        (0.085 * len(name), *(0.065 * len(s) for s in does.splitlines())) for name, does in steps
    ]
    box = max(1.0, *(width for widths in inside for width in widths)) + 0.2
    labels = list(travels) or [""] * (len(steps) - 1)
    gaps = [0.45 + max([0, *(0.065 * len(s) - 0.2 for s in t.splitlines())]) for t in labels]
    lines = max(len(does.splitlines()) for _, does in steps)
    high = 0.4 + 0.17 * lines
    above = max([1, *(len(t.splitlines()) for t in travels)])
    tall = max(high, 0.2 + 0.36 * above) + 0.1
    drawn, axes = blank(len(steps) * box + sum(gaps) + 0.1, tall, title, 1)
    middle = tall / 2
    for k, (name, does) in enumerate(steps):
        left = 0.05 + k * box + sum(gaps[:k])
        if not name:
            continue
        fill, corner = FILLS[k % len(FILLS)], (left, middle - high / 2)
        axes.add_patch(
            FancyBboxPatch(corner, box, high, boxstyle=ROUND, facecolor=fill, edgecolor=GREY)
        )
        x, top = left + box / 2, middle + high / 2 - 0.1
        axes.text(x, top, name, ha="center", va="top", fontsize=10, weight="bold", color=INK)
        below = (x, top - 0.2 - 0.085 * lines)
        axes.text(*below, does, ha="center", va="center", fontsize=8.5, color=INK)
        if k + 1 < len(steps):
            to = next(later for later in range(k + 1, len(steps)) if steps[later][0])
            start, end = left + box, 0.05 + to * box + sum(gaps[:to])
            arrow(axes, start + 0.03, end - 0.03, middle)
            where = ((start + end) / 2, middle + 0.07)
            axes.text(*where, labels[k], ha="center", va="bottom", fontsize=8.5, color=INK)
    told = []
    for (name, does), what in zip(steps, [*labels, ""], strict=True):
        if name:
            told.append(
                (f"{name} ({does})" if does else name) + (what and f", which hands on {what}")
            )
    return picture(drawn, f"{title or 'Flow'}. In order: {'; then '.join(told)}.")


def timeline(lanes: Mapping[str, Sequence[tuple[float, float, str]]], title: str = "") -> Picture:
    """Draw what happens when: a lane for each name, with spans ``(start, end, kind)`` in seconds.

    Each kind has a colour and a hatch, which a legend explains. Raises `ValueError` where there
    is no span, or one that ends before it starts.
    """
    spans = [span for lane in lanes.values() for span in lane]
    if not spans or any(end < start for start, end, _ in spans):
        raise ValueError("Give at least one span (start, end, kind), with its end after its start.")
    kinds = list(dict.fromkeys(kind for _, _, kind in spans))
    drawn = figure(height=1.3 + 0.42 * len(lanes))
    axes = _bars(drawn, list(lanes), title)
    for row, lane in enumerate(lanes.values()):
        for start, end, kind in lane:
            axes.barh(row, end - start, left=start, height=0.7, **look(kinds.index(kind)))
    axes.set_xlim(0, 1.01 * max(end for _, end, _ in spans))
    _seconds_across(axes)
    _explain(drawn, kinds)
    told = [
        f"{name}: "
        + listed(
            [
                f"{sum(k == kind for *_, k in lane)} × {kind}, in all "
                f"{format_seconds(sum(end - start for start, end, k in lane if k == kind))}"
                for kind in kinds
                if any(k == kind for *_, k in lane)
            ]
            or ["nothing"]
        )
        for name, lane in lanes.items()
    ]
    ends = format_seconds(max(end for _, end, _ in spans))
    return picture(drawn, f"{title or 'Timeline'}. {'; '.join(told)}. The last ends after {ends}.")


def parts(bars: Mapping[str, Mapping[str, float]], title: str = "") -> Picture:
    """Draw stacked bars: for each the seconds of its parts, which add up to its length.

    The share of a part is written into it where there is room. Raises `ValueError` for a negative
    part and for bars without any length.
    """
    totals = {name: sum(bar.values()) for name, bar in bars.items()}
    if not any(totals.values()) or any(
        value < 0 for bar in bars.values() for value in bar.values()
    ):
        raise ValueError("Give bars of parts that are 0 or more seconds, and not all of them 0.")
    kinds = list(dict.fromkeys(kind for bar in bars.values() for kind in bar))
    longest = max(totals.values())
    drawn = figure(height=1.3 + 0.5 * len(bars))
    axes = _bars(drawn, list(bars), title)
    for row, (name, bar) in enumerate(bars.items()):
        left = 0.0
        for kind, value in bar.items():
            axes.barh(row, value, left=left, height=0.7, **look(kinds.index(kind)))
            if value > 0.07 * longest:
                share = f"{value / totals[name]:.0%}"
                ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
                where = (left + value / 2, row)
                axes.text(*where, share, ha="center", va="center", fontsize=9, bbox=ground)
            left += value
        said = "  " + format_seconds(totals[name])
        axes.text(left, row, said, va="center", fontsize=9, color=INK)
    axes.set_xlim(0, 1.17 * longest)
    _seconds_across(axes)
    _explain(drawn, kinds)
    told = [
        f"{name} takes {format_seconds(totals[name])}: "
        + listed([f"{kind} {format_seconds(value)}" for kind, value in bar.items()])
        for name, bar in bars.items()
    ]
    return picture(drawn, f"{title or 'Parts'}. {'; '.join(told)}.")


def histogram(
    values: Mapping[str, Sequence[float]], xlabel: str, title: str = "", bins: int = 20
) -> Picture:
    """Draw how often values come, for one set of values or a few, in the same ``bins``.

    Raises `ValueError` where there is no value.
    """
    sets = {name: np.asarray(given, dtype=float) for name, given in values.items()}
    if not sets or not all(given.size for given in sets.values()):
        raise ValueError("There is nothing to draw: give at least one value in each set.")
    drawn = figure(height=3.0)
    axes = drawn.add_subplot(xlabel=xlabel, ylabel="how often")
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    edges = np.histogram_bin_edges(np.concatenate(list(sets.values())), bins)
    styles = [look(k) for k in range(len(sets))]
    axes.hist(
        list(sets.values()),
        bins=list(edges),
        label=list(sets),
        color=[style["facecolor"] for style in styles],
        hatch=[style["hatch"] for style in styles],
        edgecolor=GREY,
        linewidth=0.5,
    )
    if len(sets) > 1:
        legend_below(drawn)
    told = [
        f"{name}: {given.size:,} values from {given.min():g} to {given.max():g}, half of them up "
        f"to {np.median(given):g}"
        for name, given in sets.items()
    ]
    return picture(drawn, f"{title or f'How often which {xlabel} comes'}. {'; '.join(told)}.")


def _bars(drawn: Figure, names: list[str], title: str) -> Axes:
    axes = drawn.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return axes


def _seconds_across(axes: Axes) -> None:
    longest = axes.get_xlim()[1]
    size, unit = next(
        ((1 / s, u) for s, u in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if longest >= s),
        (1e9, "ns"),
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value * size:g}")
    axes.set_xlabel(f"time in {unit}")


def _explain(drawn: Figure, kinds: list[str]) -> None:
    handles = [Patch(label=kind, **look(k)) for k, kind in enumerate(kinds)]
    columns = min(len(kinds), 4 if max(map(len, kinds)) < 24 else 2)
    drawn.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
