"""One race of a loop and a batch: settings in, a `PanelRun` out. Nothing here shows anything."""

from __future__ import annotations

import contextlib
import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from utils.devices import free_bytes
from utils.explorer.watch import Demand, Lookout
from utils.measuring.counting import count_calls
from utils.measuring.results import Comparison
from utils.measuring.roofline import least_seconds
from utils.tensors import tensors_in
from utils.timing import compare

COUNTED = 0.25  # a loop slower than this, in seconds, is not run once more to count its calls
OWN = ("operation", "device", "threads")  # settings that are not parameters of `inputs`

Point = tuple[float, float, float, float]


@dataclass(frozen=True)
class PanelRun:
    """One run of the panel: its settings, and what came of it."""

    settings: Mapping[str, object]
    comparison: Comparison
    calls: tuple[int, int] | None  # of each side; None where the loop is too slow to count
    least: float | None  # seconds that the machine needs at least, where that can be told
    demand: Demand  # what the batch asks of the machine

    @property
    def size(self) -> int:
        """The size of the batch."""
        size = self.settings["batch_size"]
        assert isinstance(size, int)
        return size

    @property
    def point(self) -> Point:
        """Batch size, and seconds per item: of the loop, of the batch, and at least."""
        c = self.comparison
        least = math.nan if self.least is None else self.least
        size = self.size
        return size, c.looped.median / size, c.batched.median / size, least / size

    @property
    def limit(self) -> str:
        """What the least time is: ``main memory allows``; empty where it is not known."""
        if not self.least:
            return ""
        where = "main memory" if str(self.settings["device"]).startswith("cpu") else "memory"
        return f"{where} and cores allow" if self.demand.operations else f"{where} allows"


@dataclass(frozen=True)
class Race:
    """What is compared: for each operation a loop and a batch, on inputs of any size."""

    operations: Mapping[str, tuple[Callable, Callable]]
    inputs: Callable
    budget: float
    names: tuple[str, str]

    def run(self, settings: Mapping[str, object]) -> PanelRun:
        """Make inputs for the settings and compare both sides on them.

        The inputs and one call of the batch are watched first. Raises `MemoryError`, before
        anything is allocated, where they would not fit, and whatever `compare` raises. The
        session's random numbers go on as if nothing had been drawn.
        """
        operation = settings.get("operation", next(iter(self.operations)))
        looped, batched = self.operations[str(operation)]
        device, threads = torch.device(str(settings["device"])), settings["threads"]
        assert isinstance(threads, int)
        make = {name: value for name, value in settings.items() if name not in OWN}
        with _own_random_numbers(device):
            try:
                inputs, demand, batched_calls = self._look(batched, make, device)
            except MemoryError as error:
                names = [name for name, value in make.items() if type(value) in (int, float)]
                error.args = (f"{error}: choose a smaller {' or '.join(names)}",)
                raise
            comparison = compare(
                looped,
                batched,
                *inputs,
                budget=self.budget,
                threads=threads,
                device=device,
                names=self.names,
            )
            calls = None
            if comparison.looped.median < COUNTED:
                calls = count_calls(looped, *inputs).total(), batched_calls
        least = None
        if demand.moved is not None:
            least = least_seconds(demand.moved, demand.operations or 0, device, threads)
        return PanelRun(dict(settings), comparison, calls, least, demand)

    def _look(
        self, batched: Callable, make: Mapping[str, object], device: torch.device
    ) -> tuple[tuple, Demand, int]:
        """The inputs, and from one watched call of the batch its demand and its PyTorch calls."""
        watch = Lookout(free_bytes(device))
        with watch:
            made = self.inputs(**make, device=device)
        inputs = made if isinstance(made, tuple) else (made,)
        watch, returned = Lookout(free_bytes(device)), []
        with watch:
            calls = count_calls(lambda: returned.append(batched(*inputs))).total()
        demand = watch.demand(returned)
        elements = sum(tensor.numel() for tensor in tensors_in(returned))
        returned.clear()
        watch.insist(
            2 * demand.needed + 24 * elements
        )  # both results, and their difference in full
        return inputs, demand, calls


def operations_in(looped: object, batched: object) -> dict[str, tuple[Callable, Callable]]:
    """The pairs to compare, by name; raises `TypeError` where the two do not fit together."""
    if callable(looped) and callable(batched):
        return {"": (looped, batched)}
    if not (isinstance(looped, Mapping) and isinstance(batched, Mapping)):
        raise TypeError("looped and batched are two functions, or two dicts of functions.")
    if list(looped) != list(batched):
        raise TypeError(
            f"looped and batched need the same keys, but have {list(looped)} and {list(batched)}."
        )
    if not looped:
        raise TypeError("looped and batched are empty: give at least one operation.")
    return {str(name): (looped[name], batched[name]) for name in looped}


def check_ranges(inputs: Callable, ranges: Mapping[str, object]) -> None:
    """Raise `TypeError` unless the ranges fit the parameters of ``inputs``."""
    parameters = inspect.signature(inputs).parameters
    missing = {"batch_size", "device"} - parameters.keys()
    if missing:
        raise TypeError(
            f"inputs needs the parameters batch_size and device, but {' and '.join(missing)} is "
            f"missing from inputs({', '.join(parameters)})."
        )
    taken = {"threads", "operation"} & parameters.keys() or {"device"} & ranges.keys()
    if taken:
        raise TypeError(
            f"The panel has a control named {' and '.join(sorted(taken))} of its own: give that "
            "parameter of inputs another name, or no range."
        )
    sizes = ranges.get("batch_size", (1, 1))
    whole = isinstance(sizes, tuple | list) and sizes and all(type(n) is int for n in sizes)
    if not whole or min(sizes) < 1:  # type: ignore[type-var,call-overload]
        raise TypeError(
            f"batch_size takes whole numbers from 1 on, as a pair or a list, but got {sizes!r}."
        )
    unknown = ranges.keys() - parameters.keys()
    if unknown:
        raise TypeError(
            f"inputs({', '.join(parameters)}) has no parameter {' or '.join(sorted(unknown))}."
        )
    needed = {
        name
        for name, parameter in parameters.items()
        if name == "batch_size" or (name != "device" and parameter.default is parameter.empty)
    }
    if needed - ranges.keys():
        names = sorted(needed - ranges.keys())
        raise TypeError(f"Give a range for {' and '.join(names)}, such as {names[0]}=(1, 1024).")


@contextlib.contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[None]:
    """Draw random numbers without moving the session's generators on."""
    plain, arrays = random.getstate(), np.random.get_state()
    kind = device.type if device.type != "cpu" else "cuda"
    devices = [] if device.type == "cpu" else [device]
    try:
        with torch.random.fork_rng(devices, device_type=kind):
            yield
    finally:
        random.setstate(plain)
        np.random.set_state(arrays)
