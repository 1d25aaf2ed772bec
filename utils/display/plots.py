"""The charts, in one style: the loop is an orange circle, the batch a blue square.

The colours are Okabe and Ito's, which colour-blind readers tell apart; markers and dashes say the
same once more. Each chart is drawn without pyplot, so nothing is kept open, and is shown as a
picture with alternative text made from the same numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, NullFormatter

from utils.display.pictures import (
    BATCH,
    GREY,
    LOOP,
    SIZE,
    STYLES,
    THIRD,
    Picture,
    figure,
    legend_below,
    picture,
)
from utils.display.units import format_bytes, format_ratio, format_seconds
from utils.measuring.results import Comparison, Measurement
from utils.measuring.sweeps import Sweep

__all__ = [
    "BATCH",
    "LOOP",
    "STYLES",
    "THIRD",
    "figure",
    "image_row",
    "machines",
    "memory_by_size",
    "picture",
    "speedups",
    "time_per_item",
    "ways",
]


def _refuse_nothing(values: Sized) -> None:
    if not len(values):
        raise ValueError("There is nothing to draw: no size was measured.")


def time_per_item(
    sweep: Sweep,
    title: str = "",
    per: str = "sample",
    least: Callable[[int], float] | None = None,
) -> Picture:
    """Time for one item against the size of the batch, with bands from quartile to quartile.

    ``least(size)`` is the time in seconds that a batch takes at least, such as
    `utils.measuring.roofline.least_seconds` tells. What a reader must
    know of a disturbed measurement stands under the axis.
    """
    _refuse_nothing(sweep)
    figure, axes = new_figure(title, "size of the batch", f"time per {per}")
    log_sizes(axes)
    sizes = np.array(sweep.sizes)
    first, second = sweep.names
    for name, measured, style in (
        (first, [c.looped for c in sweep], LOOP),
        (second, [c.batched for c in sweep], BATCH),
    ):
        axes.plot(sizes, [m.median for m in measured] / sizes, **{**style, "label": name})
        low, high = np.array([m.quartiles for m in measured]).T / sizes
        axes.fill_between(sizes, low, high, color=style["color"], alpha=0.2, linewidth=0)
    told = [
        f"at size {size:,} {first} takes {format_seconds(c.looped.median / size)} per {per} and "
        f"{second} {format_seconds(c.batched.median / size)}"
        for size, c in [(sweep.sizes[0], sweep[0]), (sweep.sizes[-1], sweep[-1])]
    ]
    if sweep.crossover is None:
        told.append(f"{second} is not faster for certain at the largest size")
    else:
        told.append(f"{second} faster from {sweep.crossover:,} on")
        axes.axvline(sweep.crossover, color=GREY, linestyle=":", label=told[-1])
    marks = list(dict.fromkeys(mark for c in sweep for mark in c.marks))
    told += marks
    axes.set_xlabel("\n".join(["size of the batch", *marks]))
    if least is not None:
        best = np.array([least(size) for size in sweep.sizes])
        axes.plot(sizes, best / sizes, color=GREY, linestyle="-.", label="this machine allows")
        share = sweep[-1].batched.share_of(best[-1])
        told.append(f"at the largest size {second} reaches {share:.0%} of that limit")
    half_decades(axes)
    legend_below(figure)
    return picture(figure, f"{title or f'Time per {per}'}: {'; '.join(told)}.")


def ways(
    curves: Mapping[str, Mapping[int, Measurement]], title: str = "", per: str = "sample"
) -> Picture:
    """Time for one item against the size of the batch, a curve for each way of doing it.

    ``curves`` names each way and gives its `measure`d times by size, such as
    ``{"loop": {1: measure(loop, x[:1]), 64: measure(loop, x[:64])}, "vmap": {…}, …}``. The bands
    go from quartile to quartile. Raises `ValueError` where a way has no size.
    """
    _refuse_nothing(curves)
    figure, axes = new_figure(title, "size of the batch", f"time per {per}")
    log_sizes(axes)
    told = []
    for (name, measured), style in zip(curves.items(), itertools.cycle(STYLES)):
        _refuse_nothing(measured)
        sizes = sorted(measured)
        axes.plot(sizes, [measured[n].median / n for n in sizes], **{**style, "label": name})
        low, high = zip(*([q / n for q in measured[n].quartiles] for n in sizes), strict=True)
        axes.fill_between(sizes, low, high, color=style["color"], alpha=0.2, linewidth=0)
        ends = [f"{format_seconds(measured[n].median / n)} at size {n:,}" for n in sizes]
        told.append(f"{name} takes {' and '.join(dict.fromkeys([ends[0], ends[-1]]))}")
    half_decades(axes)
    legend_below(figure)
    return picture(figure, f"{title or f'Time per {per}'}: {'; '.join(told)}.")


def memory_by_size(
    sizes: Sequence[int], curves: Mapping[str, Sequence[int]], title: str = ""
) -> Picture:
    """Bytes at the peak against the size of the batch, a curve for each way of doing it."""
    _refuse_nothing(sizes)
    figure, axes = new_figure(title, "size of the batch", "memory at the peak")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_bytes(value)))
    for (name, values), style in zip(curves.items(), itertools.cycle(STYLES)):
        axes.plot(sizes, values, **{**style, "label": name})
    legend_below(figure)
    told = [
        f"{name} takes {format_bytes(values[0])} at size {sizes[0]:,} "
        f"and {format_bytes(values[-1])} at {sizes[-1]:,}"
        for name, values in curves.items()
    ]
    return picture(figure, f"{title or 'Memory at the peak'}: {'; '.join(told)}.")


def speedups(comparisons: Mapping[str, Comparison], title: str = "") -> Picture:
    """One bar for each comparison: how many times longer the first side takes than the second.

    Bars that tell nothing for certain, or that both sides are the same, are grey and say so.
    """
    _refuse_nothing(comparisons)
    first, second = next(iter(comparisons.values())).names
    if len({c.names for c in comparisons.values()}) > 1:
        first, second = "the first", "the second"
    elif (first, second) == ("loop", "batch"):
        first, second = "the loop", "the batch"
    xlabel = f"{first} takes … times as long as {second}"
    figure, axes = new_figure(title, xlabel, "", grid="x")
    names = list(comparisons)
    for row, comparison in enumerate(comparisons.values()):
        wins = comparison.speedup > 1
        style = BATCH if wins else LOOP
        axes.barh(
            row,
            comparison.speedup - 1,
            left=1,
            color=style["color"] if comparison.conclusive else "#BBBBBB",
            hatch=None if wins else "//",
            edgecolor="white",
        )
        if comparison.interval:
            axes.plot(comparison.interval, [row, row], color="black", linewidth=2)
        axes.annotate(
            _result(comparison),
            (max(1, comparison.speedup, *(comparison.interval or ())), row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=1)
    ends = [end for c in comparisons.values() for end in (c.speedup, *(c.interval or ()))]
    axes.set_xlim(min(0.5, 0.7 * min(ends)), max(2, 10 * max(ends)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    marks = list(dict.fromkeys(mark for c in comparisons.values() for mark in c.marks))
    axes.set_xlabel("\n".join([xlabel, *marks]))
    told = [f"{name}: {_result(c)}" for name, c in comparisons.items()]
    return picture(figure, f"{title or 'Speedups'}: {xlabel}. {'; '.join([*told, *marks])}.")


def _result(comparison: Comparison) -> str:
    """A ratio, and whether it tells which side is faster."""
    unsure = {"same": " (the same within 5 %)", "unclear": " (not conclusive)"}
    return format_ratio(comparison.speedup) + unsure.get(comparison.outcome, "")


def image_row(images: Sequence[object], names: Sequence[object], title: str = "") -> Picture:
    """Small grey images of shape (height, width) in a row, each with its name above it."""
    drawn = figure(height=1.2)
    for axes, image, name in zip(drawn.subplots(1, len(images)), images, names, strict=True):
        axes.imshow(image, cmap="gray_r")
        axes.set_title(str(name), fontsize=9)
        axes.set_axis_off()
    return picture(drawn, f"{title or 'Images'}: {', '.join(map(str, names))}.")


def machines(
    curves: Mapping[str, Sequence[tuple[float, float, float]]], title: str = ""
) -> Picture:
    """Loop and batch of several machines: points ``(size, seconds per item looped, batched)``."""
    _refuse_nothing(curves)
    figure, axes = new_figure(title, "size of the batch", "time per item")
    figure.set_figheight(SIZE[1] + 0.25 * len(curves))
    log_sizes(axes)
    for (name, points), style in zip(curves.items(), itertools.cycle(STYLES)):
        points = sorted(points)
        for side, line in ((1, ":"), (2, "-")):
            shown: dict[str, Any] = {**style, "linestyle": line, "alpha": 0.5 if side == 1 else 1}
            shown["label"] = f"{name}: {'loop' if side == 1 else 'batch'}"
            axes.plot([p[0] for p in points], [p[side] for p in points], **shown)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    told = [
        f"{name}: at size {last[0]:,.0f} the loop takes {format_seconds(last[1])} per item and the "
        f"batch {format_seconds(last[2])}"
        for name, last in ((name, max(points)) for name, points in curves.items())
    ]
    return picture(figure, f"{title or 'Time per item on several machines'}. {'; '.join(told)}.")


def new_figure(
    title: str, xlabel: str, ylabel: str, grid: Literal["both", "x", "y"] = "both"
) -> tuple[Figure, Axes]:
    """An empty chart in the style of all others."""
    drawn = figure()
    axes = drawn.add_subplot(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    return drawn, axes


def log_sizes(axes: Axes) -> None:
    """Sizes in powers of two across, times in powers of ten up."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def half_decades(axes: Axes) -> None:
    """Let the vertical axis begin and end at half a power of ten, close to what is drawn."""
    low, high = (2 * math.log10(end) for end in axes.dataLim.intervaly)
    axes.set_ylim(10 ** (math.floor(low - 0.1) / 2), 10 ** (math.ceil(high + 0.1) / 2))
