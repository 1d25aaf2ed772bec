"""Tensors, wherever they are: inside other values, in other libraries' arrays, in special forms."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch

LOOKED_AT = 4 * 2**20  # bytes of an array that are read to see whether it has changed


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """Every tensor in ``value``: a tensor, a module, or lists, tuples, dicts, dataclasses of these.

    Tuples with names are tuples.
    """
    yield from (leaf for leaf in leaves(value) if isinstance(leaf, torch.Tensor))


def leaves(value: object) -> Iterator[object]:
    """Everything in ``value`` that is no list, tuple, dict, dataclass or module itself."""
    if isinstance(value, torch.nn.Module):
        yield from value.parameters()
        yield from value.buffers()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif is_record(value):
        yield from leaves(fields_of(value))
    else:
        yield value


def is_record(value: object) -> bool:
    """True for an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def fields_of(record: object) -> dict[str, object]:
    """The fields of a dataclass's instance by name, themselves and no copies."""
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}  # type: ignore[arg-type]


def kind(value: object) -> str:
    """The type of ``value`` in words, with shape and dtype where it has them."""
    if isinstance(value, torch.Tensor):
        form = form_of(value)
        form = "" if form == "strided" else f"{form} "
        shape = "unequal rows" if value.is_nested else f"shape {tuple(value.shape)}"
        name = type(value).__name__
        name = "tensor" if name in ("Tensor", "Parameter", "NestedTensor") else name
        return f"a {form}{name} of {shape} and {value.dtype}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and {value.dtype}"
    if isinstance(value, list | tuple) and value:
        return f"a {type(value).__name__} of {len(value)} ({kind(value[0])}, …)"
    return "None" if value is None else f"a {type(value).__name__}"


def is_foreign(value: object) -> bool:
    """True for another library's array: NumPy's, and what can be handed to NumPy or DLPack."""
    if isinstance(value, torch.Tensor | type):
        return False
    return isinstance(value, np.ndarray | np.generic) or any(
        hasattr(value, name) for name in ("__dlpack__", "__array__", "__array_interface__")
    )


def as_tensor(array: object) -> torch.Tensor:
    """Another library's array as a tensor with the same values and dtype, always a copy.

    Any order of bytes, any strides. Raises `TypeError`, which names the dtype, where PyTorch has
    no such dtype (text, objects, dates, records, 128-bit floats).
    """
    if isinstance(array, torch.Tensor):
        return array.clone()
    if not isinstance(array, np.ndarray | np.generic) and hasattr(array, "__dlpack__"):
        return torch.from_dlpack(array).clone()
    values = np.asarray(array)
    try:
        return torch.from_numpy(np.array(values, values.dtype.newbyteorder("="), order="C"))
    except TypeError:
        raise TypeError(
            f"PyTorch has no dtype for the values of {kind(values)}. Convert them first, such as "
            "with array.astype(numpy.float32)."
        ) from None


def form_of(tensor: torch.Tensor) -> str:
    """How a tensor keeps its values: "strided" for an ordinary one, "sparse_csr", "nested", …"""
    if tensor.is_nested:
        return "nested"
    if tensor.is_quantized:
        return "quantized"
    if tensor.dtype.is_floating_point and tensor.dtype.itemsize == 1:
        return str(tensor.dtype).removeprefix("torch.")
    return str(tensor.layout).removeprefix("torch.").removeprefix("_")


def snapshot(value):
    """``value`` with copies of all tensors and arrays in it, in the same lists, tuples and dicts.

    Copies need no gradient. What holds no tensor is kept as it is. Raises `TypeError` for a
    tensor of a kind that PyTorch does not copy.
    """
    if isinstance(value, torch.Tensor):
        try:
            return value.detach().clone()
        except RuntimeError as error:  # NotImplementedError is one
            raise TypeError(
                f"PyTorch cannot copy {kind(value)} ({error}). Return an ordinary tensor."
            ) from None
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        return {name: snapshot(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(snapshot, value))
    if isinstance(value, list):
        return list(map(snapshot, value))
    return snapshot(fields_of(value)) if is_record(value) else value


def states(value: object) -> list[object]:
    """What changes when a tensor or an array in ``value`` is changed in place, one for each.

    PyTorch counts such changes. For arrays, and for tensors made in inference mode, it is a
    checksum of their values; of a large one, of its beginning, middle and end.
    """
    return [_state(leaf) for leaf in leaves(value)]


def _state(leaf: object) -> object:
    if isinstance(leaf, torch.Tensor):
        if not leaf.is_inference():
            return leaf._version
        if form_of(leaf) != "strided" or leaf.device.type != "cpu":
            return None
        leaf = leaf.detach().reshape(-1).view(torch.uint8).numpy() if leaf.numel() else None
    return _checksum(leaf) if isinstance(leaf, np.ndarray) and not leaf.dtype.hasobject else None


def _checksum(array: np.ndarray) -> int:
    rows = array.reshape(-1) if array.flags.c_contiguous else array.ravel(order="K")
    size = max(1, LOOKED_AT // 3 // max(1, rows.itemsize))
    middle = len(rows) // 2
    parts = (
        [rows]
        if rows.nbytes <= LOOKED_AT
        else [rows[:size], rows[middle : middle + size], rows[-size:]]
    )
    total = 0
    for part in parts:
        total = zlib.crc32(np.ascontiguousarray(part).tobytes(), total)
    return total


def length(value: object) -> int | None:
    """How many items a batch has; None for what is no batch."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return len(value) if value.ndim else None
    return len(value) if isinstance(value, list | tuple) else None


def first_items(inputs: tuple, count: int) -> tuple:
    """``inputs``, of each that is as long as the batch the first ``count`` items only."""
    items = next(filter(None, map(length, inputs)), None)
    return tuple(x[:count] if items and length(x) == items else x for x in inputs)
