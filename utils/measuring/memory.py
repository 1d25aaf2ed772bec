"""How much memory the tensors of a function take, counted and not sampled.

PyTorch keeps such a count for accelerators. On the CPU, and for tensors on the ``meta`` device,
which have a shape and no data, this module keeps it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator

import torch
from torch.utils._python_dispatch import TorchDispatchMode, is_traceable_wrapper_subclass

from utils.tensors import tensors_in

_PARTS = {  # what a tensor of this layout keeps its data in
    torch.sparse_coo: ("_indices", "_values"),
    torch.sparse_csr: ("crow_indices", "col_indices", "values"),
    torch.sparse_bsr: ("crow_indices", "col_indices", "values"),
    torch.sparse_csc: ("ccol_indices", "row_indices", "values"),
    torch.sparse_bsc: ("ccol_indices", "row_indices", "values"),
}


def peak_bytes(function: Callable, *inputs: object) -> int:
    """The most bytes that the tensors made by ``function(*inputs)`` hold at any one time.

    The function is run once, in this thread. What existed before (inputs, weights) is not counted,
    nor what an operation needs for itself while it runs, nor what other threads make. Sparse,
    nested and quantised tensors count as what they keep: indices, offsets, values. With inputs on
    the ``meta`` device nothing is computed and nothing allocated: that gives the size of a job too
    large to try.

    >>> peak_bytes(lambda x: (x + 1).sum(), torch.zeros(1000))  # x + 1 and its sum, float32
    4004

    Raises `TypeError` for a tensor that does not say where its data are (such as a layout of
    oneDNN), if the function returns an iterator, and whatever the function raises.
    """
    with _Counting() as counting:
        result = function(*inputs)
    if isinstance(result, Iterator):
        raise TypeError(
            f"The function returned a {type(result).__name__}: its work has not begun, so there is "
            "nothing to count. Return a list or a tensor instead."
        )
    del result
    return counting.peak


class _Counting(TorchDispatchMode):
    """Adds up the bytes of all tensor storages that are born or grow inside and still live."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.sizes: dict[int, int] = {}  # of every storage that lives, by its id
        self.counted: dict[int, int] = {}  # what of it is in `now`

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        for storage in _storages((args, kwargs)):  # what is not known yet was born outside
            self._see(storage, size_outside=storage.nbytes())
        result = func(*args, **(kwargs or {}))
        for storage in _storages((result, args, kwargs)):  # an argument may have grown: out=
            self._see(storage, size_outside=0)
        self.peak = max(self.peak, self.now)
        return result

    def _see(self, storage: torch.UntypedStorage, size_outside: int) -> None:
        key = id(storage)
        if key not in self.sizes:
            self.sizes[key], self.counted[key] = size_outside, 0
            weakref.finalize(storage, self._forget, key)
        grown = storage.nbytes() - self.sizes[key]
        self.sizes[key] += grown
        self.counted[key] += grown
        self.now += grown

    def _forget(self, key: int) -> None:
        del self.sizes[key]
        self.now -= self.counted.pop(key)


def _storages(value: object) -> Iterator[torch.UntypedStorage]:
    for tensor in tensors_in(value):
        if is_traceable_wrapper_subclass(tensor):
            names, _ = tensor.__tensor_flatten__()
            yield from _storages([getattr(tensor, name) for name in names])
        elif tensor.layout in _PARTS:
            yield from _storages([getattr(tensor, part)() for part in _PARTS[tensor.layout]])
        else:
            try:
                yield tensor.untyped_storage()
            except NotImplementedError:
                raise TypeError(
                    f"peak_bytes cannot tell what a tensor of layout {tensor.layout} holds. "
                    "Count a function whose tensors are dense, sparse or nested."
                ) from None
