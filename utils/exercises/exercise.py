"""What an exercise is: its loop, its inputs, and the mistakes to recognise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exercise:
    """What `utils.exercises` says about one exercise."""

    loop: Callable  # the oracle; its result is a tensor, or a tuple, list or dict of tensors
    cases: Mapping[str, tuple]  # what is special about it -> inputs
    growing: Mapping[str, tuple[tuple, tuple]] = field(default_factory=dict)
    # what there is more of -> (few, many): inputs that must take the same number of calls
    mistakes: Mapping[str, Callable] = field(default_factory=dict)
    # what went wrong -> a function that goes wrong like this, to recognise it by its result
    use: Callable = lambda answer, *inputs: answer(*inputs)
