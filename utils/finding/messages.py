r"""Error messages: found in what a cell printed or a person pasted, and compared.

The convention of the recipes: a message is printed as ``<ErrorClass>: <message>`` at the beginning
of a line. What differs from person to person (sizes, indices, names in quotes, addresses) is
neutral in a message that is compared.
"""

from __future__ import annotations

import re

CLASS = r"_?[A-Z]\w*(?:Error|Warning|Exception|Interrupt|Iteration|Empty|Full|Expired|Exit)"
MESSAGE = re.compile(rf"^\s*(?:[a-z_]\w*\.)*({CLASS}): +(\S.*)$", flags=re.MULTILINE)
BARE = re.compile(rf"^\s*(?:[a-z_]\w*\.)*({CLASS}):?\s*$", flags=re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TRACEBACK = re.compile(r"^\s*Traceback \(most recent call last\)|^\s*File \".+\", line \d+", re.M)


def messages_in(text: str) -> list[str]:
    """The messages that stand in ``text``, each as ``<ErrorClass>: <message>``, in order."""
    found = MESSAGE.findall(COLOUR.sub("", text))
    return list(dict.fromkeys(f"{kind}: {said.strip()}" for kind, said in found))


def error_class(message: str) -> str:
    """The class that a message begins with; empty if it begins with none."""
    found = MESSAGE.match(message)
    return found[1] if found else ""


def asked(pasted: str) -> str:
    """What a pasted text asks for: of a traceback the messages at its end, else all of it."""
    text = COLOUR.sub("", pasted)
    if not TRACEBACK.search(text):
        return text
    ends = list(MESSAGE.finditer(text)) or list(BARE.finditer(text))
    if ends:
        return "\n".join(dict.fromkeys(end[0].strip() for end in ends[-2:]))
    return text.strip().splitlines()[-1]


def neutral(message: str) -> str:
    """A message without what differs from person to person, in lower case.

    Numbers, shapes and addresses become ``#``; quotes and brackets go, what they hold stays.
    """
    text = re.sub(r"\b0x[0-9a-fA-F]+\b", "#", message)
    text = re.sub(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", "#", text)
    text = re.sub(r"[\"'`‘’“”\[\](){}<>]", " ", text)
    text = re.sub(r"#(?:\s*[,x×;]?\s*#)+", "#", text)
    return " ".join(text.lower().split())
