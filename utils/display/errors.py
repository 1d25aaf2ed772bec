"""An error as a line of output, so that a lesson can show one and go on."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import torch

from utils.measuring.agreement import kind

WIDTH = 96  # columns that a notebook shows without a scroll bar
SMALL = 16  # elements of a tensor that is printed whole


def show_error(function: Callable, *inputs: object, **settings: object) -> None:
    """Call ``function(*inputs, **settings)`` and print the first line of what it raises.

    Where it raises nothing, "no error" is printed, with what it returned: that is news, too.
    """
    try:
        result = function(*inputs, **settings)
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), "").strip()
        print(textwrap.fill(f"{type(error).__name__}: {first}", WIDTH))
    else:
        large = isinstance(result, torch.Tensor) and result.numel() > SMALL
        print("no error:", kind(result) if large else result)
