"""Drawings that explain a shape or a flow: each takes plain data and returns a picture.

- ``cells({name: tensor, …}, colour=None)``: the elements of small tensors, side by side
- ``broadcasting({name: shape, …})``: how dimensions line up from the right, and what comes out
- ``stacking(shape, count)``: samples of one shape on a pile, the batch
- ``flow([(name, what it does), …], [what travels, …])``: boxes with arrows between them
- ``timeline({lane: [(start, end, kind), …], …})``: what happens when, in lanes
- ``parts({bar: {part: seconds, …}, …})``: stacked bars whose parts add up
- ``histogram({name: values, …}, xlabel)``: how often which value comes

All take ``title=""``. Each picture has alternative text made from the same data. Colours are told
apart by colour-blind readers, and what a colour says is also written or hatched.
"""

from utils.display.flows import flow, histogram, parts, timeline
from utils.display.shapes import broadcasting, cells, stacking

__all__ = ["broadcasting", "cells", "flow", "histogram", "parts", "stacking", "timeline"]
