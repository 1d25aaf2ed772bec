"""One kernel in a sandbox, and the client that talks to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty

import psutil
import zmq
from jupyter_client import BlockingKernelClient
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from utils.classroom import wire
from utils.classroom.answering import MIME
from utils.classroom.sandbox import Limits, Sandbox

LARGEST_MESSAGE = 2**24  # bytes; who sends more is cut off
WAITING_MESSAGES = 100
MOST_HELD = 2**30  # bytes that the grader may come to hold while it waits; see `_held`
# what makes exit(), quit() and a restart end the cell and not the kernel
_PRELUDE = (
    "get_ipython().ask_exit = lambda: None\n"
    "get_ipython().kernel.do_shutdown = lambda restart: {'status': 'ok', 'restart': restart}\n"
    "__import__('utils.classroom.isolation').classroom.isolation.await_closed"
)


class LostError(Exception):
    """The kernel ended, or had to be ended; the message says why."""


class StartError(RuntimeError):
    """The kernel did not start, which is nobody's fault."""


class Kernel:
    """A kernel for one submission."""

    def __init__(self, limits: Limits, hidden: Sequence[Path] = ()):
        self._limits = limits
        self._sandbox = Sandbox(limits, hidden).__enter__()
        self._context = zmq.Context()
        self._context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        self._context.setsockopt(zmq.RCVHWM, WAITING_MESSAGES)
        self._context.setsockopt(zmq.LINGER, 0)
        self._client = BlockingKernelClient(context=self._context)
        self._client.load_connection_info(self._sandbox.connection)
        try:
            self._client.start_channels()
            self._await_start()
            outputs = self.run(f"{_PRELUDE}({str(self._sandbox.folder)!r})", limits.start_seconds)
            if outputs:
                raise StartError(f"The kernel does not start: {outputs}")
        except LostError as lost:
            self.end()
            raise StartError(f"The kernel does not start: {lost}.") from None
        except BaseException:
            self.end()
            raise

    def _await_start(self) -> None:
        """Wait until both channels deliver: the messages of one that does not yet are lost."""
        until, heard = time.monotonic() + self._limits.start_seconds, False
        while True:
            self._client.kernel_info()
            try:
                self._client.get_shell_msg(timeout=1)
                heard = heard or bool(self._client.get_iopub_msg(timeout=0.5))
            except Empty:
                pass
            if heard:
                break
            if time.monotonic() > until or not self._sandbox.is_alive():
                raise StartError("The kernel does not start.")
        while True:  # what came in several answers to several questions
            try:
                self._client.get_shell_msg(timeout=0.05)
            except Empty:
                return

    def end(self) -> list[str]:
        """End the kernel and all that it started; what it tried that it should not."""
        self._client.stop_channels()
        self._context.destroy(linger=0)
        self._sandbox.__exit__()
        return self._sandbox.attempts

    def run(self, source: str, seconds: float) -> list[NotebookNode]:
        """The outputs of ``source``; raises `LostError` if it ends the kernel or is too slow."""
        outputs: list[NotebookNode] = []
        size = 0
        for message in self._messages(source, seconds):
            if message["msg_type"] not in ("stream", "display_data", "execute_result", "error"):
                continue
            weight = _weight(message["content"])
            if message["msg_type"] == "error":
                outputs.append(_shortened(message, self._limits.output))
            elif size + weight <= self._limits.output:
                outputs.append(output_from_msg(message))
            size += weight
        return outputs

    def ask(self, name: str, way: str, inputs: str, observe: str, seconds: float) -> dict:
        """What the answer ``name`` returns for inputs; see `utils.classroom.answering`.

        Raises `LostError` like `run`, and `utils.classroom.wire.UnreadableError`.
        """
        source = (
            "__import__('utils.classroom.answering').classroom.answering.reply"
            f"({name!r}, {way!r}, {inputs!r}, {observe!r})"
        )
        found: object = None
        for message in self._messages(source, seconds):
            if message["msg_type"] == "display_data" and MIME in message["content"]["data"]:
                found = wire.read(str(message["content"]["data"][MIME]))
        if not isinstance(found, dict) or not {"result", "error"} & found.keys():
            raise wire.UnreadableError("no answer came")
        return found

    def _messages(self, source: str, seconds: float) -> Iterator[dict]:
        asked = self._client.execute(
            source, silent=False, store_history=False, allow_stdin=False, stop_on_error=False
        )
        until, before = time.monotonic() + seconds, _held()
        while True:
            if _held() > before + MOST_HELD:
                self._sandbox.__exit__()
                raise LostError(f"it sent more than {MOST_HELD / 2**30:g} GiB of messages")
            try:
                message = self._client.get_iopub_msg(timeout=0.2)
            except Empty:
                if not self._sandbox.is_alive():
                    raise LostError(self._why_it_ended()) from None
                message = None
            except ValueError:  # a message that somebody without the key has signed
                message = None
            if time.monotonic() > until:
                raise LostError(f"it took longer than {seconds:g} s")
            if message is None or message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    return
            else:
                yield message

    def _why_it_ended(self) -> str:
        if not self._sandbox.exceeded():
            return "it ended the kernel (or was ended for using much)"
        most = [
            f"{number / 2**30:g} GiB"
            for number in (self._limits.total_memory, self._limits.total_disk)
        ]
        return "it used more than {} of memory, or {} of disk, in all".format(*most)


def _held() -> int:
    """Bytes of memory of this process.

    Whoever speaks the protocol can send one message of endlessly many parts, each small enough:
    ZeroMQ, which has no limit for that, keeps them until the last one is there.
    """
    return psutil.Process().memory_info().rss


def _weight(content: dict) -> int:
    return len(json.dumps(content, default=str))


def _shortened(message: dict, most: int) -> NotebookNode:
    output = output_from_msg(message)
    output.evalue = output.evalue[:most]
    output.traceback = [line[:most] for line in output.traceback[:50]]
    return output
