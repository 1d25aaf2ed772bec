"""What a submission uses in all, with every process that it started: looked at from outside.

Limits of the system hold for one process or one file; many of them add up to more than a machine
has. Who exceeds a limit in all is found here. Linux only: elsewhere nothing is found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

MOST_FILES = 20_000  # in the folder of a submission; to look at more would take too long
SOCKET = 2**18  # bytes that the system may keep for one


def exceeds_memory(process: int, most: int, shared_before: int) -> bool:
    """Whether a process and all that it started hold more than ``most`` bytes of memory.

    What they share counts once. Files without a name stand in memory, or on a disk where nobody
    sees them, and count for whoever holds them open. Shared memory needs no process that holds
    it: what the whole system has more of it than ``shared_before`` counts as well.
    """
    found = _processes(process)
    nameless = dict(file for one in found for file in _nameless(one))
    other = max(sum(nameless.values()), shared_memory() - shared_before)
    if sum(map(_resident, found)) + other <= most:  # quick, and what is shared counts often
        return False
    return sum(map(_proportional, found)) + other > most


def shared_memory() -> int:
    """Bytes of shared memory of the whole system: files in memory, with a name or without."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Shmem:"))


def exceeds_disk(folder: Path, most: int) -> bool:
    """Whether the files below a folder take more than ``most`` bytes, or are too many to count."""
    size = number = 0
    for above, folders, files in os.walk(folder):
        number += len(folders) + len(files)
        size += sum(_blocks(os.path.join(above, name)) for name in files)
        if size > most or number > MOST_FILES:
            return True
    return False


def _processes(process: int) -> list[Path]:
    """The folders of a process and its descendants in `/proc`.

    Where `/proc` shows other processes than this one, it shows those of the sandbox alone.
    """
    if Path("/proc/self/stat").exists():
        try:
            below = psutil.Process(process).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [Path(f"/proc/{number}") for number in (process, *(one.pid for one in below))]
    return [Path(entry) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _resident(process: Path) -> int:
    try:
        return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):  # it has ended meanwhile
        return 0


def _proportional(process: Path) -> int:
    """Its part of the memory, but for files in memory: a page that four share is a quarter."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    parts = "Pss_Anon:", "Pss_File:"
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(parts))


def _nameless(process: Path) -> Iterator[tuple[int, int]]:
    """Number and bytes of each open file that has no name, or none any more, and each socket."""
    try:
        numbers = os.listdir(process / "fd")
    except OSError:
        return
    for number in numbers:
        try:
            file = process / "fd" / number
            name = os.readlink(file)
            if name.startswith("socket:"):  # what was sent and not yet received is the system's
                yield os.stat(file).st_ino, SOCKET
            elif name.startswith("/memfd:") or name.endswith(" (deleted)"):
                yield os.stat(file).st_ino, os.stat(file).st_blocks * 512
        except OSError:  # it was closed meanwhile
            continue


def _blocks(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0
