"""Unpack archives that anybody may have made, and say of each file whether that worked."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from utils.classroom.submissions import LARGEST

MOST_UNPACKED = 2**28  # bytes, of all archives of a student together
LEAST_COUNTED = 2**16  # bytes: as many as this counts even an empty file


@dataclass(frozen=True)
class Line:
    """What became of one delivered file."""

    file: str
    student: str
    taken: bool
    why: str = ""


class Room:
    """How many bytes may still be unpacked for whom."""

    def __init__(self) -> None:
        self._left: defaultdict[str, int] = defaultdict(lambda: MOST_UNPACKED)

    def take(self, whose: str, size: int) -> bool:
        """Take so many bytes; False where there are not so many left."""
        size = max(size, LEAST_COUNTED)
        if size > self._left[whose]:
            return False
        self._left[whose] -= size
        return True


def unpack(
    archive: Path,
    target: Path,
    shown: str,
    room: Room,
    whose: str | None = None,
    moment: float | None = None,
) -> list[Line]:
    """Unpack the ordinary files of a zip, without trusting its names, links, sizes or contents.

    ``whose`` is the student whose ``room`` it takes; without one, each file is another's. The
    files get the time that the archive says, or the ``moment``.
    """
    lines = []
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                parts = PurePosixPath(info.filename.replace("\\", "/")).parts
                kept = [part for part in parts if part not in ("", "/", "..", ".")]
                if info.is_dir() or not kept:
                    continue
                place = f"{shown}/{info.filename}"
                if stat.S_ISLNK(info.external_attr >> 16):
                    lines.append(Line(place, "", False, "a link; hand in the file itself"))
                elif info.file_size > LARGEST:
                    lines.append(Line(place, "", False, "too large"))
                elif not room.take(whose or "/".join(kept), info.file_size):
                    lines.append(Line(place, "", False, "too many or too large files in all"))
                    if moment is not None:  # all that follows is the same student's
                        break
                else:
                    try:
                        _extract(zipped, info, target.joinpath(*kept), moment)
                    except Exception as error:  # whatever it is, the others are unpacked
                        lines.append(Line(place, "", False, f"cannot be unpacked: {error}"))
    except Exception as error:  # a damaged archive raises much more than BadZipFile
        lines.append(Line(shown, "", False, f"cannot be unpacked: {error}"))
    return lines


def _extract(
    zipped: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, moment: float | None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipped.open(info) as source, path.open("wb") as file:
            shutil.copyfileobj(source, file)
    except Exception:
        path.unlink(missing_ok=True)  # half of a notebook is none
        raise
    if moment is None:
        moment = time.mktime((*info.date_time, 0, 0, -1))
    os.utime(path, (moment, moment))
