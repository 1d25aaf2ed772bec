"""The devices this machine has, and a caption that says where a number was measured.

Everything goes through ``torch.accelerator``, so CUDA, MPS and XPU are treated alike:
https://docs.pytorch.org/docs/stable/accelerator.html
"""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from utils.cgroups import group_bytes
from utils.tensors import tensors_in

CPU = torch.device("cpu")


@functools.cache
def available_devices() -> tuple[torch.device, ...]:
    """The devices that really work, the CPU first.

    An accelerator is listed after it has computed 1 + 1: a driver that is present but broken
    is left out.
    """
    devices = [CPU]
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        kind = accelerator.type
        for index in range(torch.accelerator.device_count()):
            device = torch.device(kind, index)
            try:
                works = (torch.ones(1, device=device) + 1).item() == 2
            except RuntimeError:
                works = False
            if works:
                devices.append(device)
    return tuple(devices)


def default_device() -> torch.device:
    """The first accelerator that works, else the CPU."""
    return available_devices()[1] if len(available_devices()) > 1 else CPU


def free_bytes(device: torch.device | str = CPU) -> int:
    """Bytes that can still be allocated on ``device``.

    On the CPU this is the smallest of what the machine has free, what the control groups of the
    process allow (those of a container, of systemd, of a batch system, also nested) and what the
    process may have (``RLIMIT_DATA``).
    """
    device = torch.device(device)
    if device.type != "cpu":
        try:
            return int(torch.accelerator.get_memory_info(device)[0])
        except (RuntimeError, NotImplementedError):  # MPS shares the machine's memory
            return psutil.virtual_memory().available
    in_groups = group_bytes()
    limits = [] if in_groups is None else [in_groups]
    return min([psutil.virtual_memory().available, *limits, *_process_bytes()])


def _process_bytes() -> Iterator[int]:
    """What this process may still take; nothing where there is no such limit."""
    if not hasattr(psutil.Process, "rlimit"):
        return
    process = psutil.Process()
    limit, _ = process.rlimit(psutil.RLIMIT_DATA)
    if limit != psutil.RLIM_INFINITY:
        yield max(0, limit - process.memory_info().data)


@functools.cache
def last_level_cache(device: torch.device | str = CPU) -> int:
    """Bytes of the largest cache between ``device`` and its memory; 64 MiB where none is told."""
    device = torch.device(device)
    told: list[int] = []
    if device.type == "cpu":
        for size in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
            with suppress(OSError, ValueError):
                told.append(int(size.read_text().strip().removesuffix("K")) * 1024)
    elif hasattr(torch.get_device_module(device), "get_device_properties"):
        properties = torch.get_device_module(device).get_device_properties(device)
        told.append(getattr(properties, "L2_cache_size", 0))
    return max(told, default=0) or 64 * 2**20


def device_of(*values: object) -> torch.device:
    """The first accelerator that a tensor in ``values`` is on, else the CPU."""
    on_accelerator = (t.device for t in tensors_in(values) if t.device.type not in ("cpu", "meta"))
    return next(on_accelerator, CPU)


@dataclass(frozen=True)
class Conditions:
    """Where and how a number was measured; ``str()`` of it is a caption."""

    device: str
    hardware: str
    dtype: str
    threads: int
    grad: bool
    versions: str

    def __str__(self) -> str:
        threads = f"{self.threads} thread" + ("s" if self.threads != 1 else "")
        grad = "grad mode on" if self.grad else "grad mode off"
        return " · ".join(
            part
            for part in (
                f"{self.device} ({self.hardware})",
                self.dtype,
                threads,
                grad,
                self.versions,
            )
            if part
        )


def describe(device: torch.device | str | None = None, dtype: object = None) -> Conditions:
    """Device, dtype, threads, grad mode and versions as they are now, for a caption.

    ``device`` defaults to `default_device()`; ``dtype`` is left out of the caption if not given.
    """
    device = default_device() if device is None else torch.device(device)
    return Conditions(
        device=str(device),
        hardware=_hardware(device),
        dtype="" if dtype is None else str(dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        grad=torch.is_grad_enabled(),
        versions=f"torch {torch.__version__}, Python {platform.python_version()}",
    )


@functools.cache
def _hardware(device: torch.device) -> str:
    if device.type == "cpu":
        return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"
    module = torch.get_device_module(device)
    name = getattr(module, "get_device_name", None)
    return name(device) if name else device.type
