"""Leave the rest of the machine behind: what a process that runs foreign code does first.

It is what bubblewrap does, in a process that has imported PyTorch already: namespaces of its own,
a file system that shows Python, this package and one folder, and no capability at all. What a
system does not offer is left out, and `try_out` says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import platform
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

# users of nobody else, of which each sandbox gets one: limits count what a user has
USERS = range(2_000_000, 2_100_000)
# for unshare(2), mount(2), umount2(2), prctl(2), capset(2), pivot_root(2): Python has no names
NEW_MOUNTS, NEW_IPC, NEW_USER = 0x20000, 0x8000000, 0x10000000
NEW_PROCESSES, NEW_NETWORK = 0x20000000, 0x40000000
READ_ONLY, NO_SETUID, NO_DEVICES, REMOUNT, BIND, RECURSIVE = 1, 2, 4, 0x20, 0x1000, 0x4000
PRIVATE, DETACH = 0x40000, 2
DIE_WITH_PARENT, DUMPABLE, DROP_FROM_BOUND, ADOPT, NO_NEW_RIGHTS = 1, 4, 24, 36, 38
EXCEEDED = 77  # the status of a sandbox that used too much in all
CAPABILITIES_3 = 0x20080522
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
# what programs look up outside of Python's own folders
_SYSTEM = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/fonts"]
_SYSTEM += ["/etc/localtime", "/etc/alternatives", "/sys/devices/system/cpu"]
_DEVICES = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/full"]
_SHARED = (
    b"size=256m,nr_inodes=20k,mode=1777"  # of memory that stands as files: counted, and bounded
)


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.getuid() == 0


def system(name: str, *arguments: object) -> bool:
    """Call a function of the system's library; whether that worked."""
    try:
        return getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == 0
    except AttributeError:
        return False


def leave() -> dict[str, bool]:
    """Leave network, processes and mounts behind, where we may; a child is then alone."""
    user, mine = (0 if is_root() else NEW_USER), (os.getuid(), os.getgid())
    mounts = system("unshare", user | NEW_MOUNTS | NEW_IPC)
    if mounts and user:
        mounts = _keep_names(*mine)
    within = 0 if mounts else user
    processes = system("unshare", within | NEW_PROCESSES)
    network = system("unshare", NEW_NETWORK if processes else within | NEW_NETWORK)
    mounts = mounts and system("mount", b"none", b"/", None, RECURSIVE | PRIVATE, None)
    return {"network": network, "processes": processes, "folders": mounts}


def _keep_names(user: int, group: int) -> bool:
    """In a new namespace of users, go on as the same user, who then can own files there."""
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return False
    return True


