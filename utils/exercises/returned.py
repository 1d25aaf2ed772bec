"""Has a result the form of the loop's: the structure, shapes, dtypes and devices?"""

from __future__ import annotations

import torch

from utils.exercises.hints import shape_hint
from utils.exercises.verdict import WrongError
from utils.measuring.agreement import kind


def check_form(got: object, expected: object, label: str, part: str = "it returns") -> None:
    """Raise `WrongError` unless ``got`` has the form of ``expected``.

    ``label`` says which inputs it was given, ``part`` which part of the result this is.
    """
    if got is None:
        raise WrongError(f"with {label} {part} None. Is there a return at the end?")
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            names = list(got) if isinstance(got, dict) else kind(got)
            raise WrongError(
                f"with {label} {part} {names}; expected is a dict of {list(expected)}."
            )
        for name in expected:
            check_form(got[name], expected[name], label, f"{part} for {name!r}")
    elif isinstance(expected, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            form = f"{type(expected).__name__} of {len(expected)}"
            raise WrongError(f"with {label} {part} {kind(got)}; expected is a {form}.")
        for index, pair in enumerate(zip(got, expected, strict=True)):
            check_form(*pair, label, f"{part} at index {index}")
    else:
        _check_tensor(got, expected, label, part)


def _check_tensor(got: object, expected: object, label: str, part: str) -> None:
    assert isinstance(expected, torch.Tensor)
    if not isinstance(got, torch.Tensor):
        raise WrongError(f"with {label} {part} {kind(got)}; expected is one tensor.")
    if got.is_nested or got.layout != expected.layout:
        form = "nested" if got.is_nested else str(got.layout)
        raise WrongError(f"with {label} {part} a {form} tensor; expected is an ordinary one.")
    if got.shape != expected.shape:
        shapes = f"shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
        raise WrongError(f"with {label} {part} {shapes}: {shape_hint(got.shape, expected.shape)}")
    for name in ("dtype", "device"):
        mine, theirs = getattr(got, name), getattr(expected, name)
        if mine != theirs:
            raise WrongError(f"with {label} {part} {name} {mine}, expected {theirs}.")
