"""Check an answer to one of the exercises of the lessons."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from utils.exercises.checking import Verdict, examine
from utils.exercises.exercise import Exercise


def check(exercise: str, answer: Callable) -> Verdict:
    """Check ``answer``, a function, against the loop of an exercise such as ``"01.2"``.

    Returns a `Verdict`, whose text a notebook shows: not attempted (the function raises
    `NotImplementedError`), right, or the first thing that is wrong. Raises `ValueError` for an
    exercise that does not exist and `TypeError` for an answer that is no function.
    """
    return examine(_find(exercise), answer, exercise)


def _find(exercise: str) -> Exercise:
    lesson = str(exercise).partition(".")[0]
    try:
        known = importlib.import_module(f"utils.exercises.lesson_{lesson}").EXERCISES
        return known[exercise]
    except ModuleNotFoundError:
        raise ValueError(f"There is no lesson {lesson!r} with exercises.") from None
    except KeyError:
        names = ", ".join(known)
        raise ValueError(
            f"There is no exercise {exercise!r}; lesson {lesson} has {names}."
        ) from None
