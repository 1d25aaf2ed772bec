"""The live panel: drag a slider, and a loop and its batch race again.

`explore` builds it; what it shows can be had without a browser through `Explorer.run`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import html
import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import ipywidgets as widgets
import torch
from torch.utils.flop_counter import FlopCounterMode

from utils.devices import available_devices, default_device, free_bytes, tensors_in
from utils.display.units import format_bytes
from utils.explorer.chart import LiveChart
from utils.explorer.controls import choice, control, range_of, set_value, thread_counts, value_of
from utils.explorer.history import History, Run
from utils.explorer.words import error_in_words, in_words, picture_in_words, result_in_html
from utils.measuring.counting import count_calls
from utils.measuring.memory import peak_bytes
from utils.measuring.results import Comparison
from utils.measuring.roofline import least_seconds
from utils.timing import compare

COUNTED = 0.25  # a loop slower than this, in seconds, is not run once more to count its calls
WIDTH, HEIGHT = 720, 390  # pixels of the chart


def explore(
    looped: Callable | Mapping[str, Callable],
    batched: Callable | Mapping[str, Callable],
    inputs: Callable,
    *,
    budget: float = 0.1,
    title: str = "",
    **ranges: object,
) -> Explorer:
    """Compare ``looped`` and ``batched`` live, on inputs of any size.

    ``inputs(batch_size, …, device)`` makes the inputs (a tuple, or a single one); ``batch_size``
    and ``device`` must be among its parameters. ``ranges`` gives each of the others, and
    ``batch_size``, a control, with the abbreviations of `ipywidgets.interact`: a pair of whole
    numbers is a slider (in powers of two if it is wide), a list is a choice, a bool a checkbox.
    Two dicts of functions with the same keys add a choice of the operation. ``budget`` is the
    time to spend on a comparison, in seconds.

    Raises `TypeError` if the ranges do not fit the parameters of ``inputs``.
    """
    return Explorer(looped, batched, inputs, budget, title, ranges)


class Explorer:
    """The panel that `explore` returns. Show it by making it the last line of a cell."""

    def __init__(
        self,
        looped: Callable | Mapping[str, Callable],
        batched: Callable | Mapping[str, Callable],
        inputs: Callable,
        budget: float,
        title: str,
        ranges: Mapping[str, object],
    ) -> None:
        _check_ranges(inputs, ranges)
        self._operations = _operations(looped, batched)
        self._inputs, self._budget = inputs, budget
        self.history = History()
        self.error: BaseException | None = None
        self._scheduled: asyncio.TimerHandle | None = None
        self._quiet = False
        self.controls = {name: control(name, given) for name, given in ranges.items()}
        if len(self._operations) > 1:
            self.controls["operation"] = choice("operation", list(self._operations))
        devices = [str(device) for device in available_devices()]
        self.controls["device"] = choice("device", devices, str(default_device()))
        self.controls["threads"] = choice("threads", thread_counts(), torch.get_num_threads())
        sizes = self.controls["batch_size"]
        self._chart = LiveChart("batch_size", range_of(sizes), title)
        self._picture = widgets.HTML(layout=widgets.Layout(height=f"{HEIGHT + 4}px"))
        self._result = widgets.HTML(layout=widgets.Layout(width=f"{WIDTH}px", min_height="150px"))
        self._status = widgets.HTML(layout=widgets.Layout(width=f"{WIDTH}px", min_height="28px"))
        controls = widgets.GridBox(
            list(self.controls.values()),
            layout=widgets.Layout(grid_template_columns="360px 360px", width=f"{WIDTH + 10}px"),
        )
        self.widget = widgets.VBox([controls, self._picture, self._status, self._result])
        for widget in self.controls.values():
            widget.observe(self._on_change, "value")
        self._redraw()
        with contextlib.suppress(Exception):  # shown in the panel
            self._run()

    @property
    def settings(self) -> dict[str, object]:
        """What the controls say now."""
        return {name: value_of(widget) for name, widget in self.controls.items()}

    def run(self, **changes: object) -> Comparison:
        """Set the named controls, compare, show the result in the panel and return it.

        Raises `TypeError` for a control that the panel does not have, `ValueError` for a value out
        of a control's range, and whatever the comparison raises, after showing it in the panel.
        """
        unknown = changes.keys() - self.controls.keys()
        if unknown:
            raise TypeError(
                f"This panel has no {' or '.join(sorted(unknown))}; it has "
                f"{', '.join(self.controls)}."
            )
        self._quiet = True
        try:
            for name, value in changes.items():
                set_value(name, self.controls[name], value)
        finally:
            self._quiet = False
        return self._run()

    def save(self, path: str | Path) -> Path:
        """Write the history to a CSV file, a row for each run (times in seconds)."""
        return self.history.save(path)

    def _on_change(self, change: object) -> None:
        """Run soon, once, on whatever the controls say by then: a drag never queues up."""
        if self._quiet or self._scheduled is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel: run at once
            self._run_for_widget()
        else:
            self._scheduled = loop.call_later(0.01, self._run_for_widget)

    def _run_for_widget(self) -> None:
        self._scheduled = None
        with contextlib.suppress(Exception, KeyboardInterrupt), _interruptible():
            self._run()

    def _run(self) -> Comparison:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        settings = self.settings
        self._say(f"running {in_words(settings)} …")
        try:
            comparison = self._compare(settings)
        except BaseException as error:
            self.error = error
            self._say(error_in_words(error), alarm=True)
            raise
        self.error = None
        self._redraw()
        self._say(f"done: {in_words(settings)}")
        return comparison

    def _compare(self, settings: Mapping[str, object]) -> Comparison:
        settings = dict(settings)
        looped, batched = self._operations[settings.get("operation", next(iter(self._operations)))]
        make = {k: v for k, v in settings.items() if k not in ("operation", "threads", "device")}
        plan = self._plan(batched, make)
        free = free_bytes(settings["device"])
        if plan.needed > 0.8 * free:
            raise MemoryError(
                f"this would take about {format_bytes(plan.needed)}, and {settings['device']} has "
                f"{format_bytes(free)} free: choose a smaller {' or '.join(make)}"
            )
        inputs = _as_tuple(self._inputs(**make, device=torch.device(settings["device"])))
        comparison = compare(
            looped,
            batched,
            *inputs,
            budget=self._budget,
            threads=settings["threads"],
            device=settings["device"],
        )
        calls = None
        if comparison.looped.median < COUNTED:
            calls = tuple(count_calls(side, *inputs).total() for side in (looped, batched))
        least = None
        if plan.moved is not None:
            where = settings["device"], settings["threads"]
            least = least_seconds(plan.moved, plan.operations, *where)
        self.history.append(Run(settings, comparison, calls, least))
        return comparison

    def _plan(self, batched: Callable, make: Mapping[str, object]) -> _Plan:
        """What a run takes, learnt from tensors that have a shape and no data."""
        needed = 0
        try:
            with torch.device("meta"), torch.no_grad():
                inputs = _as_tuple(self._inputs(**make, device=torch.device("meta")))
                given = sum(t.untyped_storage().nbytes() for t in tensors_in(inputs))
                needed = 3 * given  # until more is known: each result as large as the inputs
                with FlopCounterMode(display=False) as operations:
                    result = batched(*inputs)
                needed = given + 2 * peak_bytes(batched, *inputs)
        except Exception:  # functions that hold tensors of their own, or ask for values
            return _Plan(needed, None, None)
        returned = sum(t.nbytes for t in tensors_in(result))
        return _Plan(needed, given + returned, operations.get_total_flops())

    def _redraw(self) -> None:
        here, others, now = {}, [], None
        for run in self.history:
            if _beside(run.settings) == _beside(self.settings):
                here[run.settings["batch_size"]] = now = run.point
            else:
                others.append(run.point)
        self._png = self._chart.draw(list(here.values()), others, now)
        data = base64.b64encode(self._png).decode()
        alt = html.escape(picture_in_words(self.history))
        self._picture.value = (  # an Image widget would have no alternative text
            f'<img width="{WIDTH}" height="{HEIGHT}" decoding="sync" alt="{alt}" '
            f'src="data:image/png;base64,{data}">'
        )
        self._result.value = result_in_html(self.history)

    def _say(self, text: str, alarm: bool = False) -> None:
        style = ' style="color:#A4001D;font-weight:bold"' if alarm else ' style="color:#595959"'
        role = "alert" if alarm else "status"
        self._status.value = f'<span role="{role}"{style}>{html.escape(text)}</span>'

    def __repr__(self) -> str:
        if not self.history:
            return f"Explorer: no comparison yet ({self.error})"
        last = self.history[-1]
        return f"{self.history!r}\n\nat {in_words(last.settings)}: {last.comparison!r}"

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        """The live widget, and for whoever reads without a kernel a picture and its words."""
        live = self.widget._repr_mimebundle_(**kwargs)
        picture = base64.b64encode(self._png).decode()
        data = {**live, "image/png": picture, "text/plain": repr(self)}
        return data, {"image/png": {"alt": picture_in_words(self.history), "width": WIDTH}}


class _Plan(NamedTuple):
    needed: int  # bytes to allocate
    moved: int | None  # bytes to read and write, where that is known
    operations: int | None  # in products and convolutions


def _operations(looped: object, batched: object) -> dict[str, tuple[Callable, Callable]]:
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
    return {name: (looped[name], batched[name]) for name in looped}


def _check_ranges(inputs: Callable, ranges: Mapping[str, object]) -> None:
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
    if not whole or min(sizes) < 1:
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


def _beside(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name != "batch_size"}


def _as_tuple(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let the stop button interrupt a run that no cell has started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
