"""Programs of others as trees."""

from __future__ import annotations

import ast


def tree_of(source: str) -> ast.Module | None:
    """The tree of a program; None for what is none, or is too deep for Python's own parser.

    Besides `SyntaxError`, that raises `ValueError`, `MemoryError` and `RecursionError`.
    """
    try:
        tree = ast.parse(source)
        ast.unparse(tree)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return tree
