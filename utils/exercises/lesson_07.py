"""The exercises of lesson 07, each with its loop, the inputs to try and the usual mistakes."""

from __future__ import annotations

from utils.exercises.lesson_07_order import EXERCISES as _ORDER
from utils.exercises.lesson_07_values import EXERCISES as _VALUES

EXERCISES = dict(sorted((_VALUES | _ORDER).items()))
