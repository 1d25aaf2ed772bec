"""What the panel's chart shows: for the page, which draws it, and as a picture that can be kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.display.pictures import BATCH, GREY, LOOP, Picture, legend_below, picture
from utils.display.plots import log_sizes, new_figure
from utils.explorer.history import History
from utils.explorer.race import Point
from utils.explorer.words import picture_in_words

Ends = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """Points of a history as they are seen at some settings, and the axes they are seen in."""

    sizes: Ends
    times: Ends
    here: Sequence[Point]  # at these settings: joined by lines
    others: Sequence[Point]  # at other settings: faded
    now: Point | None  # the newest, with a ring
    limit: str  # what the dotted line is, in words; empty where there is none
    names: tuple[str, str]
    words: str

    def to_page(self) -> dict[str, object]:
        """The scene in numbers and words that JSON can hold."""
        plain = {**vars(self), "here": _plain(self.here), "others": _plain(self.others)}
        return {**plain, "now": _plain([self.now])[0] if self.now else None}

    def picture(self, title: str) -> Picture:
        """The scene as a picture, for whoever reads without a kernel."""
        figure, axes = new_figure(title, "batch_size", "time per item")
        log_sizes(axes)
        axes.set_xlim(self.sizes[0] / 1.2, self.sizes[1] * 1.2)
        axes.set_ylim(self.times)
        ring: dict[str, Any] = {"marker": "o", "markerfacecolor": "none", "linestyle": ""}
        ring |= {"markersize": 13, "markeredgewidth": 2}
        for side, (name, style) in enumerate(zip(self.names, (LOOP, BATCH), strict=True), start=1):
            mark = {"color": style["color"], "marker": style["marker"], "linestyle": ""}
            axes.plot(*_column(self.others, side), **mark, alpha=0.3, markeredgewidth=0)
            axes.plot(*_column(self.here, side), **{**style, "label": name})
            newest = [self.now] if self.now else []
            axes.plot(*_column(newest, side), **ring, color=style["color"])
        if self.limit:
            axes.plot(*_column(self.here, 3), color=GREY, linestyle=":", label=self.limit)
        if self.now:
            ring |= {"color": GREY, "label": "ring: the newest"}
            axes.plot([], [], **ring)
        if self.others:
            axes.plot([], [], "s", color=GREY, alpha=0.4, label="faded: other settings")
        legend_below(figure)
        return picture(figure, self.words)


@dataclass
class Chart:
    """The axes of a panel: they hold still while the size changes, and only grow."""

    sizes: Ends
    names: tuple[str, str]
    times: dict[tuple, Ends] = field(default_factory=dict)  # by all settings but the size

    def scene(self, history: History, settings: Mapping[str, object]) -> Scene:
        """What is seen of the history at these settings."""
        here: dict[int, Point] = {}
        others, now, limit = [], None, ""
        for run in history:
            if _beside(run.settings) == _beside(settings):
                here[run.size] = now = run.point
                limit = run.limit
            else:
                others.append(run.point)
        points = [here[size] for size in sorted(here)]
        key = tuple(_beside(settings).items())
        self.times[key] = fitted(points, self.times.get(key))
        low, high = self.times[key]
        if not any(low <= point[3] <= high for point in points):
            limit = ""  # its line would lie outside
        words = picture_in_words(history)
        return Scene(self.sizes, self.times[key], points, others, now, limit, self.names, words)


def fitted(points: Sequence[Point], before: Ends | None) -> Ends:
    """Ends for the times of the points: half decades that hold them all, and ``before``."""
    found = [time for point in points for time in point[1:3] if time > 0]
    if not found:
        return before or (1e-8, 1e-5)
    low, high = (
        math.floor(2 * math.log10(min(found) / 1.25)),
        math.ceil(2 * math.log10(max(found) * 1.25)),
    )
    while high - low < 4:  # at least two decades, so that small steps stay small
        low, high = low - 1, high + (high - low < 3)
    limits = 10 ** (low / 2), 10 ** (high / 2)
    return limits if before is None else (min(limits[0], before[0]), max(limits[1], before[1]))


def _beside(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name != "batch_size"}


def _column(points: Sequence[Point], side: int) -> tuple[list[float], list[float]]:
    return [p[0] for p in points], [p[side] for p in points]


def _plain(points: Sequence[Point | None]) -> list[list[float | None]]:
    return [[None if math.isnan(x) else x for x in point] for point in points if point]
