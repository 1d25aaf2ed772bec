"""The charts, in one style: the loop is an orange circle, the batch a blue square.

The colours are Okabe and Ito's, which colour-blind readers tell apart; markers and dashes say the
same once more. Each chart is drawn without pyplot, so nothing is kept open, and is shown as a
picture with alternative text made from the same numbers.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, NullFormatter
from PIL import Image as Pillow

from utils.results import Comparison, Sweep, amount, seconds, times

LOOP = {"color": "#D55E00", "marker": "o", "label": "loop"}
BATCH = {"color": "#0072B2", "marker": "s", "label": "batch", "linestyle": "--"}
THIRD = {"color": "#009E73", "marker": "^", "linestyle": "-."}
FOURTH = {"color": "#CC79A7", "marker": "D", "linestyle": ":"}
STYLES = (LOOP, BATCH, THIRD, FOURTH)
GREY = "#595959"
SIZE = (7.2, 3.9)  # inches at 100 dots an inch


def _refuse_nothing(values: Sequence) -> None:
    if not len(values):
        raise ValueError("There is nothing to draw: no size was measured.")


def picture(figure: Figure, alt: str) -> Image:
    """``figure`` as a PNG with alternative text, ready to be shown as a cell's result."""
    figure.canvas.draw()
    data = _png(_pixels(figure.canvas).quantize(128), level=9)  # small, as it is stored
    return Image(data=data, format="png", alt=alt)


def time_per_item(
    sweep: Sweep,
    title: str = "",
    per: str = "sample",
    least: Callable[[int], float] | None = None,
) -> Image:
    """Time for one item against the size of the batch, with bands from quartile to quartile.

    ``least(size)`` is the time in seconds that a batch takes at least, as `utils.limits` tells.
    """
    _refuse_nothing(sweep)
    figure, axes = _new(title, "size of the batch", f"time per {per}")
    _log_sizes(axes)
    sizes = np.array(sweep.sizes)
    for measured, style in (
        ([c.looped for c in sweep], LOOP),
        ([c.batched for c in sweep], BATCH),
    ):
        axes.plot(sizes, [m.median for m in measured] / sizes, **style)
        low, high = np.array([m.quartiles for m in measured]).T / sizes
        axes.fill_between(sizes, low, high, color=style["color"], alpha=0.2, linewidth=0)
    told = [
        f"at size {size:,} the loop takes {seconds(c.looped.median / size)} per {per} and the "
        f"batch {seconds(c.batched.median / size)}"
        for size, c in [(sweep.sizes[0], sweep[0]), (sweep.sizes[-1], sweep[-1])]
    ]
    if sweep.crossover is None:
        told.append("the batch is not faster for certain at the largest size")
    else:
        told.append(f"batch faster from {sweep.crossover:,} on")
        axes.axvline(sweep.crossover, color=GREY, linestyle=":", label=told[-1])
    if least is not None:
        best = np.array([least(size) for size in sweep.sizes])
        axes.plot(sizes, best / sizes, color=GREY, linestyle="-.", label="memory and cores allow")
        share = sweep[-1].batched.share_of(best[-1])
        told.append(f"at the largest size the batch reaches {share:.0%} of what is possible")
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    axes.legend(frameon=False)
    return picture(figure, f"{title or f'Time per {per}'}: {'; '.join(told)}.")


def memory(sizes: Sequence[int], curves: Mapping[str, Sequence[int]], title: str = "") -> Image:
    """Bytes at the peak against the size of the batch, a curve for each way of doing it."""
    _refuse_nothing(sizes)
    figure, axes = _new(title, "size of the batch", "memory at the peak")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
    for (name, values), style in zip(curves.items(), itertools.cycle(STYLES)):
        axes.plot(sizes, values, **{**style, "label": name})
    axes.legend(frameon=False)
    told = [
        f"{name} takes {amount(values[0])} at size {sizes[0]:,} and {amount(values[-1])} at "
        f"{sizes[-1]:,}"
        for name, values in curves.items()
    ]
    return picture(figure, f"{title or 'Memory at the peak'}: {'; '.join(told)}.")


