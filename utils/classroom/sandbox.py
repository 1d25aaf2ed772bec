"""A kernel for code that is not ours: with limits, and as far from everything else as we can.

The kernel is forked from a process that has imported PyTorch already, which saves seconds for
each student. What a system does not offer is left out, and `protections` says so. There
is none on Windows.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import choice, token_hex
from types import ModuleType
from typing import Any

import psutil

from utils.classroom import attempts, isolation, totals
from utils.classroom.interrupts import postponed

_PREFIX = "grade-"


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    seconds: int = 10  # for each cell
    memory: int = 3 * 2**30  # bytes of data, for each process
    total_memory: int = 4 * 2**30  # bytes, for all processes of a submission together
    processes: int = 64
    file_size: int = 2**26  # bytes, for each file
    open_files: int = 1024  # for each process, sockets and pipes among them
    total_disk: int = 2**28  # bytes, for all its files together
    output: int = 100_000  # characters kept of each cell
    total_seconds: int = 180  # for all cells and tests of a submission
    start_seconds: int = 60  # for a kernel to start


class Sandbox:
    """One kernel in a scratch folder of its own: start it, give its connection to a client, kill.

    The folders ``hidden`` are empty for it. Use it in a ``with`` statement; afterwards no process
    and no file of it is left.
    """

    def __init__(self, limits: Limits, hidden: Sequence[Path] = ()):
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self.connection: Any = {
            "transport": "ipc",  # files, which reach a process without a network
            "ip": str(self.folder / "k"),
            **{f"{name}_port": n for n, name in enumerate(_CHANNELS, 1)},
            "key": token_hex(16),
            "signature_scheme": "hmac-sha256",
        }
        file = self.folder / "connection.json"
        file.write_text(json.dumps(self.connection))
        user = choice(isolation.USERS)
        if isolation.is_root():
            os.chown(self.folder, user, user)
            os.chown(file, user, user)
        # its other end is open in all processes of the sandbox, and closed when the last is gone
        self._open, self._held = _context().Pipe(duplex=False)
        self._told, self._telling = _context().Pipe(duplex=False)
        self.attempts: list[str] = []  # see `utils.classroom.attempts`; known when it has ended
        paths = [str(path) for path in hidden]
        ends = self._held, self._telling
        self._process = _context().Process(
            target=_run, args=(str(self.folder), str(file), limits, paths, ends, user)
        )

    def __enter__(self) -> Sandbox:
        with postponed():
            with _without_main():
                self._process.start()
            self._held.close()
            self._telling.close()
            _running.add(self)
        return self

    def __exit__(self, *error: object) -> None:
        with postponed():
            if self not in _running:
                return
            _running.remove(self)
            left = self._left_running()
            self._process.terminate()
            self._process.join(5)
            self._process.kill()
            self._process.join()
            self._open.poll(10)
            self._open.close()
            self.attempts = attempts.attempts_in(self._told.fileno()) + left
            self._told.close()
            _remove(self.folder)

    def is_alive(self) -> bool:
        """Whether the kernel still runs."""
        return self._process.is_alive()

    def _left_running(self) -> list[str]:
        """A line if there are more processes than the kernel and the one or two that watch it."""
        try:
            number = len(psutil.Process(self._process.pid).children(recursive=True)) - 2
        except psutil.NoSuchProcess:
            return []
        return [f"left {number} processes running"] if number > 0 else []

    def exceeded(self) -> bool:
        """Whether it was ended for using too much memory or disk in all."""
        return self._process.exitcode == isolation.EXCEEDED


_running: set[Sandbox] = set()


def end_all() -> None:
    """End every sandbox that runs, such as those that an interruption has left behind."""
    for one in list(_running):
        one.__exit__()


def remove_forgotten() -> None:
    """Remove the scratch folders of earlier runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdecimal() and not _is_running(int(number)) and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def protections() -> dict[str, bool]:
    """What this system lets us keep from a submission, tried out once."""
    reader, writer = _context().Pipe(duplex=False)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    process = _context().Process(target=_try, args=(writer, folder))
    with _without_main():
        process.start()
    found = reader.recv()
    process.join()
    _remove(folder)
    return found


_CHANNELS = "shell", "iopub", "stdin", "control", "hb"


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["utils.classroom.preload"])
    return context


@contextmanager
def _without_main() -> Iterator[None]:
    """Processes started meanwhile do not run the main module again, which may import a lot."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _try(writer: multiprocessing.connection.Connection, folder: Path) -> None:
    found = isolation.leave()
    child = os.fork()  # the first of the new processes has to stay for the others to be
    if not child:
        shown = found["folders"] and isolation.show_only(folder, isolation.code_paths(), [])
        writer.send(found | {"folders": shown, "rights": isolation.is_root() or shown})
        os._exit(0)
    os.waitpid(child, 0)


def _run(
    folder: str,
    connection: str,
    limits: Limits,
    hidden: Sequence[str],
    ends: tuple[multiprocessing.connection.Connection, ...],
    user: int,
) -> None:
    """In the new process: close all doors, then be a kernel until killed."""
    os.setsid()
    held, telling = ends
    here = isolation.leave()
    shared = totals.shared_memory()

    def exceeds(child: int) -> bool:
        return totals.exceeds_memory(child, limits.total_memory, shared) or totals.exceeds_disk(
            Path(folder), limits.total_disk
        )

    sockets = [Path(f"{folder}/k-{n}") for n, _ in enumerate(_CHANNELS, 1)]
    become = isolation.become_first if here["processes"] else isolation.become_watched
    become(held.fileno(), exceeds, sockets)
    alone = here["folders"] and isolation.show_only(
        Path(folder), isolation.code_paths(), [Path(path) for path in hidden]
    )
    _limit(limits)
    isolation.give_up_rights(user)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    work = "/tmp" if alone else folder
    os.chdir(work)
    for name in [name for name in os.environ if name not in _KEPT]:
        del os.environ[name]
    for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME"):
        os.environ[name] = work
    tempfile.tempdir = None
    # the grader's way of starting processes, and its folder for them, are not the submission's
    multiprocessing.current_process()._config.pop("tempdir", None)  # type: ignore[attr-defined]
    multiprocessing.set_start_method(None, force=True)
    with contextlib.suppress(OSError):  # if memory becomes short all the same
        Path("/proc/self/oom_score_adj").write_text("1000")
    attempts.note_attempts(telling.fileno(), hidden)
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance(
        [f"--IPKernelApp.connection_file={connection}", "--HistoryManager.enabled=False"]
    )


_KEPT = {"PATH", "LANG", "LC_ALL", "OMP_NUM_THREADS"}


def _limit(limits: Limits) -> None:
    import resource

    mine = 0 if isolation.is_root() else _processes_of_this_user()
    for name, value in {
        "RLIMIT_DATA": limits.memory,
        "RLIMIT_NPROC": mine + limits.processes,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CPU": 60 * limits.seconds,
    }.items():
        if hasattr(resource, name):
            hard = resource.getrlimit(getattr(resource, name))[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(getattr(resource, name), (value, value))


def _processes_of_this_user() -> int:
    mine = [p for p in psutil.process_iter(["uids", "num_threads"]) if p.info["uids"]]
    return sum(p.info["num_threads"] or 1 for p in mine if p.info["uids"].real == os.getuid())


def _remove(folder: Path) -> None:
    """Remove it, also where a submission has taken permissions away."""

    def make_writable(function: Callable, path: str, _: object) -> None:
        os.chmod(Path(path).parent, 0o700)
        os.chmod(path, 0o700)
        function(path)

    shutil.rmtree(folder, onerror=make_writable)
