"""The panel's chart, redrawn in place as points arrive."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from utils.display.pictures import BATCH, GREY, LOOP
from utils.display.plots import log_sizes, new_figure


class LiveChart:
    """Times per item against batch size, redrawn in place as points arrive.

    The horizontal axis is fixed and the vertical one only ever grows, by whole decades, so the
    picture holds still while a slider moves. Axes, ticks and labels are drawn once and kept as a
    background, which makes a redraw several times faster.
    """

    def __init__(self, xlabel: str, limits: tuple[float, float], title: str = "") -> None:
        self.figure, self.axes = new_figure(title, xlabel, "time per item")
        self.canvas = self.figure.canvas
        log_sizes(self.axes)
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
        file = io.BytesIO()
        pixels = np.asarray(self.canvas.buffer_rgba())[..., :3]
        Image.fromarray(pixels).save(file, "png", compress_level=1)
        return file.getvalue()

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
