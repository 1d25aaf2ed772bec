"""What diagrams are drawn with: colours, hatches, a plain ground, boxes and arrows."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.display.pictures import GREY, figure

# Okabe and Ito's colours, made light enough for black writing on them.
FILLS = ("#9CCBEB", "#F7C07A", "#8FD6BD", "#F2EA9B", "#E3B7D0", "#D9D9D9", "#EDA27A", "#B5C3E8")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "++", "oo")
INK = "#222222"


def blank(width: float, height: float, title: str, inches: float) -> tuple[Figure, Axes]:
    """A figure, and axes without ticks: a unit of theirs is ``inches`` long."""
    drawn = figure(width * inches + 0.1, height * inches + (0.4 if title else 0.1))
    axes = drawn.add_subplot()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    return drawn, axes


def sheet(axes: Axes, x: float, y: float, w: float, h: float, index: int, text: str) -> None:
    """A coloured rectangle with a text in its upper left corner."""
    fill = FILLS[index % len(FILLS)]
    axes.add_patch(Rectangle((x, y), w, h, facecolor=fill, edgecolor=GREY, linewidth=1))
    axes.text(x + 0.12, y + h - 0.1, text, ha="left", va="top", fontsize=9, color=INK)


def arrow(axes: Axes, x: float, to_x: float, y: float) -> None:
    """A level arrow."""
    look = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2}
    axes.annotate("", (to_x, y), (x, y), arrowprops=look)


def look(index: int) -> dict[str, Any]:
    """Colour and hatch of the kind with this index."""
    style = {"facecolor": FILLS[index % len(FILLS)], "hatch": HATCHES[index % len(HATCHES)]}
    return {**style, "edgecolor": GREY, "linewidth": 0.5}
