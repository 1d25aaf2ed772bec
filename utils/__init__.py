"""What the lessons share: ``from utils import check, compare, explore, …``.

A name is imported when it is first asked for. So what needs no notebook imports none of Jupyter,
and a lesson waits only for what it uses.
"""

from __future__ import annotations

import importlib

_PLACES = {
    "utils.data": ["digits", "paragraphs"],
    "utils.devices": ["available_devices", "default_device", "describe"],
    "utils.display.errors": ["show_error"],
    "utils.display.prediction": ["predict"],
    "utils.display.units": ["format_bytes", "format_ratio", "format_seconds"],
    "utils.exercises.answers": ["check"],
    "utils.exercises.quizzes": ["quiz"],
    "utils.explorer.history": ["draw_histories"],
    "utils.explorer.panel": ["explore"],
    "utils.finding.field": ["search_field"],
    "utils.finding.listing": ["choice_table", "question_table", "symptom_table"],
    "utils.finding.ranking": ["Finder"],
    "utils.finding.reading": ["read_recipes"],
    "utils.loading": ["ChunkedRows", "TensorBatchSampler", "chunks"],
    "utils.measuring.agreement": ["check_agreement"],
    "utils.measuring.counting": ["count_calls"],
    "utils.measuring.memory": ["peak_bytes"],
    "utils.measuring.roofline": ["copy_bandwidth", "matmul_rate"],
    "utils.timing": ["compare", "measure", "sweep"],
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}
_MODULES = {"diagrams": "utils.display.diagrams", "plots": "utils.display.plots"}

__all__ = [*_PLACE_OF, *_MODULES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        value: object = importlib.import_module(_MODULES[name])
    elif name in _PLACE_OF:
        value = getattr(importlib.import_module(_PLACE_OF[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
