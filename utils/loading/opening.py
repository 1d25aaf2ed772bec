"""Where rows come from: an array in memory, or one that stays in its file."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from utils.loading.files import InFile
from utils.loading.in_memory import InMemory

Source = Tensor | np.ndarray | str | os.PathLike


def open_rows(source: Source) -> InMemory | InFile:
    """The rows of a tensor, an array, a memory-mapped array, or a ``.npy`` file given by its path.

    Raises `FileNotFoundError`, `ValueError` for what is no whole array of rows, and `TypeError`
    for what PyTorch has no dtype for.
    """
    if isinstance(source, np.memmap) and source.base is not None:
        return _open_map(source)
    if isinstance(source, np.ndarray | Tensor):
        name = f"the array of shape {tuple(source.shape)}"
        if not source.ndim:
            raise ValueError("A single number has no rows. Give an array of at least 1 dimension.")
        if isinstance(source, np.ma.MaskedArray):
            raise TypeError(f"{name} is masked, and its mask would be lost. Give array.filled(…).")
        if isinstance(source, Tensor) and (source.layout != torch.strided or source.is_meta):
            form = "meta" if source.is_meta else str(source.layout)
            raise TypeError(f"{name} is a {form} tensor, which has no rows to read one by one.")
        dtype = source.dtype if isinstance(source, Tensor) else _torch_dtype(source, name)
        return InMemory(source, dtype)
    if isinstance(source, str | os.PathLike):
        return _open_file(os.path.abspath(source))
    cure = "Convert it with np.asarray, or save it with np.save."
    if isinstance(source, list | tuple):
        cure = "Several arrays are given one by one; a list of numbers with np.asarray."
    raise TypeError(
        f"Rows come from a tensor, a NumPy array or the path of a .npy file, but got a "
        f"{type(source).__name__}. {cure}"
    )


def open_equally_long(sources: Sequence[Source]) -> list[InMemory | InFile]:
    """All ``sources`` opened; `ValueError` if there are none or they differ in length."""
    opened = [open_rows(source) for source in sources]
    if not opened:
        raise ValueError("No array was given. Give one or more, such as the inputs and the labels.")
    lengths = [rows.shape[0] for rows in opened]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"The arrays have {' and '.join(map(str, lengths))} rows. Row i of each belongs to "
            "sample i, so all need the same number."
        )
    return opened


def _torch_dtype(array: np.ndarray, name: str) -> torch.dtype:
    dtype = array.dtype
    try:
        return torch.from_numpy(np.empty(0, dtype.newbyteorder("="))).dtype
    except TypeError:
        pass
    cure = "Convert the array to numbers first, such as array.astype(np.float32)."
    if dtype.names:
        cure = (
            f"Its rows are records. Give each field as an array of its own, such as "
            f"np.ascontiguousarray(array[{dtype.names[0]!r}])."
        )
    elif dtype.kind == "V" and dtype.itemsize in (1, 2):
        whole, examples = {
            1: ("int8", ("float8_e4m3fn", "float8_e5m2")),
            2: ("int16", ("bfloat16",)),
        }[dtype.itemsize]
        cure = (
            f"These are bytes whose meaning NumPy does not know, such as {' or '.join(examples)}. "
            f"Give them as whole numbers, array.view(np.{whole}), which also works for "
            "np.load(path, mmap_mode='r'), and take each batch as what it is: "
            f"batch.view(torch.{examples[0]})."
        )
    elif dtype.kind in "mM":
        cure = "Give the whole numbers that it consists of: array.view(np.int64)."
    raise TypeError(f"PyTorch has no dtype for the {dtype} of {name}. {cure}")


def _open_map(array: np.memmap) -> InFile:
    pages = array.base
    if isinstance(pages, np.memmap) and _same_bytes(array, pages):  # seen as another dtype
        pages = pages.base
    if not isinstance(pages, mmap.mmap) or array.mode == "c" or array.filename is None:
        raise ValueError(
            "This memory-mapped array is a part of its file, or a copy of it that can differ from "
            "the file (mode 'c'). Give the path of the file, or np.array(…) of what you need."
        )
    path = os.path.abspath(array.filename)
    if not Path(path).is_file():
        raise FileNotFoundError(f"The file {path} of this memory-mapped array has gone.")
    with open(path, "rb") as file:
        for place in (0, max(0, len(pages) - 4096)):
            file.seek(place + array.offset - array.offset % mmap.ALLOCATIONGRANULARITY)
            if file.read(4096)[: len(pages) - place] != pages[place : place + 4096]:
                raise ValueError(
                    f"The file {path} is no longer the one that was mapped: it was replaced "
                    "since. Give its path, to read the new one."
                )
    return InFile(path, array, array.offset, _torch_dtype(array, path))


def _same_bytes(one: np.ndarray, other: np.ndarray) -> bool:
    places = [array.__array_interface__["data"][0] for array in (one, other)]
    contiguous = one.flags.c_contiguous and other.flags.c_contiguous
    return places[0] == places[1] and one.nbytes == other.nbytes and contiguous


def _open_file(path: str) -> InFile:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}. Write it with np.save(path, array).")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be mapped into memory ({error}). It has to be one whole array of "
            "numbers, written with np.save; was it written to the end?"
        ) from error
    if not isinstance(array, np.memmap):
        array.close()
        raise ValueError(
            f"{path} holds several arrays. Save each in a .npy file of its own, with np.save."
        )
    if not array.ndim:
        raise ValueError(f"{path} holds a single number, which has no rows.")
    return InFile(path, array, array.offset, _torch_dtype(array, path))


def _stamp(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino
