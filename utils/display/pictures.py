"""A drawing as a picture that every reader gets: in light and dark, sharp, and in words.

A picture is shown as HTML with alternative text in it, since that is what reaches people:
JupyterLab, nbconvert and others drop the alternative text in the metadata of an image output.
Its ground is white in every theme, so that what is drawn on it can be read in all of them.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

LOOP: dict[str, Any] = {"color": "#D55E00", "marker": "o", "label": "loop"}
BATCH: dict[str, Any] = {"color": "#0072B2", "marker": "s", "label": "batch", "linestyle": "--"}
THIRD: dict[str, Any] = {"color": "#009E73", "marker": "^", "linestyle": "-."}
FOURTH: dict[str, Any] = {"color": "#CC79A7", "marker": "D", "linestyle": ":"}
FIFTH: dict[str, Any] = {"color": "#222222", "marker": "v", "linestyle": (0, (6, 2, 1, 2, 1, 2))}
SIXTH: dict[str, Any] = {"color": "#7A5195", "marker": "P", "linestyle": (0, (2, 1))}
STYLES = (LOOP, BATCH, THIRD, FOURTH, FIFTH, SIXTH)
GREY = "#595959"
SIZE = (7.2, 3.9)  # width and height in inches
POINTS = 100  # points of a page (CSS pixels) to an inch
LEGEND_WIDTH = 90  # characters of a legend across a figure
DENSITY = 2  # pixels to a point, for sharp lines on dense screens


@dataclass(frozen=True)
class Picture:
    """A PNG with alternative text. It is shown when it is the last line of a cell."""

    png: bytes
    alt: str
    width: int  # in points; it shrinks with a page that is narrower

    @property
    def html(self) -> str:
        """An HTML image that holds the PNG and the alternative text."""
        data = base64.b64encode(self.png).decode()
        return (
            f'<img alt="{html.escape(self.alt)}" width="{self.width}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
        )

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"

    def _repr_html_(self) -> str:
        return self.html


def figure(width: float = SIZE[0], height: float = SIZE[1]) -> Figure:
    """An empty figure of so many inches, for a drawing of your own; show it with `picture`."""
    drawn = Figure(figsize=(width, height), dpi=POINTS * DENSITY, layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn


def picture(figure: Figure, alt: str) -> Picture:
    """``figure`` as a picture, ready to be shown as a cell's result; ``alt`` says what it shows.

    Raises `ValueError` where ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows.")
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg), "made by figure()"
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    file = io.BytesIO()
    drawn.quantize(64).save(file, "png", optimize=True)  # small, as it is stored
    return Picture(file.getvalue(), " ".join(alt.split()), round(figure.get_figwidth() * POINTS))


def legend_below(figure: Figure) -> None:
    """A legend of all that has a label, under the axes, where it covers nothing that is drawn."""
    labels = [text for axes in figure.axes for text in axes.get_legend_handles_labels()[1]]
    longest = max(map(len, labels), default=0) + 6  # with the line or the marker
    most = min(4, max(1, LEGEND_WIDTH // longest))
    rows = max(1, math.ceil(len(labels) / most))
    figure.legend(
        loc="outside lower center", ncols=max(1, math.ceil(len(labels) / rows)), frameon=False
    )


def listed(parts: Sequence[str]) -> str:
    """``a, b and c``: for alternative text."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
