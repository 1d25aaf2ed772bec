"""In the process of a submission: call an answer with inputs from the judge, and reply.

Nothing here is secret and nothing is trusted: a submission may replace all of it. It can then
send other data, but data is all that the judge takes, and compares with its own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data
from torch.utils.data import DataLoader

from utils.classroom import observing, wire

MIME = "application/x-answer"


def samples(make: Callable, table: object, *columns: object) -> dict[str, Any]:
    """What a data set of single samples holds."""
    dataset = make(table, *columns)
    length = len(dataset)
    found = [dataset[position] for position in range(min(length, len(table)))]  # type: ignore
    batch = next(iter(DataLoader(dataset, batch_size=3)))
    return {"length": length, "samples": found, "again": dataset[0], "batch": batch}


def fetched(make: Callable, *given: object) -> dict[str, Any]:
    """What a data set returns for the last of the inputs, a whole batch of indices."""
    dataset = make(*given[:-1])
    return {"length": len(dataset), "batch": dataset[given[-1]]}


def from_file(answer: Callable, array: np.ndarray, *settings: object) -> object:
    """What an answer makes of a file with this array."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, array)
        before = _digest(path)
        found = answer(path, *settings)
        if _digest(path) != before:
            raise ValueError("it changes the file")
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def with_generator(answer: Callable, *inputs: object) -> dict[str, Any]:
    """The result, and the state of everybody's generator behind it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        return {"result": answer(*inputs), "state": torch.default_generator.get_state()}


WAYS: dict[str, Callable] = {
    "call": lambda answer, *inputs: answer(*inputs),
    "vmap": lambda answer, *inputs: torch.vmap(answer, in_dims=(0, None, None))(*inputs),
    "gradient": lambda answer, *inputs: torch.vmap(
        torch.func.grad(answer), in_dims=(0, None, None)
    )(*inputs),
    "samples": samples,
    "fetched": fetched,
    "from_file": from_file,
    "with_generator": with_generator,
}


def reply(name: str, way: str, text: str, observe: str = "") -> None:
    """Call the answer called ``name`` and publish what it returns, or how it stopped."""
    shell = get_ipython()  # type: ignore[no-untyped-call]
    assert shell is not None
    scope = shell.user_ns
    publish_display_data({MIME: wire.write(reply_from(scope, name, way, text, observe))})


def reply_from(scope: dict, name: str, way: str, text: str, observe: str = "") -> dict[str, object]:
    """What the answer called ``name`` in ``scope`` returns, or how it stopped."""
    if not callable(scope.get(name)):
        return {"error": "NameError", "message": f"there is no function {name}"}
    inputs = wire.read(text, strides=True)
    assert isinstance(inputs, tuple)
    seen: dict[str, object] = {}
    try:
        with np.errstate(all="ignore"):
            call = partial(WAYS[way], scope[name], *inputs)
            result = observing.observed(call, observe, seen) if observe else call()
    except observing.WatchError as error:
        return {"error": "WatchError", "message": str(error), "fault": True}
    except BaseException as error:  # SystemExit, too, is how an answer can stop
        return _stopped(error)
    if wire.write(inputs) != text:
        message = "it changes what it was given; work on a new object"
        return {"error": "ValueError", "message": message}
    return {"result": result, "seen": seen}


def _stopped(error: BaseException) -> dict[str, object]:
    *_, innermost = traceback.extract_tb(error.__traceback__)
    own = os.path.dirname(torch.__file__) in innermost.filename
    name = type(error).__name__
    stub = type(error) is NotImplementedError and not own
    message = "\n".join(str(error).splitlines()[:1])[:300]
    return {"error": name, "message": message, "stub": stub}
