"""`torch.jit`, which is deprecated and still compiles loops."""

import functools
import warnings

import torch


def _quietly(make):
    @functools.wraps(make)
    def made(*arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return make(*arguments)

    return made


scripted, traced = _quietly(torch.jit.script), _quietly(torch.jit.trace)
