"""Pictures of shapes: cells of tensors, broadcasting, samples on a pile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.patches import Rectangle

from utils.display.canvas import FILLS, INK, arrow, blank, sheet
from utils.display.pictures import GREY, Picture, listed, picture


def cells(
    tensors: Mapping[str, torch.Tensor],
    colour: Callable[[float], int] | None = None,
    title: str = "",
) -> Picture:
    """Draw the elements of small tensors of one to three dimensions, side by side.

    ``colour`` says of each value which of the eight colours its cell has (default: its place in
    the order of all values); the value is written into the cell as well. A tensor of three
    dimensions is drawn as one matrix below the other, each with its first index before it.
    Raises `ValueError` for a tensor of another number of dimensions or more than 200 elements.
    """
    if not tensors:
        raise ValueError("There is nothing to draw: give at least one tensor, with its name.")
    blocks = {name: _matrices(name, tensor) for name, tensor in tensors.items()}
    known = sorted({value for _, parts in blocks.values() for m in parts for value in m.flat})
    pick = colour or known.index
    wide = [max(m.shape[1] for m in parts) + 1 for _, parts in blocks.values()]
    tall = max(sum(m.shape[0] + 0.6 for m in parts) for _, parts in blocks.values())
    wide = [max(w, 0.27 * len(name) + 0.8) for w, name in zip(wide, blocks, strict=True)]
    drawn, axes = blank(sum(wide), tall + 1.6, title, 0.36)
    left, told = 0.0, []
    for (name, (shape, parts)), width in zip(blocks.items(), wide, strict=True):
        axes.text(left + 0.5, tall + 1.0, name, fontsize=10, weight="bold", color=INK)
        axes.text(left + 0.5, tall + 0.35, f"shape {shape}", fontsize=9, color=GREY)
        top = tall
        for index, matrix in enumerate(parts):
            if len(parts) > 1:
                middle = top - matrix.shape[0] / 2
                axes.text(left + 0.4, middle, f"[{index}]", fontsize=8, ha="right", va="center")
            for (row, column), value in np.ndenumerate(matrix):
                corner = (left + 0.5 + column, top - row - 1)
                fill = FILLS[pick(value) % len(FILLS)]
                axes.add_patch(Rectangle(corner, 1, 1, facecolor=fill, edgecolor="white"))
                where = (corner[0] + 0.5, corner[1] + 0.47)
                axes.text(*where, f"{value:g}", ha="center", va="center", fontsize=9, color=INK)
            top -= matrix.shape[0] + 0.6
        told.append(f"{name}, shape {shape}: {_written(tensors[name].tolist())}")
        left += width
    return picture(drawn, f"{title or 'Cells of tensors'}. {'; '.join(told)}.")


def broadcasting(shapes: Mapping[str, Sequence[int]], title: str = "") -> Picture:
    """Draw how the dimensions of shapes line up from the right, and what broadcasting makes of it.

    Dimensions that are stretched (a 1, or none at all) are hatched and say so; where two sizes
    differ and neither is 1, the column is marked as one that does not fit. Raises `ValueError`
    for fewer than two shapes.
    """
    if len(shapes) < 2:
        raise ValueError(f"Broadcasting needs at least two shapes, but got {len(shapes)}.")
    depth = max(map(len, shapes.values()))
    lined = {name: [None] * (depth - len(s)) + list(s) for name, s in shapes.items()}
    columns = [[n for n in column if n is not None] for column in zip(*lined.values(), strict=True)]
    sizes = [_broadcast(column) for column in columns]
    margin = max(2.4, 0.17 * max(map(len, [*shapes, "result"])) + 0.6)
    drawn, axes = blank(margin + 2.4 * depth, len(shapes) + 1.5, title, 0.45)
    rows: dict[str, Sequence[int | None]] = {**lined, "result": sizes}
    for line, (name, row) in enumerate(rows.items()):
        y = len(shapes) - line + (0.1 if name == "result" else 0.5)
        axes.text(margin - 0.3, y + 0.4, name, ha="right", va="center", fontsize=10, color=INK)
        for column, (given, size) in enumerate(zip(row, sizes, strict=True)):
            text, fill, hatch = _dimension(given, size, name == "result")
            corner = (margin + 2.4 * column, y)
            shape = Rectangle(corner, 2.2, 0.8, facecolor=fill, edgecolor="#8A8A8A", hatch=hatch)
            axes.add_patch(shape)
            centre = (corner[0] + 1.1, y + 0.38)
            ground = {"facecolor": fill, "edgecolor": "none", "pad": 1.5}
            axes.text(*centre, text, ha="center", va="center", fontsize=9, color=INK, bbox=ground)
    given_text = listed([f"{name} {tuple(s)}" for name, s in shapes.items()])
    if None in sizes:
        wrong = [str(i - depth) for i, size in enumerate(sizes) if size is None]
        outcome = f"they do not fit in dimension {listed(wrong)}"
    else:
        outcome = f"the result has shape {tuple(sizes)}"
    return picture(
        drawn,
        f"{title or 'Broadcasting'}. Lined up from the right: {given_text}; {outcome}.",
    )


def stacking(shape: Sequence[int], count: int, title: str = "", name: str = "sample") -> Picture:
    """Draw ``count`` samples of one ``shape`` (one or two dimensions), stacked into a batch.

    Each sample keeps its colour and its number in the pile. Raises `ValueError` for other numbers
    of dimensions and for a count below 1.
    """
    if len(shape) not in (1, 2) or count < 1:
        raise ValueError(
            f"Give a shape of one or two dimensions and a count from 1 on, but got {tuple(shape)} "
            f"and {count}."
        )
    shown = min(count, 5)
    width, height = (shape[0], 1) if len(shape) == 1 else (shape[1], shape[0])
    scale = 2.0 / max(width, height, 2)
    w, h = max(0.5, width * scale), max(0.5, height * scale)
    step = w + 0.5
    pile = shown * step + 2.4
    drawn, axes = blank(pile + w + 0.35 * shown + 2.2, h + 0.35 * shown + 1.6, title, 0.38)
    base = 0.9
    for k in range(shown):
        last = k == shown - 1 and count > shown
        text = f"{count - 1}" if last else f"{k}"
        sheet(axes, 0.4 + k * step, base, w, h, k, text)
        if last:
            axes.text(0.4 + k * step - 0.25, base + h / 2, "…", ha="center", va="center")
    axes.text(0.4, base - 0.6, f"{count:,} × {name}, each {tuple(shape)}", fontsize=9, color=INK)
    y = base + h / 2
    arrow(axes, shown * step + 0.4, pile - 0.2, y)
    axes.text(shown * step + 1.2, y + 0.25, "torch.stack", ha="center", fontsize=9, color=INK)
    for k in reversed(range(shown)):
        text = f"{count - 1}" if k == shown - 1 and count > shown else f"{k}"
        sheet(axes, pile + 0.35 * k, base + 0.35 * k, w, h, k, text)
    whole = (count, *shape)
    axes.text(pile, base - 0.6, f"one batch, {whole}", fontsize=9, weight="bold", color=INK)
    return picture(
        drawn,
        f"{title or 'Stacking'}. {count:,} samples of shape {tuple(shape)} lie on one pile: a "
        f"batch of shape {whole}, whose first dimension counts the samples.",
    )


def _written(values: object) -> str:
    """Nested lists of numbers, each as it is written into its cell."""
    if isinstance(values, list):
        return f"[{', '.join(map(_written, values))}]"
    return f"{values:g}"


def _matrices(name: str, tensor: torch.Tensor) -> tuple[tuple[int, ...], list[np.ndarray]]:
    if not 1 <= tensor.ndim <= 3 or not 1 <= tensor.numel() <= 200:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}: give tensors of one to three dimensions "
            "with 1 to 200 elements."
        )
    deep = tensor.detach().cpu().reshape((1,) * (3 - tensor.ndim) + tuple(tensor.shape))
    return tuple(tensor.shape), list(deep.numpy())


def _broadcast(column: Sequence[int]) -> int | None:
    """The size that comes out of one column of dimensions; None where they do not fit."""
    large = {n for n in column if n != 1}
    if len(large) > 1:
        return None
    return large.pop() if large else 1


def _dimension(given: int | None, size: int | None, result: bool) -> tuple[str, str, str]:
    """The writing, the colour and the hatch of one dimension."""
    if size is None:
        return ("does not fit", FILLS[6], "xx") if result else (str(given or "–"), FILLS[6], "")
    if result:
        return str(size), FILLS[2], ""
    if given is None:
        return f"(none) → {size}", "#FFFFFF", "//"
    if given != size:
        return f"1 → {size}", FILLS[1], "//"
    return str(given), FILLS[0], ""