def become_watched(pipe: int, exceeds: Callable[[int], bool], sockets: Sequence[Path]) -> None:
    """Fork the process to go on in; this one ends with it, and ends it when the grader is gone.

    ``pipe`` is an end to write to, whose other end the grader alone has. Where ``exceeds``, called
    with the child's number now and then, is true, all end with the status `EXCEEDED`. When the
    ``sockets`` are there, their folder can no longer be written to, see
    `await_closed`. Returns in the child.
    """
    system("prctl", ADOPT, 1, 0, 0, 0)  # what loses its parent stays below this process
    child = os.fork()
    if child:
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
        _watch(child, pipe, exceeds, sockets)
    system("prctl", DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def become_first(pipe: int, exceeds: Callable[[int], bool], sockets: Sequence[Path]) -> int:
    """Fork the first of the new processes, with which all end, and from it the one to go on in.

    Returns only in the last of the three. Nobody in it can keep the first one alive, or end it.
    """
    become_watched(pipe, exceeds, sockets)
    system("mount", b"proc", b"/proc", b"proc", NO_SETUID | NO_DEVICES, None)
    worker = os.fork()
    if worker:
        system("prctl", DUMPABLE, 0, 0, 0, 0)
        _end_as(worker)
    return worker


def _watch(child: int, pipe: int, exceeds: Callable[[int], bool], sockets: Sequence[Path]) -> None:
    """Wait for a child, and end with its status; kill it where nobody reads from ``pipe``."""
    reader = select.poll()
    reader.register(pipe, 0)  # an error is told without being asked for
    closed = False
    for turn in itertools.count():
        if not closed and all(socket.exists() for socket in sockets):
            closed = True
            _close(sockets[0].parent)
        if reader.poll(50 if closed else 10):
            os.kill(child, signal.SIGKILL)
        elif turn % 5 == 4 and exceeds(child):
            os.kill(child, signal.SIGKILL)
            _end_adopted()
            os._exit(EXCEEDED)
        _end_with(child, os.WNOHANG)


def _close(folder: Path) -> None:
    """Let nobody in these namespaces write to a folder that is a mount of its own, from now on.

    What is written to a disk can be hidden from whoever counts it: in a file without a name that
    is mapped into memory, or under way through a socket. In memory, the mount has a limit.
    """
    system("mount", None, bytes(folder), None, BIND | REMOUNT | NO_SETUID | READ_ONLY, None)


def await_closed(folder: str) -> None:
    """Wait until a folder is closed, where it is a mount of its own."""
    until = time.monotonic() + 5
    while os.path.ismount(folder) and not os.statvfs(folder).f_flag & os.ST_RDONLY:
        if time.monotonic() > until:
            raise OSError(f"{folder} can still be written to")
        time.sleep(0.005)


def _end_adopted() -> None:
    """End what was left to this process; there is nothing where the child had new processes."""
    with contextlib.suppress(psutil.NoSuchProcess):  # where /proc shows the new ones alone
        while left := [one for one in psutil.Process().children(recursive=True) if _lives(one)]:
            for one in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_as(child: int) -> None:
    """Wait for a child, and end with its status; others that end meanwhile are forgotten."""
    while True:
        _end_with(child)


def _end_with(child: int, options: int = 0) -> None:
    """If a child has ended, end with its status; others that have are forgotten."""
    try:
        found, status = os.waitpid(-1, options)
    except ChildProcessError:
        os._exit(1)
    if found == child:
        _end_adopted()
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def show_only(folder: Path, paths: Sequence[Path], hidden: Sequence[Path]) -> bool:
    """Make a root that has these paths, read-only, the folder, and nothing else.

    ``hidden`` folders are empty in it. Returns whether that worked; if not, nothing has changed.
    """
    try:
        return _show_only(folder, paths, hidden)
    except OSError:
        return False


def _show_only(folder: Path, paths: Sequence[Path], hidden: Sequence[Path]) -> bool:
    root = folder / "root"
    root.mkdir()
    if not system("mount", b"none", bytes(root), b"tmpfs", NO_SETUID, b"size=8m,mode=755"):
        return False
    done = True
    for name, options in (("tmp", _SHARED), ("dev/shm", _SHARED), ("proc", b"")):
        (root / name).mkdir(parents=True, exist_ok=True)
        kind = b"proc" if name == "proc" else b"tmpfs"
        done = done and system("mount", kind, bytes(root / name), kind, NO_SETUID, options or None)
    for path in [Path(name) for name in _SYSTEM] + sorted({Path(path) for path in paths}):
        done = done and (not path.exists() or _show(path, root))
    for path in (Path(name) for name in _DEVICES):
        done = done and _show(path, root, 0)
    for path in hidden:
        place = root / path.relative_to("/")
        if place.is_dir():
            done = done and system("mount", b"none", bytes(place), b"tmpfs", READ_ONLY, None)
    own = root / folder.relative_to("/")
    own.mkdir(parents=True, exist_ok=True)
    done = done and system("mount", bytes(folder), bytes(own), None, BIND, None)
    return done and _pivot(root)


def _show(path: Path, root: Path, flags: int = READ_ONLY) -> bool:
    place = root / path.relative_to("/")
    if path.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(os.readlink(path))
        return True
    if path.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    if not system("mount", bytes(path), bytes(place), None, BIND | RECURSIVE, None):
        return False
    again = BIND | REMOUNT | NO_SETUID | flags
    system("mount", None, bytes(place), None, again, None)
    return True


def _pivot(root: Path) -> bool:
    number = PIVOT_ROOT.get(platform.machine())
    os.chdir(root)
    if number is not None and system("syscall", number, b".", b"."):
        system("umount2", b".", DETACH)
    else:
        os.chroot(".")
    os.chdir("/")
    return True


def give_up_rights(user: int) -> None:
    """From root to this user without rights, and from any user to one who can never get any."""
    system("prctl", NO_NEW_RIGHTS, 1, 0, 0, 0)
    for number in range(64):
        system("prctl", DROP_FROM_BOUND, number, 0, 0, 0)
    if is_root():
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    header, none = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    system("capset", header, none)


def code_paths() -> list[Path]:
    """The folders that hold Python, what is installed, and this package."""
    package = Path(__file__).resolve().parents[1]
    installed = {Path(path).resolve() for path in sys.path if path and Path(path).is_dir()}
    inside = {path for path in installed if "site-packages" in path.parts or "lib" in path.parts}
    prefixes = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    outside = {path for path in inside if not any(p in path.parents for p in prefixes)}
    return sorted({package, *prefixes, *outside})
