"""How a verdict looks: a coloured edge beside it, readable on light and dark pages."""

from __future__ import annotations

_EDGES = {"right": "#2E9E6B", "wrong": "#D14343"}  # 3 : 1 or more against white and near-black


def note(inner: str, status: str) -> str:
    """``inner``, which is HTML already, with an edge for ``status``: "right", "wrong" or other."""
    edge = _EDGES.get(status, "#808080")
    return f'<div style="border-left:4px solid {edge}; padding-left:8px">{inner}</div>'
