"""Copy what platforms deliver into the course, and say of each file whether it was taken."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from utils.classroom.course import Course
from utils.classroom.names import composed, folder_name
from utils.classroom.records import CourseError
from utils.classroom.submissions import LARGEST, is_clutter, is_notebook
from utils.classroom.unpacking import Line, Room, unpack

DEEPEST = 3  # archives within archives
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)")
_CANVAS = re.compile(r"(?P<name>[^_\d]+?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<rest>.+)")
_AGAIN = re.compile(r"(?P<name>.+?)(?:-| \(|_v)(?P<number>\d{1,2})\)?")


@dataclass(frozen=True)
class _File:
    path: Path
    shown: str  # its place in what was delivered
    student: str
    ident: str  # the platform's number for the student, or ""
    number: int  # of the resubmission
    name: str  # below the student's folder


def collect(course: Course, assignment: str, downloads: Path) -> list[Line]:
    """Copy submissions into the course; returns a line for each delivered file.

    ``downloads`` is a folder or a zip: with a folder, a zip or a notebook for each student, as
    Moodle, Canvas, JupyterHub and people with a drive full of files name them. Nothing that one
    of these files is stops the others.
    """
    course.check(assignment)
    if not downloads.exists():
        raise CourseError(f"There is no folder or zip {downloads}.")
    lines: list[Line] = []
    roster = {composed(name) for name in course.students()}
    with tempfile.TemporaryDirectory() as unpacked:
        start = downloads
        if downloads.is_file():
            start = Path(unpacked) / "all"
            lines += unpack(downloads, start, downloads.name, Room())
        known = []
        for path, shown in _files(start, Path(unpacked), lines, roster):
            file = _named(path, shown, roster)
            if file.student.startswith(".") or not file.student:
                lines.append(Line(shown, "", False, "its name is no student's"))
            else:
                known.append(file)
        for student in sorted({file.student for file in known}):
            mine = [file for file in known if file.student == student]
            try:
                lines += _take(course, assignment, student, mine)
            except OSError as error:  # whatever it is, the others are taken
                why = f"cannot be taken: {error.strerror}"
                lines += [Line(file.shown, student, False, why) for file in mine]
    return sorted(lines, key=lambda line: (line.student, line.file))


def _files(
    start: Path, unpacked: Path, lines: list[Line], roster: set[str]
) -> Iterator[tuple[Path, str]]:
    """The ordinary files below a folder, and in zips, with the place where each was."""
    room = Room()
    waiting = [(start if _is_one_student(start, roster) else _without_wrapper(start), "", 0)]
    while waiting:
        folder, before, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            lines.append(Line(before or ".", "", False, f"cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            shown = f"{before}{entry.name}"
            kind = entry.stat(follow_symlinks=False).st_mode
            if is_clutter(entry.name):
                lines.append(Line(shown, "", False, "added by a system or an editor"))
            elif stat.S_ISLNK(kind):
                lines.append(Line(shown, "", False, "a link; hand in the file itself"))
            elif stat.S_ISDIR(kind):
                waiting.append((Path(entry.path), f"{shown}/", depth))
            elif not stat.S_ISREG(kind):
                lines.append(Line(shown, "", False, "no ordinary file"))
            elif entry.name.lower().endswith(".zip") and depth == DEEPEST:
                why = f"an archive in more than {DEEPEST - 1} others"
                lines.append(Line(shown, "", False, why))
            elif entry.name.lower().endswith(".zip"):
                target = Path(tempfile.mkdtemp(dir=unpacked))
                # a student's own archive says any time; when it came is the time of the archive
                moment, whose = entry.stat().st_mtime, shown.partition("/")[0]
                lines += unpack(Path(entry.path), target, shown, room, whose, moment)
                within = _without_wrapper(target)
                place = shown if before else f"{shown[:-4]}/"
                waiting.append((within, f"{place[:-4]}/" if before else place, depth + 1))
            else:
                yield Path(entry.path), shown


def _without_wrapper(folder: Path) -> Path:
    """The folder within, where there is only one and it holds more than one student's work."""
    entries = [path for path in folder.iterdir() if not is_clutter(path.name)]
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        inside = [path for path in entries[0].iterdir() if not is_clutter(path.name)]
        if sum(path.is_dir() for path in inside) > 1 or sum(map(is_notebook, inside)) > 1:
            return entries[0]
    return folder


def _is_one_student(folder: Path, roster: set[str]) -> bool:
    """Whether all that a folder holds is a folder of one student, by what it is called."""
    names = [path.name for path in folder.iterdir() if not is_clutter(path.name)]
    return len(names) == 1 and (
        composed(names[0]) in roster or any(form.fullmatch(names[0]) for form in (_MOODLE, _CANVAS))
    )


def _named(path: Path, shown: str, roster: set[str]) -> _File:
    """Whose file it is: the outermost folder says it, or else the file's own name."""
    first, _, rest = shown.partition("/")
    whose = composed(first if rest else re.sub(r"(?i)\.ipynb(\.txt|\.json)?$", "", first))
    ident, number = "", 0
    for form in (_MOODLE, _CANVAS):
        found = form.fullmatch(first)
        if found:
            whose, ident = composed(found["name"]), found["id"]
            rest = rest or found["rest"]
            again = _AGAIN.fullmatch(found["rest"].removesuffix(".ipynb"))
            number = int(again["number"]) if again else 0
            break
    else:
        again = _AGAIN.fullmatch(whose)
        if again and whose not in roster and composed(again["name"]) in roster:
            whose, number = composed(again["name"]), int(again["number"])
    return _File(path, shown, whose, ident, number, rest)


def _take(course: Course, assignment: str, student: str, files: list[_File]) -> list[Line]:
    """Copy a student's files, the newest submission of them, in one step."""
    newest = max(file.number for file in files)
    lines, taken = [], []
    for file in files:
        if file.number != newest:
            why = f"an earlier submission; number {newest} counts"
            lines.append(Line(file.shown, student, False, why))
        elif file.path.stat().st_size > LARGEST:
            lines.append(Line(file.shown, student, False, f"larger than {LARGEST // 2**20} MiB"))
        else:
            taken.append(file)
    if not any(is_notebook(file.path) for file in taken):
        why = "no notebook; taken, so that somebody looks at it"
        if not any(file.name for file in taken):  # a lone file that names no student
            return lines + [Line(f.shown, "", False, "no notebook") for f in taken]
    else:
        why = ""
    target = course.submitted(assignment, student)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=course.root))
    try:
        for file in taken:
            name = file.name if file.name else f"{assignment}.ipynb"
            place = new.joinpath(*PurePosixPath(name).parts)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file.path, place)
                lines.append(Line(file.shown, student, True, why))
            except OSError as error:
                why_not = f"cannot be read: {error.strerror}"
                lines.append(Line(file.shown, student, False, why_not))
        if any(line.taken for line in lines):
            if target.exists():
                shutil.rmtree(target)
            new.rename(target)
            _remember(course, assignment, student, taken)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return lines


def _remember(course: Course, assignment: str, student: str, taken: list[_File]) -> None:
    """When it was handed in, and how the platform calls the student."""
    moment = max(file.path.stat().st_mtime for file in taken)
    handed = course.state.entries("handed in")
    handed.setdefault(assignment, {})[student] = datetime.fromtimestamp(moment).isoformat()
    people = course.state.entries("people")
    ident = next((file.ident for file in taken if file.ident), "")
    if ident:
        people[student] = {"id": ident, "folder": folder_name(student)}
    course.state.update(**{"handed in": handed, "people": people})
