"""Batches on their way to an accelerator: each is sent off before it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor


def on_device(batches: Iterable, device: torch.device | str) -> Iterator:
    """The same batches on ``device``, each sent off one step before you get it.

    ``batches`` are tensors, or tuples, lists and dicts of them; anything else is passed on. For
    an accelerator, a tensor is put into pinned memory and its copy is queued (``non_blocking``)
    before you get the batch before. So the CPU never waits: while the device works, the next
    batch is read, pinned and queued. What you queue afterwards runs after the copy, so no number
    is used too early. For the CPU batches are handed on as they come.

    With an accelerator one batch more than you use is taken from ``batches``: to save your
    place, count the steps yourself and ask for ``state_after``, and not for ``state_dict``.
    """
    target = torch.device(device)
    if target.type == "cpu":
        yield from batches
        return
    sent: list = []
    for batch in batches:
        # sent before the last one is handed over, so that its copy runs beside your work
        sent.append(_send(batch, target))
        if len(sent) > 1:
            yield sent.pop(0)
    yield from sent


def _send(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        pinned = batch.pin_memory() if batch.is_cpu and not batch.is_pinned() else batch
        return pinned.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: _send(part, device) for key, part in batch.items()}
    if isinstance(batch, list | tuple):
        parts = [_send(part, device) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch
