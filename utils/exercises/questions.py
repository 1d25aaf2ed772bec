"""A question with a few choices, checked the moment one is opened, with a kernel or without."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utils.exercises.notes import note


@dataclass(frozen=True, repr=False)
class Quiz:
    """What `quiz` shows. Show it by making it the last line of a cell."""

    question: str
    options: tuple[str, ...]
    right: int  # the place of the right option
    remarks: tuple[str, ...]  # what is said about each option once it is opened

    def __repr__(self) -> str:
        letters = (chr(ord("a") + place) for place in range(len(self.options)))
        lines = [f"  {letter}) {text}" for letter, text in zip(letters, self.options, strict=True)]
        return "\n".join([f"Your turn: {self.question}", *lines])

    def _repr_html_(self) -> str:
        choices = []
        for place, (text, remark) in enumerate(zip(self.options, self.remarks, strict=True)):
            status = "right" if place == self.right else "wrong"
            said = f"{'✓ Right.' if status == 'right' else '✗ Not this one.'} {remark}".strip()
            choices.append(
                f'<details style="margin:4px 0"><summary style="cursor:pointer">{_inline(text)}'
                f"</summary>{note(_inline(said), status)}</details>"
            )
        asked = f"<p><strong>Your turn:</strong> {_inline(self.question)}</p>"
        return f"<div>{asked}{''.join(choices)}</div>"


def multiple_choice(
    question: str,
    options: Sequence[object] | Mapping[object, str],
    answer: object,
    why: str,
) -> Quiz:
    """Ask ``question``; the reader opens one of the ``options`` and is told at once.

    ``answer`` is the right option. ``why`` is said with it; a dict of options says something
    about each wrong one, too. `Backticks` make code.

    >>> multiple_choice(
    ...     "What is the shape of `torch.stack` of 3 images of 4 × 6 pixels?",
    ...     {"(12, 6)": "That is `torch.cat`.", "(3, 4, 6)": "", "(4, 6, 3)": ""},
    ...     "(3, 4, 6)",
    ...     "`stack` makes a new dimension, and makes it the first.",
    ... )

    Each option is an HTML ``<details>``: it opens by mouse, by Enter and on a page without a
    kernel. The plain text has question and options alone. Raises `ValueError` unless there are
    two options or more, all different, and the answer is one of them.
    """
    said = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options, "")
    texts = [str(option) for option in said]
    if len(texts) != len(options) or len(set(texts)) < len(texts) or len(texts) < 2:
        raise ValueError(f"options are two or more, all different, but got {list(options)}.")
    if str(answer) not in texts:
        raise ValueError(f"the answer {answer!r} is none of the options {list(options)}.")
    place = texts.index(str(answer))
    remarks = list(said.values())
    remarks[place] = why
    return Quiz(question, tuple(texts), place, tuple(remarks))


def _inline(text: str) -> str:
    """``text`` as HTML, with code where it has backticks."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))
