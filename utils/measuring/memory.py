"""How much memory the tensors of a function take, counted and not sampled.

PyTorch keeps such a count for accelerators. On the CPU, and for tensors on the ``meta`` device,
which have a shape and no data, this module keeps it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from utils.devices import tensors_in


class _Counting(TorchDispatchMode):
    """Adds up the bytes of all tensor storages that are born inside and still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for tensor in tensors_in((args, kwargs)):  # what is not known yet was born outside
            self.known.add(tensor.untyped_storage())
        result = func(*args, **(kwargs or {}))
        for tensor in tensors_in(result):
            storage = tensor.untyped_storage()
            if storage not in self.known:
                self.known.add(storage)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._forget, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def _forget(self, size: int) -> None:
        self.now -= size


def peak_bytes(function: Callable, *inputs: object) -> int:
    """The most bytes that the tensors made by ``function(*inputs)`` hold at any one time.

    The function is run once. What existed before (inputs, weights) is not counted, nor what an
    operation needs for itself while it runs. With inputs on the ``meta`` device nothing is
    computed and nothing allocated: that gives the size of a job too large to try.

    >>> peak_bytes(lambda x: (x + 1).sum(), torch.zeros(1000))  # x + 1 and its sum, float32
    4004
    """
    with _Counting() as counting:
        result = function(*inputs)
    del result
    return counting.peak
