"""Lesson 06, strings as two tensors: exercise 06.2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from utils.exercises.exercise import Exercise, grown


def _pack_loop(texts: list[str]) -> tuple[Tensor, Tensor]:
    buffer, offsets = torch.empty(0, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64)
    for text in texts:
        new = torch.tensor(list(text.encode()), dtype=torch.uint8)
        buffer = torch.cat([buffer, new])
        offsets = torch.cat([offsets, torch.tensor([len(buffer)])])
    return buffer, offsets


def _with_offsets(change: Callable) -> Callable:
    """The right buffer, with ``change(offsets)`` beside it."""

    def pack(texts: list[str]) -> tuple[Tensor, Tensor]:
        buffer, offsets = _pack_loop(texts)
        return buffer, change(offsets)

    return pack


def _in_characters(texts: list[str]) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([0, *map(len, texts)])
    return _pack_loop(texts)[0], lengths.cumsum(0)


def _names(count: int) -> list[str]:
    return [f"class-{index % 3}/photograph-{index}.png" for index in range(count)]


EXERCISES = {
    "06.2": Exercise(
        loop=_pack_loop,
        cases={
            "three names": (["seven", "three", "eight!"],),
            "file names": (_names(12),),
            "a list of one": (["seven"],),
            "an empty string between others": (["a", "", "bc"],),
            "an empty string at the end": (["ab", "c", ""],),
            "letters that take several bytes": (["Zürich", "東京", "naïve"],),
            "names with zero bytes": (["a\0b", "\0", "c"],),
            "names that end in spaces": (["a  ", " b", "c "],),
            "nothing but an empty string": ([""],),
        },
        growing={"strings": grown(lambda n: (_names(n),))},
        mistakes={
            "the offsets count characters; a letter such as ü takes several bytes": _in_characters,
            "these are the lengths; an offset is the sum of all the lengths before it": (
                _with_offsets(lambda offsets: offsets.diff(prepend=offsets[:1]))
            ),
            "the offsets are one string late: they begin with the first length twice": (
                _with_offsets(lambda offsets: offsets[[1, *range(1, len(offsets))]])
            ),
            "each offset has a separator in it that the buffer has not": _with_offsets(
                lambda offsets: offsets + torch.arange(len(offsets))
            ),
            "the offsets run backwards": _with_offsets(lambda offsets: offsets.flip(0)),
            "the offsets start at 1; the first byte is number 0": _with_offsets(
                lambda offsets: offsets + 1
            ),
            "the strings come in another order: sorted": lambda texts: _pack_loop(sorted(texts)),
            "the strings come in the opposite order": lambda texts: _pack_loop(texts[::-1]),
        },
    ),
}
