"""Exercises that are checked at once: `check`, what it stands on, and a module for each lesson."""
