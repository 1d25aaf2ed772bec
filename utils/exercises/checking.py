"""Answers to exercises, checked at once.

The readable loop is the oracle: an answer is right if it returns what the loop returns, on a
handful of inputs that people forget (a batch of one, an empty one, another dtype …), without
looping itself. `check` tells the first thing that is wrong, and never the answer.
"""

from __future__ import annotations

import html
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from utils.devices import tensors_in
from utils.exercises.exercise import Exercise
from utils.exercises.hints import name_mistake, same, shape_hint
from utils.exercises.inputs import copy_of
from utils.exercises.notes import note
from utils.measuring.agreement import ResultMismatchError, check_agreement, kind
from utils.measuring.counting import count_calls

_TORCHS_OWN = re.compile("implemented for|Could not run|not yet supported|is not supported")


# what is done with an answer that is not a function of the inputs, such as a class


@dataclass(frozen=True)
class Verdict:
    """What `check` found: ``status`` is "right", "wrong" or "not attempted"."""

    exercise: str
    status: str
    message: str

    def __repr__(self) -> str:
        sign = {"right": "✓ ", "wrong": "✗ "}.get(self.status, "")
        return f"Exercise {self.exercise}: {sign}{self.message}"

    def _repr_html_(self) -> str:
        return note(html.escape(repr(self)), self.status)


class _NotAttempted(Exception):
    """The answer is still the stub."""


class _Wrong(Exception):
    """The first thing that is wrong with an answer."""


def examine(wanted: Exercise, answer: Callable, exercise: str) -> Verdict:
    """Check ``answer`` against an `Exercise` of your own, called ``exercise`` in the `Verdict`.

    Raises `TypeError` for an answer that is no function.
    """
    if not callable(answer):
        raise TypeError(
            f"Exercise {exercise} wants your function itself, but got {kind(answer)}. "
            "Give its name without brackets."
        )
    counts: list[int] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty batch makes std() warn, rightly answered too
            for label, inputs in wanted.cases.items():
                _check_case(wanted, answer, label, inputs)
            for what, sizes in wanted.growing.items():
                counts.append(_check_growth(partial(wanted.use, answer), what, *sizes))
    except _NotAttempted:
        return Verdict(exercise, "not attempted", "not attempted yet.")
    except _Wrong as wrong:
        return Verdict(exercise, "wrong", str(wrong))
    told = f"right on {len(wanted.cases)} different inputs"
    if counts:
        calls = f"{counts[0]} PyTorch call{'s' * (counts[0] != 1)}"
        told += f", with {calls} however many {next(iter(wanted.growing))} there are"
    return Verdict(exercise, "right", f"{told}.")


def _check_case(wanted: Exercise, answer: Callable, label: str, inputs: tuple) -> None:
    given = copy_of(inputs)
    try:
        got = wanted.use(answer, *given)
    except Exception as error:
        # PyTorch raises NotImplementedError too, such as "mse_cpu" not implemented for 'Byte'
        if type(error) is NotImplementedError and not _is_torchs_own(error):
            raise _NotAttempted from None
        first = next(iter(str(error).splitlines()), "")
        raise _Wrong(f"with {label} it stops with {type(error).__name__}: {first}") from error
    before_and_after = list(tensors_in(inputs)), list(tensors_in(given))
    if len(before_and_after[0]) != len(before_and_after[1]):
        raise _Wrong(f"with {label} it changes the list that it was given; make a new one.")
    for before, after in zip(*before_and_after, strict=True):
        if before.shape != after.shape or not same(before, after, rtol=0, atol=0):
            raise _Wrong(f"with {label} it changes its input in place; work on a new tensor.")
    expected = wanted.use(wanted.loop, *copy_of(inputs))
    _check_form(got, expected, label)
    try:
        check_agreement(expected, got)
    except ResultMismatchError:
        raise _Wrong(f"with {label} {name_mistake(wanted, inputs, got, expected)}") from None


def _is_torchs_own(error: NotImplementedError) -> bool:
    """Whether PyTorch raised it, as `Dataset` does where `__getitem__` is missing."""
    *_, innermost = traceback.extract_tb(error.__traceback__)
    own = Path(torch.__file__).parent in Path(innermost.filename).parents
    return own or bool(_TORCHS_OWN.search(str(error)))


def _check_form(got: object, expected: object, label: str, part: str = "it returns") -> None:
    """Raise `_Wrong` unless ``got`` has the structure, shapes, dtypes and devices of the other."""
    if got is None:
        raise _Wrong(f"with {label} {part} None. Is there a return at the end?")
    if isinstance(expected, dict):
        if not isinstance(got, dict) or got.keys() != expected.keys():
            names = list(got) if isinstance(got, dict) else kind(got)
            raise _Wrong(f"with {label} {part} {names}; expected is a dict of {list(expected)}.")
        for name in expected:
            _check_form(got[name], expected[name], label, f"{part} for {name!r}")
    elif isinstance(expected, list | tuple):
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            form = f"{type(expected).__name__} of {len(expected)}"
            raise _Wrong(f"with {label} {part} {kind(got)}; expected is a {form}.")
        for index, pair in enumerate(zip(got, expected, strict=True)):
            _check_form(*pair, label, f"{part} at index {index}")
    else:
        _check_tensor(got, expected, label, part)


def _check_tensor(got: object, expected: torch.Tensor, label: str, part: str) -> None:
    if not isinstance(got, torch.Tensor):
        raise _Wrong(f"with {label} {part} {kind(got)}; expected is one tensor.")
    if got.is_nested or got.layout != expected.layout:
        form = "nested" if got.is_nested else str(got.layout)
        raise _Wrong(f"with {label} {part} a {form} tensor; expected is an ordinary one.")
    if got.shape != expected.shape:
        shapes = f"shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
        raise _Wrong(f"with {label} {part} {shapes}: {shape_hint(got.shape, expected.shape)}")
    for name in ("dtype", "device"):
        mine, theirs = getattr(got, name), getattr(expected, name)
        if mine != theirs:
            raise _Wrong(f"with {label} {part} {name} {mine}, expected {theirs}.")


def _check_growth(answer: Callable, what: str, few: tuple, many: tuple) -> int:
    """How many PyTorch calls it takes; they may not grow with the number of samples."""
    calls = [count_calls(answer, *copy_of(inputs)) for inputs in (few, many)]
    more = calls[1] - calls[0]
    if more:
        name, extra = more.most_common(1)[0]
        raise _Wrong(
            f"the result is right, but it still loops over the {what}: more of them take more "
            f"PyTorch calls ({calls[0].total()}, then {calls[1].total()}), and {extra} of those "
            f"added go to {name}."
        )
    for name in ("Tensor.numpy", "Tensor.__array__", "Tensor.tolist", "Tensor.item"):
        if calls[1][name]:
            raise _Wrong(f"the result is right, but {name} leaves PyTorch; stay with tensors.")
    return calls[1].total()
