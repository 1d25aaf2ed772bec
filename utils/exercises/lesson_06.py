"""The exercises of lesson 06, each with its loop, the inputs to try and the usual mistakes."""

from __future__ import annotations

from utils.exercises.lesson_06_batches import EXERCISES as _BATCHES
from utils.exercises.lesson_06_strings import EXERCISES as _STRINGS

EXERCISES = dict(sorted((_BATCHES | _STRINGS).items()))
