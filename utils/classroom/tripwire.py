"""What each kernel needs, imported once before kernels are forked; and a look at what is ours."""

from __future__ import annotations

import builtins
import importlib
import types

import ipykernel.ipkernel
import ipykernel.kernelapp  # noqa: F401
import matplotlib.figure  # noqa: F401
import numpy as np
import pandas as pd  # noqa: F401
import sklearn.datasets  # noqa: F401
import torch
import torch._dynamo  # replaces functions of torch itself, when it is first imported

import utils.classroom.answering
import utils.exercises.checking
import utils.measuring.agreement
import utils.measuring.counting
import utils.measuring.memory
import utils.timing

_WATCHED = [
    builtins,
    np,
    np.testing,
    torch,
    torch.Tensor,
    torch.nn.functional,
    torch.testing,
    torch.overrides,
    torch.overrides.TorchFunctionMode,
    importlib.import_module("torch.utils._python_dispatch").TorchDispatchMode,
    utils.measuring.agreement,
    utils.measuring.counting,
    utils.exercises.checking,
    utils.measuring.memory,
]
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, type)
_ORIGINAL = [
    (owner, name, value, getattr(value, "__code__", None))
    for owner in _WATCHED
    for name, value in vars(owner).items()
    if isinstance(value, _FUNCTIONS) and name != "input"  # which a kernel replaces
]


def replaced() -> list[str]:
    """Functions of Python, NumPy, PyTorch and `utils` that are no longer the ones imported here."""
    return [
        f"{owner.__name__}.{name}"
        for owner, name, value, code in _ORIGINAL
        if vars(owner).get(name) is not value or getattr(value, "__code__", None) is not code
    ]
