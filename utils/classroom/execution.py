"""Run a submission's cells in the sandbox; a cell that kills the kernel costs only itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty

from jupyter_client import BlockingKernelClient
from nbformat import NotebookNode
from nbformat.v4 import new_output, output_from_msg

from utils.classroom.sandbox import Limits, Sandbox

MOST_RESTARTS = 12


class _Lost(Exception):
    """The kernel ended, or had to be ended; the message says why."""


class Kernel:
    """A sandboxed kernel and the client that talks to it."""

    def __init__(self, limits: Limits, hidden: Sequence[Path]):
        self._limits = limits
        self._sandbox = Sandbox(limits, hidden).__enter__()
        self._client = BlockingKernelClient()
        self._client.load_connection_info(self._sandbox.connection)
        self._client.start_channels()
        try:
            self._await_start()
        except BaseException:
            self.end()
            raise

    def _await_start(self) -> None:
        until = time.monotonic() + 60
        while True:
            self._client.kernel_info()
            try:
                self._client.get_shell_msg(timeout=1)
                break
            except Empty:
                if time.monotonic() > until or not self._sandbox.is_alive():
                    raise RuntimeError("The kernel does not start.") from None
        while True:  # what came in several answers to several questions
            try:
                self._client.get_shell_msg(timeout=0.05)
            except Empty:
                return

    def end(self) -> None:
        """End the kernel and all that it started."""
        self._client.stop_channels()
        self._sandbox.__exit__()

    def run(self, source: str, seconds: float) -> list[NotebookNode]:
        """The outputs of ``source``; raises `_Lost` if it ends the kernel or takes too long."""
        asked = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        outputs: list[NotebookNode] = []
        until, size = time.monotonic() + seconds, 0
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=0.2)
            except Empty:
                if not self._sandbox.is_alive():
                    raise _Lost("it ended the kernel (or was ended for using too much)") from None
                message = None
            if time.monotonic() > until:
                raise _Lost(f"it took longer than {seconds:g} s")
            if message is None or message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind in ("stream", "display_data", "execute_result", "error"):
                size += len(str(content))
                if kind == "error" or size <= self._limits.output:
                    outputs.append(output_from_msg(message))


def execute(notebook: NotebookNode, limits: Limits, hidden: Sequence[Path] = ()) -> list[str]:
    """Run all code cells in place; returns what went wrong beyond errors, one line for each.

    After a cell that ended the kernel or took too long, a new kernel runs the earlier cells
    again, without that one, and goes on behind it. Cells for which nothing came out have an
    error as their output, never nothing: nbgrader takes nothing for success.
    """
    problems, fatal = [], set()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kernel, done = Kernel(limits, hidden), 0
    try:
        while done < len(cells):
            cell = cells[done]
            try:
                cell.outputs = _run(kernel, cell, limits)
                done += 1
                continue
            except _Lost as lost:
                problems.append(f"cell {_name(cell)}: {lost}")
                cell.outputs = [_error("Stopped", str(lost))]
            fatal.add(done)
            done += 1
            kernel.end()
            kernel = (
                _again(cells[:done], fatal, limits, hidden) if len(fatal) <= MOST_RESTARTS else None
            )
            if kernel is None:
                problems.append(f"not run from cell {_name(cell)} on")
                for rest in cells[done:]:
                    rest.outputs = [_error("NotRun", "the kernel ended too often")]
                return problems
    finally:
        if kernel is not None:
            kernel.end()
    return problems


def _run(kernel: Kernel, cell: NotebookNode, limits: Limits) -> list[NotebookNode]:
    outputs = kernel.run(cell.source, limits.seconds)
    if not cell.metadata.get("nbgrader", {}).get("grade") or _failed(outputs):
        return outputs
    looked = kernel.run("__import__('utils.classroom.tripwire').classroom.tripwire.replaced()", 10)
    text = "".join(output.get("data", {}).get("text/plain", "") for output in looked)
    if text != "[]":
        return [_error("Replaced", f"these are no longer the original functions: {text}")]
    return outputs


def _again(
    cells: list[NotebookNode], fatal: set[int], limits: Limits, hidden: Sequence[Path]
) -> Kernel | None:
    """A new kernel that has run the cells before, or None if they end it now."""
    kernel = Kernel(limits, hidden)
    try:
        for index, cell in enumerate(cells):
            if index not in fatal and not cell.metadata.get("nbgrader", {}).get("grade"):
                kernel.run(cell.source, limits.seconds)
    except _Lost:
        kernel.end()
        return None
    return kernel


def _failed(outputs: list[NotebookNode]) -> bool:
    return any(output.output_type == "error" for output in outputs)


def _error(name: str, message: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


def _name(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "without a name")
