"""Names of students: as platforms write them, and as nbgrader takes them."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_TAKEN = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.@ -]*", flags=re.ASCII)


def composed(name: str) -> str:
    """The one form of a name: accents composed, no mark at its beginning, no space around it."""
    return unicodedata.normalize("NFC", printable(name)).replace("\ufeff", "").strip()


def printable(text: str) -> str:
    """The text, in which halves of characters, as names of files can hold, are spelled out.

    They can stand in a string, and neither in a file nor on a terminal.
    """
    return text.encode("utf-8", "backslashreplace").decode()


def folder_name(student: str) -> str:
    """A name for nbgrader's folders and its database: the student's, where it takes that.

    Otherwise its plain letters and a few digits that follow from it, so that two students never
    share a folder, whatever script their names are written in.
    """
    name = composed(student)
    if _TAKEN.fullmatch(name) and not name.endswith((".", " ")):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:40]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain or 'student'}-{digest}"
