"""In a fresh process of a submission: what an answer does while it computes.

PyTorch's own profiler sees the operations of all threads, of compiled code and of what is called
inside; a trace of lines sees loops that compute outside of PyTorch. What comes out is evidence
and no proof: the code that is watched could attack the watcher.
"""

from __future__ import annotations

import os
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from unittest import mock

import numpy as np
import psutil
import torch
from torch._C._profiler import _ExperimentalConfig
from torch.autograd.profiler_util import FunctionEvent
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile

from utils.loading import rows as rows_of_files
from utils.measuring.memory import peak_bytes
from utils.measuring.work import quiet_profiler

# functions by which data leave PyTorch, or by which Python runs for each element
LEAVING = {"tolist", "numpy", "__array__", "__dlpack__", "from_dlpack", "item"}
LEAVING |= {"apply_", "map_", "map2_", "data_ptr", "untyped_storage", "storage"}
_PACKAGE = str(Path(__file__).parents[2] / "utils")
_TORCH = str(Path(torch.__file__).parent)
_INSTALLED = (sys.prefix, sys.base_prefix, str(Path(torch.__file__).parents[1]), _PACKAGE)


class WatchError(Exception):
    """What watches does not work, which is not the answer's fault."""


def observed(call: Callable[[], object], what: str, seen: dict[str, object]) -> object:
    """The result of a call, which tells ``seen`` what is asked for: calls, memory or rows."""
    with _processes_watched(seen):
        return {"calls": _counted, "memory": _measured, "rows": _read}[what](call, seen)


@contextmanager
def _processes_watched(seen: dict[str, object]) -> Iterator[None]:
    """Tell whether other processes work meanwhile: what these do is seen by nobody."""
    before, ended = _turns(), _seconds_of_ended()
    yield
    worked = sum(number > before.get(process, 0) + 1 for process, number in _turns().items())
    _add(seen, "elsewhere", worked + (_seconds_of_ended() > ended))


def _seconds_of_ended() -> float:
    """How long the processes worked that this one had started, and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _turns() -> dict[int, int]:
    """How often each process that this one has started was given a processor, or gave it back."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            found[process.pid] = sum(process.num_ctx_switches())
    return found


def _counted(call: Callable[[], object], seen: dict[str, object]) -> object:
    lines, left = [0], []  # type: list[int], list[str]
    with _profiled() as profiler, _traced(lines, left), _Leaving(left):
        result = call()
    for name in _outermost(profiler):
        _add(seen, f"call {name}", 1)
    for name in left:
        _add(seen, f"left {name}", 1)
    _add(seen, "lines", lines[0])
    return result


@contextmanager
def _profiled() -> Iterator[profile]:
    """PyTorch's profiler, which has the operations of all threads once the context is left."""
    config = _ExperimentalConfig(profile_all_threads=True)
    activities = [ProfilerActivity.CPU]
    profiler = profile(activities=activities, experimental_config=config, acc_events=True)
    try:
        with quiet_profiler():
            profiler.start()
    except RuntimeError as error:
        raise WatchError(f"PyTorch's profiler does not start: {error}") from None
    try:
        yield profiler
    finally:
        profiler.stop()


class _Leaving(TorchFunctionMode):
    """Note functions by which data leave, whoever calls them: `map`, NumPy, a ``partial`` …"""

    def __init__(self, left: list[str]) -> None:
        super().__init__()
        self._left = left

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in LEAVING and not _caller(func).startswith((_TORCH, _PACKAGE)):
            self._left.append(name)
        return func(*args, **(kwargs or {}))


def _caller(function: Callable) -> str:
    """The file from which a function of PyTorch's was called that a mode was asked about."""
    frame: FrameType | None = sys._getframe(2)
    own = getattr(function, "__code__", None)
    while frame and (frame.f_code.co_filename == torch.overrides.__file__ or frame.f_code is own):
        frame = frame.f_back
    return frame.f_code.co_filename if frame else ""


def _add(seen: dict[str, object], name: str, number: int) -> None:
    seen[name] = int(seen.get(name, 0)) + number  # type: ignore[call-overload]


def _outermost(profiler: profile) -> Iterator[str]:
    """The operations that are not part of another operation."""
    for event in profiler.events() or []:
        above = event.cpu_parent
        while above is not None and not _is_operation(above):
            above = above.cpu_parent
        if above is None and _is_operation(event):
            yield event.name.removeprefix("aten::")


def _is_operation(event: FunctionEvent) -> bool:
    return event.name.startswith("aten::")


@contextmanager
def _traced(lines: list[int], left: list[str]) -> Iterator[None]:
    """Count lines of code that is not installed, and note functions by which data leave."""

    def trace(frame: FrameType, event: str, _: object) -> Callable | None:
        if frame.f_code.co_filename.startswith((*_INSTALLED, "<frozen")):
            return None
        lines[0] += event == "line"
        return trace

    def called(frame: FrameType, event: str, function: object) -> None:
        name = getattr(function, "__name__", "")
        own = not frame.f_code.co_filename.startswith((*_INSTALLED, "<frozen"))
        if event == "c_call" and own and name in LEAVING:
            left.append(name)

    threading.settrace(trace)
    threading.setprofile(called)
    sys.settrace(trace)
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
        sys.settrace(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        threading.settrace(None)  # type: ignore[arg-type]


def _measured(call: Callable[[], object], seen: dict[str, object]) -> object:
    """The peak of bytes: of tensors, and of what Python and NumPy allocate.

    Tensors can be counted in this thread alone, so that others may not make any.
    """
    results: list[object] = []
    peak = peak_bytes(lambda: results.append(call()))
    tracemalloc.start()
    try:
        results[0] = call()
        peak = max(peak, tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    seen["peak"] = peak
    with _profiled() as profiler:
        torch.empty(0)
        results[0] = call()
    threads = Counter(event.thread for event in profiler.events() or [] if _is_operation(event))
    _add(seen, "elsewhere", len(threads) - 1)
    return results[0]


def _read(call: Callable[[], object], seen: dict[str, object]) -> object:
    """The rows that are taken from memory maps of the most rows, and by `utils.loading`."""
    real_item, real_views = np.memmap.__getitem__, rows_of_files.InFile.views
    taken: dict[int, int] = {}

    def take(total: int, number: int) -> None:
        taken[total] = taken.get(total, 0) + number

    def item(self: np.memmap, index: object) -> object:
        result = real_item(self, index)  # type: ignore[call-overload]
        if self.ndim == 2:
            first = index[0] if isinstance(index, tuple) else index
            if getattr(result, "ndim", 0) == 2:
                take(len(self), len(result))
            take(len(self), int(isinstance(first, int | np.integer)))
        return result

    def views(self: rows_of_files.InFile, size: int) -> Iterator:
        for part in real_views(self, size):
            take(self.shape[0], len(part))
            yield part

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(np.memmap, "__getitem__", item))
        patches.enter_context(mock.patch.object(rows_of_files.InFile, "views", views))
        result = call()
    seen["rows"] = taken[max(taken)] if taken else 0
    return result
