"""What Linux's control groups still let a process allocate.

A hub, a batch system or systemd may limit a group far below the top one; each group on the way up
from the process' own counts. Both versions are read: https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

V2 = (("memory.max", "memory.high"), "memory.current", "inactive_file")
V1 = (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")
NO_LIMIT = 2**62  # version 1 says "none" with a number about as large as this


def group_bytes(process: Path = Path("/proc/self")) -> int | None:
    """The fewest bytes that a group of the process still allows; None where there is no limit.

    What a group holds of files that were read and can be dropped again is not counted as used.
    """
    allowed = (left for folder, files in _groups(process) for left in _left(folder, *files))
    return min(allowed, default=None)


def _groups(process: Path) -> Iterator[tuple[Path, tuple]]:
    """Folder and files of each group that the process is in, its own first."""
    try:
        own = [line.split(":", 2) for line in (process / "cgroup").read_text().splitlines()]
        mounts = [line.split(" ") for line in (process / "mountinfo").read_text().splitlines()]
    except OSError:  # not Linux
        return
    paths = {}
    for _, controllers, path in own:
        if not controllers:
            paths["cgroup2"] = path
        elif "memory" in controllers.split(","):
            paths["cgroup"] = path
    for fields in mounts:
        kind = fields[fields.index("-") + 1] if "-" in fields else ""
        if kind not in paths or (kind == "cgroup" and "memory" not in fields[-1].split(",")):
            continue
        root, top = fields[3], Path(fields[4].replace("\\040", " "))
        inside = paths[kind].removeprefix("" if root == "/" else root).strip("/")
        folder = top / inside
        if ".." in folder.parts or not folder.is_dir():
            folder = top  # a container that sees its own group as the top one
        for group in (folder, *folder.parents):
            yield group, V2 if kind == "cgroup2" else V1
            if group == top:
                break


def _left(folder: Path, limits: tuple[str, ...], current: str, droppable: str) -> Iterator[int]:
    try:
        used = int((folder / current).read_text())
        told = (line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used -= int(dict(told).get(droppable, 0))
    except (OSError, ValueError):
        return
    for name in limits:
        try:
            limit = (folder / name).read_text().strip()
        except OSError:
            continue
        if limit.isdecimal() and int(limit) < NO_LIMIT:
            yield max(0, int(limit) - max(0, used))
