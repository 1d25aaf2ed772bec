"""What a submission tried while it ran, noted by Python itself: a hint for a person, and no more.

An audit hook (https://docs.python.org/3/library/audit_events.html) sees what the text of a cell may
hide. It cannot be removed again, and it can be deceived: no mark depends on it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

_OTHERS = re.compile(r"/(root|home|var|srv|mnt|media|Users)/|/etc/(passwd|shadow|sudoers)")
_PROCESSES = re.compile(r"/proc/(\d+)/(mem|environ|cmdline|maps|fd|root|cwd)")
_PROGRAMS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system"}
_MOST = 200  # bytes of a line


def note_attempts(pipe: int, hidden: Sequence[str]) -> None:
    """From now on write a line into ``pipe`` for each attempt of this process and its children.

    ``hidden`` are folders that are nobody's business. When the pipe is full, lines are left out.
    """
    os.set_blocking(pipe, False)
    own = tuple({os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, *sys.path) if p})
    said: set[str] = set()

    def hook(event: str, arguments: tuple) -> None:
        line = _line(event, arguments, own, hidden)
        if line and line not in said:
            said.add(line)
            try:
                os.write(pipe, line.encode(errors="replace")[:_MOST] + b"\n")
            except OSError:
                return

    sys.addaudithook(hook)


def attempts_in(pipe: int) -> list[str]:
    """The lines that stand in a pipe, each once; does not wait."""
    os.set_blocking(pipe, False)
    text = b""
    try:
        while part := os.read(pipe, 2**16):
            text += part
    except BlockingIOError:
        pass
    lines = text.decode(errors="replace").splitlines()
    return list(dict.fromkeys(line for line in lines if line.isprintable()))


def _line(event: str, arguments: tuple, own: tuple[str, ...], hidden: Sequence[str]) -> str:
    """What an event is called in a report; "" for one that is nothing out of the ordinary."""
    first = arguments[0] if arguments else None
    if event in ("open", "os.listdir", "os.scandir"):
        path = os.fsdecode(first) if isinstance(first, str | bytes) else ""
        return f"tried to look into {path}" if _is_others(path, own, hidden) else ""
    if event in _PROGRAMS:
        program = os.fsdecode(first) if isinstance(first, str | bytes) else str(first)
        return f"tried to start {program}" if program != "uname" else ""  # `platform` asks for it
    if event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[:2] if event == "socket.getaddrinfo" else arguments[1]
        return f"tried to connect to {address}" if isinstance(address, tuple) else ""
    if event == "os.kill" and first in (-1, 1, os.getppid()):
        return "tried to end other processes"
    if event in ("gc.get_objects", "sys.addaudithook"):
        return f"called {event}"
    return ""


def _is_others(path: str, own: tuple[str, ...], hidden: Sequence[str]) -> bool:
    if not path.startswith(("/", "..")):
        return False
    path = os.path.abspath(path)
    process = _PROCESSES.match(path)
    if process:
        return int(process[1]) != os.getpid()
    if any(path.startswith(folder) for folder in hidden):
        return True
    return bool(_OTHERS.match(path)) and not path.startswith(own)
