"""What this machine can do at best: how fast it copies memory, and how fast it multiplies.

A measured time means more beside the time that the same work must take. Both limits are measured
once in a session, in well under a second, for a device and a number of threads (default: as it is).
They are the best of all samples: what slows a sample down is not the machine's limit.
"""

from __future__ import annotations

import functools

import torch

from utils.arguments import positive
from utils.timing import measure

COPIED = 64 * 2**20  # bytes; more than most caches hold, so that they come from main memory
SIDE = 1024  # of the square float32 matrices that are multiplied


def copy_bandwidth(device: torch.device | str = "cpu", threads: int | None = None) -> float:
    """Bytes a second that ``device`` moves when it copies 64 MiB: each is read and written.

    A batch small enough to stay in a cache can be read faster than this.
    """
    return _copy_bandwidth(torch.device(device), _threads(threads))


def matmul_rate(device: torch.device | str = "cpu", threads: int | None = None) -> float:
    """Operations a second that ``device`` reaches in a float32 product of 1024 × 1024 matrices.

    A multiplication and an addition are two operations. Precision is as the session has it set:
    https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html
    """
    return _matmul_rate(torch.device(device), _threads(threads))


def least_seconds(
    bytes_moved: float = 0,
    operations: float = 0,
    device: torch.device | str = "cpu",
    threads: int | None = None,
) -> float:
    """The time that work on ``device`` takes at least, in seconds: the longer of the two limits.

    ``bytes_moved`` is what has to be read and written, ``operations`` the additions and
    multiplications in matrix products and convolutions. Raises `ValueError` if one is below 0.
    """
    if bytes_moved < 0 or operations < 0:
        raise ValueError(
            f"bytes_moved and operations are at least 0, but got {bytes_moved} and {operations}."
        )
    limits = [0.0]
    if bytes_moved:
        limits.append(bytes_moved / copy_bandwidth(device, threads))
    if operations:
        limits.append(operations / matmul_rate(device, threads))
    return max(limits)


def _threads(given: int | None) -> int:
    return torch.get_num_threads() if given is None else positive("threads", given)


@functools.cache
def _copy_bandwidth(device: torch.device, threads: int) -> float:
    source = torch.ones(COPIED // 4, device=device)
    copied = measure(torch.empty_like(source).copy_, source, budget=0.2, threads=threads)
    return 2 * COPIED / min(copied.times)


@functools.cache
def _matmul_rate(device: torch.device, threads: int) -> float:
    a, b = torch.rand(2, SIDE, SIDE, device=device)
    multiplied = measure(torch.mm, a, b, budget=0.2, threads=threads)
    return 2 * SIDE**3 / min(multiplied.times)
