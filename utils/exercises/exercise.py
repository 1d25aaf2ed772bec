"""What an exercise is: its loop, its inputs, and the mistakes to recognise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

SIZES = 8, 64, 512  # how many there are of what grows; no loop of fixed length fits them all


def use_function(answer: Callable, *inputs: object) -> object:
    """How an answer that is a function of the inputs is used."""
    return answer(*inputs)


def use_apart_from_random_numbers(answer: Callable, *inputs: object) -> dict[str, object]:
    """Use a function that returns batches; part of the result is that others' numbers stay."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        found = answer(*inputs)
        if isinstance(found, list | tuple):
            found = list(found)
        return {"batches": found, "others": torch.default_generator.get_state()}


@dataclass(frozen=True)
class Exercise:
    """What `utils.exercises` says about one exercise."""

    loop: Callable  # the oracle; its result is a tensor, or a tuple, list or dict of tensors
    cases: Mapping[str, tuple]  # what is special about it -> inputs; the first is an ordinary one
    growing: Mapping[str, Sequence[tuple]] = field(default_factory=dict)
    # what there is more of -> inputs that must all take the same number of calls, although each
    # has about eight times as many as the one before
    mistakes: Mapping[str, Callable] = field(default_factory=dict)
    # what went wrong -> a function that goes wrong like this, to recognise it by its result
    use: Callable = use_function
    may_iterate: tuple[str, ...] = ()
    # of `growing`: Python may go through these by itself, as through anything given as a list
    may_leave: bool = False  # whether NumPy and lists may do the work as well as PyTorch


def grown(make: Callable[[int], tuple]) -> list[tuple]:
    """The inputs of ``make(n)`` for few, more and many, as `Exercise.growing` wants them."""
    return [make(size) for size in SIZES]
