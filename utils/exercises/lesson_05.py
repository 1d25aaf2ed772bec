"""The exercises of lesson 05, each with its loop, the inputs to try and the usual mistakes."""

from __future__ import annotations

from utils.exercises.lesson_05_joined import EXERCISES as _JOINED
from utils.exercises.lesson_05_padded import EXERCISES as _PADDED

EXERCISES = dict(sorted((_PADDED | _JOINED).items()))
