"""What each kernel needs, imported once before kernels are forked."""

from __future__ import annotations

import importlib

for _name in (
    *("ipykernel.ipkernel", "ipykernel.kernelapp", "matplotlib.figure", "pandas"),
    *("sklearn.datasets", "torch._dynamo"),
    *("utils.classroom.answering", "utils.exercises.checking", "utils.timing"),
):
    importlib.import_module(_name)
