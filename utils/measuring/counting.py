"""Count the PyTorch calls that a function makes.

A function that handles a batch in one go makes the same calls for 2 samples as for 2,000; a
loop makes more with every sample. Counting is exact, where a stopwatch is not.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from torch.overrides import TorchFunctionMode, resolve_name

# Looks at a tensor that compute nothing, and so do not count.
_LOOKS = {"__get__", "__set__", "__len__", "__format__", "__repr__", "__hash__"}
_LOOKS |= {"size", "dim", "numel", "stride", "is_contiguous", "is_floating_point", "is_complex"}


class _Counting(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.called: list[Callable] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") not in _LOOKS:
            self.called.append(func)
        return func(*args, **(kwargs or {}))


def _name(func: Callable) -> str:
    return (resolve_name(func) or getattr(func, "__name__", "")).removeprefix("torch.")


def count_calls(function: Callable, *inputs: object) -> Counter[str]:
    """Count the PyTorch calls in ``function(*inputs)``, which is run once.

    Returns a `collections.Counter` from the name of each PyTorch function to how often it was
    called; its ``.total()`` is the number of calls. Counted is what the function itself calls:
    not what PyTorch calls inside, and not a look at ``shape``, ``dtype`` and the like.

    >>> rows = torch.ones(3, 4)
    >>> count_calls(lambda rows: [row.sum() for row in rows], rows)
    Counter({'Tensor.sum': 3, 'Tensor.unbind': 1})
    >>> count_calls(lambda rows: rows.sum(dim=1), rows).total()
    1

    Raises `TypeError` if the function returns an iterator, and whatever the function raises.

    Built on `torch.overrides.TorchFunctionMode`:
    https://docs.pytorch.org/docs/stable/torch.overrides.html
    """
    with counted_calls() as calls:
        result = function(*inputs)
    if isinstance(result, Iterator):
        raise TypeError(
            f"The function returned a {type(result).__name__}: its work has not begun, so there is "
            "nothing to count. Return a list or a tensor instead."
        )
    return calls


@contextlib.contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """The PyTorch calls made inside, as `count_calls` counts them; there once it is left."""
    calls: Counter[str] = Counter()
    with _Counting() as counting:
        yield calls
    calls.update(map(_name, counting.called))
