"""Numbers as people read them: three figures and a unit."""

from __future__ import annotations

import math


def format_seconds(value: float) -> str:
    """A time with three figures and a readable unit: ``format_seconds(0.0123) == "12.3 ms"``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * size:
            return f"{_figures(value / size)} {unit}"
    return f"{_figures(value / 1e-9)} ns"


def format_ratio(ratio: float) -> str:
    """A ratio with three figures and a sign: ``format_ratio(2.5) == "2.50×"``."""
    return f"{_figures(ratio)}×"


def format_bytes(size: float) -> str:
    """Bytes in a readable unit: ``format_bytes(3 * 2**20) == "3.00 MiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1000 or unit == "GiB":
            return f"{size:.0f} B" if unit == "B" else f"{_figures(size)} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def _figures(value: float) -> str:
    """Three figures: 1.23, 12.3, 123, 1,230."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    value = float(f"{value:.3g}")
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
