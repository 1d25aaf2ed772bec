"""The exercises of lesson 04, each with its loop, the inputs to try and the usual mistakes."""

from __future__ import annotations

from utils.exercises.lesson_04_epochs import EXERCISES as _EPOCHS
from utils.exercises.lesson_04_samples import EXERCISES as _SAMPLES

EXERCISES = dict(sorted((_SAMPLES | _EPOCHS).items()))