def speedups(comparisons: Mapping[str, Comparison], title: str = "") -> Image:
    """One bar for each comparison: how many times longer the loop takes than the batch."""
    _refuse_nothing(comparisons)
    figure, axes = _new(title, "the loop takes … times as long as the batch", "", grid="x")
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
            times(comparison.speedup) + ("" if comparison.conclusive else " (not conclusive)"),
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
    axes.set_xlim(min(0.5, 0.7 * min(ends)), max(2, 6 * max(ends)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    told = "; ".join(f"{name}: {times(c.speedup)}" for name, c in comparisons.items())
    return picture(figure, f"{title or 'Speedup of the batch over the loop'}. {told}.")


def image_row(images: Sequence[object], names: Sequence[object], title: str = "") -> Image:
    """Small grey images of shape (height, width) in a row, each with its name above it."""
    figure = Figure(figsize=(SIZE[0], 1.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, image, name in zip(figure.subplots(1, len(images)), images, names, strict=True):
        axes.imshow(image, cmap="gray_r")
        axes.set_title(str(name), fontsize=9)
        axes.set_axis_off()
    return picture(figure, f"{title or 'Images'}: {', '.join(map(str, names))}.")


def machines(curves: Mapping[str, Sequence[tuple[float, float, float]]], title: str = "") -> Image:
    """Loop and batch of several machines: points ``(size, seconds per item looped, batched)``."""
    _refuse_nothing(curves)
    figure, axes = _new(title, "size of the batch", "time per item")
    figure.set_figheight(SIZE[1] + 0.25 * len(curves))
    _log_sizes(axes)
    for (name, points), style in zip(curves.items(), itertools.cycle(STYLES)):
        points = sorted(points)
        for side, line in ((1, ":"), (2, "-")):
            shown = {**style, "linestyle": line, "alpha": 0.5 if side == 1 else 1}
            shown["label"] = f"{name}: {'loop' if side == 1 else 'batch'}"
            axes.plot([p[0] for p in points], [p[side] for p in points], **shown)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    told = [
        f"{name}: at size {last[0]:,.0f} the loop takes {seconds(last[1])} per item and the batch "
        f"{seconds(last[2])}"
        for name, last in ((name, max(points)) for name, points in curves.items())
    ]
    return picture(figure, f"{title or 'Time per item on several machines'}. {'; '.join(told)}.")


class LiveChart:
    """Times per item against batch size, redrawn in place as points arrive.

    The horizontal axis is fixed and the vertical one only ever grows, by whole decades, so the
    picture holds still while a slider moves. Axes, ticks and labels are drawn once and kept as a
    background, which makes a redraw several times faster.
    """

    def __init__(self, xlabel: str, limits: tuple[float, float], title: str = "") -> None:
        self.figure, self.axes = _new(title, xlabel, "time per item")
        self.canvas = self.figure.canvas
        _log_sizes(self.axes)
        self.axes.set_xlim(limits[0] / 1.3, limits[1] * 1.3)
        self._decades: tuple[int, int] | None = None
        self._background = None
        line = {"animated": True, "markersize": 5}
        self._lines = [self.axes.plot([], [], **style, **line)[0] for style in (LOOP, BATCH)]
        faint = {"linestyle": "", "alpha": 0.25, "animated": True, "markersize": 5}
        self._others = [
            self.axes.plot([], [], color=s["color"], marker=s["marker"], **faint)[0]
            for s in (LOOP, BATCH)
        ]
        ring = {"linestyle": "", "markerfacecolor": "none", "markeredgewidth": 2, "markersize": 13}
        self._now = [
            self.axes.plot([], [], color=s["color"], marker=s["marker"], animated=True, **ring)[0]
            for s in (LOOP, BATCH)
        ]
        limit = {"color": GREY, "linestyle": ":", "label": "memory and cores allow"}
        self._limit = self.axes.plot([], [], animated=True, **limit)[0]
        self.axes.legend(handles=[*self._lines, self._limit], loc="upper right", frameon=False)

    def draw(
        self,
        here: Sequence[tuple[float, float, float, float]],
        others: Sequence[tuple[float, float, float, float]] = (),
        now: tuple[float, float, float, float] | None = None,
    ) -> bytes:
        """Draw points ``(size, seconds per item looped, batched, at least)``; return a PNG.

        ``here`` are joined by lines, ``others`` (visited at other settings) are faint, and
        ``now`` has a ring around it.
        """
        self._fit([*here, *others])
        rows = [sorted(here), list(others), [now] if now else []]
        for artists, points in zip((self._lines, self._others, self._now), rows, strict=True):
            for side, artist in enumerate(artists, start=1):
                artist.set_data([p[0] for p in points], [p[side] for p in points])
        self._limit.set_data([p[0] for p in rows[0]], [p[3] for p in rows[0]])
        if self._background is None:
            self.canvas.draw()
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background)
        for artist in (self._limit, *self._others, *self._lines, *self._now):
            self.axes.draw_artist(artist)
        return _png(_pixels(self.canvas), level=1)

    def _fit(self, points: Sequence[tuple[float, float, float]]) -> None:
        values = [value for point in points for value in point[1:] if value > 0]  # NaN is not
        if not values:
            values = [1e-7, 1e-5]
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.05)
        if self._decades:
            low, high = min(low, self._decades[0]), max(high, self._decades[1])
        else:
            low, high = low - 1, high + 1  # room, so that the first steps do not move the axis
        if (low, high) != self._decades:
            self._decades, self._background = (low, high), None
            self.axes.set_ylim(10.0**low, 10.0**high)


def _new(title: str, xlabel: str, ylabel: str, grid: str = "both") -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _log_sizes(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _pixels(canvas: FigureCanvasAgg) -> Pillow.Image:
    return Pillow.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _png(image: Pillow.Image, level: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "png", compress_level=level)
    return file.getvalue()
