"""The live panel: drag a slider, and a loop and its batch race again.

`explore` builds it; what it shows can be had without a browser through `Explorer.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import traitlets

from utils.devices import available_devices, default_device
from utils.display.controls import HERE as DISPLAY
from utils.display.controls import Controls, choice, control
from utils.explorer.chart import Chart
from utils.explorer.history import History
from utils.explorer.race import Race, check_ranges, operations_in
from utils.explorer.words import error_in_words, in_words, result_in_html
from utils.measuring.results import Comparison

HERE = Path(__file__).parent


def explore(
    looped: Callable | Mapping[str, Callable],
    batched: Callable | Mapping[str, Callable],
    inputs: Callable,
    *,
    budget: float = 0.1,
    title: str = "",
    names: tuple[str, str] = ("loop", "batch"),
    **ranges: object,
) -> Explorer:
    """Compare ``looped`` and ``batched`` live, on inputs of any size.

    ``inputs(batch_size, …, device)`` makes the inputs (a tuple, or a single one); ``batch_size``
    and ``device`` must be among its parameters. ``ranges`` gives each of the others, and
    ``batch_size``, a control, with the abbreviations of `ipywidgets.interact`: a pair of whole
    numbers is a slider (in powers of two if it is wide), a list is a choice, a bool a checkbox.
    Two dicts of functions with the same keys add a choice of the operation. ``budget`` is the
    time to spend on a comparison, in seconds; ``names`` are what the two sides are called.

    Raises `TypeError` if the ranges do not fit the parameters of ``inputs``.
    """
    check_ranges(inputs, ranges)
    return Explorer(Race(operations_in(looped, batched), inputs, budget, names), title, ranges)


class Explorer:
    """The panel that `explore` returns. Show it by making it the last line of a cell."""

    def __init__(self, race: Race, title: str, ranges: Mapping[str, object]) -> None:
        self._race, self._title = race, title
        self.history = History()
        self.error: BaseException | None = None
        self._scheduled: asyncio.TimerHandle | None = None
        self._quiet = False
        controls = [control(name, given) for name, given in ranges.items()]
        if len(race.operations) > 1:
            controls.append(choice("operation", list(race.operations)))
        devices = [str(device) for device in available_devices()]
        controls.append(choice("device", devices, str(default_device())))
        controls.append(choice("threads", thread_counts(), torch.get_num_threads()))
        self.controls = {known.name: known for known in controls}
        self.settings: dict[str, Any] = {known.name: known.start for known in controls}
        sizes = self.controls["batch_size"].values
        self._chart = Chart((min(sizes), max(sizes)), race.names)
        self.widget = PanelWidget(controls, title)
        self.widget.observe(self._on_change, "values")
        self._redraw()
        with contextlib.suppress(Exception):  # shown in the panel
            self._run()

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
        self.settings |= {name: self.controls[name].take(value) for name, value in changes.items()}
        self._show_settings()
        return self._run()

    def save(self, path: str | Path) -> Path:
        """Write the history to a CSV file, a row for each run (times in seconds)."""
        return self.history.save(path)

    def _show_settings(self) -> None:
        self._quiet = True
        try:
            self.widget.values = {
                name: known.to_page(self.settings[name]) for name, known in self.controls.items()
            }
        finally:
            self._quiet = False

    def _on_change(self, change: Mapping[str, Any]) -> None:
        """Run soon, once, on whatever the controls say by then: a drag never queues up."""
        if self._quiet:
            return
        for name, sent in change["new"].items():
            self.settings[name] = self.controls[name].from_page(sent)
        if self._scheduled is not None:
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
        settings = dict(self.settings)
        self.widget.say(f"running {in_words(settings)} …")
        try:
            run = self._race.run(settings)
        except BaseException as error:
            self.error = error
            self.widget.say(error_in_words(error), alarm=True)
            raise
        self.error = None
        self.history.append(run)
        with self.widget.hold_sync():
            self._redraw()
            self._show_settings()
            self.widget.say(f"done: {in_words(settings)}")
        return run.comparison

    def _redraw(self) -> None:
        self._scene = self._chart.scene(self.history, self.settings)
        self.widget.chart = self._scene.to_page()
        self.widget.result = result_in_html(self.history)

    def __repr__(self) -> str:
        if not self.history:
            return f"Explorer: no comparison yet ({self.error})"
        last = self.history[-1]
        return f"{self.history!r}\n\nat {in_words(last.settings)}: {last.comparison!r}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict:
        """The live widget, and for whoever reads without a kernel a picture and its words."""
        live = self.widget._repr_mimebundle_(**kwargs)
        data = live[0] if isinstance(live, tuple) else live
        still = f"{self._scene.picture(self._title).html}<div>{self.widget.result}</div>"
        return {**(data or {}), "text/html": still, "text/plain": repr(self)}


class PanelWidget(Controls):
    """The panel on the page: its controls, and what it shows."""

    _esm = "".join(
        path.read_text("utf-8")
        for path in (
            DISPLAY / "element.js",
            DISPLAY / "controls.js",
            HERE / "chart.js",
            HERE / "panel.js",
        )
    )
    _css = "".join(
        path.read_text("utf-8") for path in (DISPLAY / "controls.css", HERE / "panel.css")
    )
    chart = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict({"text": "", "alarm": False}).tag(sync=True)
    result = traitlets.Unicode().tag(sync=True)

    def say(self, text: str, alarm: bool = False) -> None:
        """Show what happens now, or an alarm, in one line."""
        self.status = {"text": text, "alarm": alarm}


def thread_counts() -> list[int]:
    """Powers of two up to PyTorch's own number of threads, and that number."""
    own = torch.get_num_threads()
    return sorted({2**k for k in range(own.bit_length())} | {own})


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
