"""The sliders and menus of the panel, from the abbreviations of `ipywidgets.interact`."""

from __future__ import annotations

import math

import ipywidgets as widgets
import torch

DECADES = 2  # a range wider than this steps in powers of two


def control(name: str, given: object) -> widgets.Widget:
    """A labelled control: a slider for a pair, a menu for a list, a checkbox for a bool.

    A pair of whole numbers that lie more than two decades apart becomes a slider in powers of
    two (a number typed into it goes to the nearest). Raises `TypeError` for anything else that
    `ipywidgets.interact` would not take.
    """
    wide = (
        isinstance(given, tuple)
        and len(given) == 2
        and all(type(end) is int for end in given)
        and given[0] > 0
        and given[0] * 10**DECADES <= given[1]
    )
    if wide:
        low, high = map(math.log2, given)
        middle = 2 ** round((low + high) / 2)
        slider = widgets.FloatLogSlider(
            base=2, min=low, max=high, step=1, value=middle, readout_format=".0f"
        )
        return _labelled(name, slider)
    found = widgets.interactive.widget_from_abbrev(given)
    if found is None:
        raise TypeError(
            f"{name}={given!r} is no range: give a pair for a slider, a list for a choice, or a "
            "bool for a checkbox."
        )
    return _labelled(name, found)


def choice(name: str, options: list, value: object = None) -> widgets.Dropdown:
    """A labelled menu of ``options``."""
    return _labelled(name, widgets.Dropdown(options=options, value=value or options[0]))


def value_of(control: widgets.Widget) -> object:
    """What a control says; a whole number where its slider is in powers of two."""
    return round(control.value) if isinstance(control, widgets.FloatLogSlider) else control.value


def set_value(name: str, control: widgets.Widget, value: object) -> None:
    """Move a control; raises `ValueError`, and leaves it, if ``value`` is out of its range."""
    before = control.value
    try:
        control.value = value
    except Exception:  # traitlets.TraitError: not one of the options, or of the wrong type
        control.value = before
    if value_of(control) != value:
        control.value = before
        if hasattr(control, "max"):
            takes = "{:,} to {:,}".format(*range_of(control))
        else:
            takes = ", ".join(map(str, getattr(control, "options", ["True", "False"])))
        raise ValueError(f"{name}={value!r} is out of range: this panel takes {takes}.")


def range_of(control: widgets.Widget) -> tuple[float, float]:
    """The smallest and the largest number that a control can say."""
    if isinstance(control, widgets.FloatLogSlider):
        return round(2**control.min), round(2**control.max)
    if hasattr(control, "options"):
        return min(control.options), max(control.options)
    return control.min, control.max


def thread_counts() -> list[int]:
    """Powers of two up to PyTorch's own number of threads, and that number."""
    own = torch.get_num_threads()
    return sorted({2**k for k in range(own.bit_length())} | {own})


def _labelled(name: str, control: widgets.Widget) -> widgets.Widget:
    control.description, control.style.description_width = name, "90px"
    control.layout.width = "350px"
    return control
