"""Answers to exercises, checked at once.

The readable loop is the oracle: an answer is right if it returns what the loop returns, on a
handful of inputs that people forget (a batch of one, an empty one, another dtype …), without
looping itself. `examine` tells the first thing that is wrong, and never the answer.
"""

from __future__ import annotations

import itertools
import re
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from utils.devices import tensors_in
from utils.exercises.exercise import Exercise
from utils.exercises.growth import Allowance, check_growth
from utils.exercises.hints import name_mistake, same
from utils.exercises.inputs import copy_of
from utils.exercises.returned import check_form
from utils.exercises.verdict import NotAttemptedError, Verdict, WrongError
from utils.measuring.agreement import ResultMismatchError, check_agreement, kind

T = TypeVar("T")
_TORCHS_OWN = re.compile("implemented for|Could not run|not yet supported|is not supported")


def examine(wanted: Exercise, answer: Callable, exercise: str) -> Verdict:
    """Check ``answer`` against an `Exercise` of your own, called ``exercise`` in the `Verdict`.

    An ordinary input comes first, then more and more samples, which a loop gives away, and then
    the special inputs. Raises `TypeError` for an answer that is no function.
    """
    if not callable(answer):
        raise TypeError(
            f"Exercise {exercise} wants your function itself, but got {kind(answer)}. "
            "Give its name without brackets."
        )
    (ordinary, inputs), *special = wanted.cases.items()
    passed: list[tuple] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty batch makes std() warn, rightly answered too
            _check_case(wanted, answer, ordinary, inputs, passed)
            calls = [_check_more(wanted, answer, what, passed) for what in wanted.growing]
            for label, inputs in special:
                _check_case(wanted, answer, label, inputs, passed)
    except NotAttemptedError:
        return Verdict(exercise, "not attempted", "not attempted yet.")
    except WrongError as wrong:
        return Verdict(exercise, "wrong", str(wrong))
    told = f"right on {len(wanted.cases)} different inputs"
    if calls:
        counted = f"{calls[0]} PyTorch call{'s' * (calls[0] != 1)}"
        told += f", with {counted} however many {next(iter(wanted.growing))} there are"
    return Verdict(exercise, "right", f"{told}.")


def _check_case(
    wanted: Exercise, answer: Callable, label: str, inputs: tuple, passed: list[tuple]
) -> None:
    """Raise `WrongError` unless the answer is right for these inputs, which are then ``passed``."""
    given = copy_of(inputs)
    got = _run(partial(wanted.use, answer, *given), label)
    before_and_after = list(tensors_in(inputs)), list(tensors_in(given))
    if len(before_and_after[0]) != len(before_and_after[1]):
        raise WrongError(f"with {label} it changes the list that it was given; make a new one.")
    for before, after in zip(*before_and_after, strict=True):
        if before.shape != after.shape or not same(before, after, rtol=0, atol=0):
            raise WrongError(f"with {label} it changes its input in place; work on a new tensor.")
    expected = wanted.use(wanted.loop, *copy_of(inputs))
    check_form(got, expected, label)
    try:
        check_agreement(expected, got)
    except ResultMismatchError:
        mistake = name_mistake(wanted, inputs, got, expected, passed)
        raise WrongError(f"with {label} {mistake}") from None
    passed.append(inputs)


def _check_more(wanted: Exercise, answer: Callable, what: str, passed: list[tuple]) -> int:
    """More and more of ``what``: the right result, and no more work; returns the PyTorch calls."""
    used = partial(wanted.use, answer)
    sizes = wanted.growing[what]
    may_iterate = what in wanted.may_iterate or _is_listed(sizes[0], sizes[1])
    allowed = Allowance(what, may_iterate, wanted.may_leave)
    _check_case(wanted, answer, f"few {what}", sizes[0], passed)
    calls = 0
    for few, many in itertools.pairwise(sizes):
        _check_case(wanted, answer, f"many {what}", many, passed)
        calls = _run(partial(check_growth, used, few, many, allowed), f"many {what}")
    return calls


def _is_listed(few: tuple, many: tuple) -> bool:
    """Whether it is a list that grows, through which Python has to go in any case."""
    return any(
        isinstance(one, list | tuple) and len(one) != len(other)
        for one, other in zip(few, many, strict=True)
    )


def _run(function: Callable[[], T], label: str) -> T:
    """``function()``; `NotAttemptedError` if it is a stub, `WrongError` if it raises otherwise."""
    try:
        return function()
    except (NotAttemptedError, WrongError):
        raise
    except (Exception, SystemExit) as error:
        # PyTorch raises NotImplementedError too, such as "mse_cpu" not implemented for 'Byte'
        if type(error) is NotImplementedError and not _is_torchs_own(error):
            raise NotAttemptedError from None
        first = next(iter(str(error).splitlines()), "")
        raise WrongError(f"with {label} it stops with {type(error).__name__}: {first}") from error


def _is_torchs_own(error: NotImplementedError) -> bool:
    """Whether PyTorch raised it, as `Dataset` does where `__getitem__` is missing."""
    *_, innermost = traceback.extract_tb(error.__traceback__)
    own = Path(torch.__file__).parent in Path(innermost.filename).parents
    return own or bool(_TORCHS_OWN.search(str(error)))
