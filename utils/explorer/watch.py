"""Lookout one real call: what it allocates, reads and computes, and whether it fits into memory.

Nothing is planned on tensors without data: the reader's functions are called on real inputs only,
so whatever they keep is worth keeping. What would not fit is refused at the operation that asks
for it, before it allocates anything.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import flop_registry

from utils.display.units import format_bytes
from utils.tensors import tensors_in

USABLE = 0.8  # of the free memory; the rest is for what PyTorch needs for itself
SMALL = 2**20  # bytes; what surely is not larger is not looked at


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Operations that read all of their inputs and whose arithmetic is small beside the reading. Those
# that work element by element say so themselves.
READERS = _names("""
    all amax amin any argmax argmin cat clone copy count_nonzero cumsum cumprod dist
    linalg_vector_norm max max_dim mean median min min_dim nansum norm prod repeat stack std sum
    to_copy var var_mean log_softmax softmax logsumexp native_layer_norm native_batch_norm
    native_group_norm roll flip constant_pad_nd tril triu softmax_backward_data equal item
    local_scalar_dense isin bincount histc native_dropout bernoulli mv dot vdot addmv addr outer
""")
# The same, but with arithmetic that is not counted here.
WORKERS = _names("""
    sort topk kthvalue mode unique unique2 unique_dim cholesky cholesky_solve lu_unpack ormqr
    geqrf cdist cdist_forward pdist_forward searchsorted bucketize median_dim embedding_bag
    logcumsumexp grid_sampler_2d upsample_bilinear2d upsample_nearest2d max_pool2d_with_indices
    avg_pool2d mkldnn_rnn_layer euclidean_dist linear matmul
""")
# Operations that read only what they return, picked from a larger tensor.
PICKERS = _names("index index_select gather take embedding masked_select take_along_dim nonzero")


@dataclass(frozen=True)
class Demand:
    """What a call did, as far as its operations show it."""

    needed: int  # bytes that were allocated at once, at most
    moved: int | None  # bytes that at least had to be read and written; None: not known
    operations: int | None  # in products and convolutions; None: other arithmetic is in it, too
    unknown: tuple[str, ...]  # operations whose reading or arithmetic is not known


class Lookout(TorchDispatchMode):
    """Count bytes and arithmetic of the operations inside; refuse what exceeds ``free`` bytes.

    Raises `MemoryError` in place of an operation whose result would not fit.
    """

    def __init__(self, free: int) -> None:
        super().__init__()
        self.free = int(USABLE * free)
        self.now = self.peak = self.operations = 0
        self.born: weakref.WeakSet = weakref.WeakSet()
        self.read: dict[int, int] = {}
        self.not_read: set[str] = set()
        self.not_counted: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = list(tensors_in((args, kwargs)))
        if _at_most(args, kwargs) > SMALL:
            self._refuse_if_too_large(func, args, kwargs)
        result = func(*args, **kwargs)
        made = list(tensors_in(result))
        self._note(func, args, kwargs, given, result, made)
        known = {id(storage) for storage in _storages(given)}
        for storage in _storages(made):
            if id(storage) not in known and storage not in self.born:
                self.born.add(storage)
                self.now += storage.nbytes()
                weakref.finalize(storage, self._forget, storage.nbytes())
        self.peak = max(self.peak, self.now)
        return result

    def demand(self, result: object) -> Demand:
        """What was done, for what the call returned."""
        written = {id(s): s.nbytes() for s in _storages(result) if s in self.born}
        known = bool(self.read) and not self.not_read
        return Demand(
            needed=self.peak,
            moved=sum(self.read.values()) + sum(written.values()) if known else None,
            operations=None if self.not_counted or self.not_read else self.operations,
            unknown=tuple(sorted(self.not_read | self.not_counted)),
        )

    def insist(self, needed: int) -> None:
        """Raise `MemoryError` if ``needed`` bytes more would not fit."""
        if self.now + needed > self.free:
            raise MemoryError(
                f"this would take about {format_bytes(self.now + needed)}, and "
                f"{format_bytes(self.free / USABLE)} are free"
            )

    def _forget(self, size: int) -> None:
        self.now -= size

    def _refuse_if_too_large(self, func: Any, args: tuple, kwargs: Mapping[str, object]) -> None:
        """Ask PyTorch for the shape of the result, with tensors of its own that have no data."""
        try:
            shapes = tree_map_only(torch.Tensor, _without_data, (args, dict(kwargs)))
            if isinstance(shapes[1].get("device"), torch.device):
                shapes[1]["device"] = torch.device("meta")
            known = {s._cdata for s in _storages(shapes)}
            made = {s._cdata: s for s in _storages(func(*shapes[0], **shapes[1]))}
        except Exception:  # what depends on the data, or is no plain tensor, has no shape yet
            return
        self.insist(sum(s.nbytes() for key, s in made.items() if key not in known))

    def _note(self, func, args, kwargs, given, result, made) -> None:
        name = func._schema.name.removeprefix("aten::").strip("_")
        packet = func.overloadpacket
        views = made and {*map(id, _storages(made))} <= {*map(id, _storages(given))}
        if not given or name.endswith("_like") or name.startswith("new_"):
            return  # nothing is read
        if views and not func._schema.is_mutable:
            return
        if name in PICKERS:
            picked = sum(t.nbytes for t in made)
            self._reads(given[:1], picked)
            self._reads(given[1:])
            return
        self._reads(given)
        if packet in flop_registry:
            if made and made[0].dtype in (torch.float32, torch.float64):
                self.operations += flop_registry[packet](*args, **kwargs, out_val=result)
            else:
                self.not_counted.add(name)
        elif name in WORKERS or name.startswith(("linalg_", "fft_", "scaled_dot_product_")):
            self.not_counted.add(name)
        elif name not in READERS and torch.Tag.pointwise not in func.tags:
            self.not_read.add(name)

    def _reads(self, tensors: Iterable[torch.Tensor], most: float = math.inf) -> None:
        """Note how much of what existed before the call is read: each byte once."""
        for tensor in tensors:
            storage = _storage(tensor)
            if storage is None or storage in self.born:
                continue
            sizes = zip(tensor.shape, tensor.stride(), strict=True)
            distinct = math.prod(n for n, step in sizes if step) * tensor.element_size()
            seen = self.read.get(storage._cdata, 0)
            self.read[storage._cdata] = max(seen, int(min(distinct, storage.nbytes(), most)))


def _storage(tensor: torch.Tensor) -> Any:
    """The storage of a plain tensor; None for what is stored otherwise (sparse, nested)."""
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return None


def _storages(value: object) -> list[Any]:
    return [s for s in map(_storage, tensors_in(value)) if s is not None]


def _at_most(args: Iterable[object], kwargs: Mapping[str, object]) -> int:
    """More bytes than a result can have: every number of elements and size times each other."""
    elements = 1
    for given in (*args, *kwargs.values()):
        if isinstance(given, torch.Tensor):
            elements *= max(1, given.numel())
        elif isinstance(given, list | tuple):
            held = [item.numel() for item in given if isinstance(item, torch.Tensor)]
            sizes = [abs(n) for n in given if isinstance(n, int) and n]
            elements *= max(1, sum(held)) * math.prod(sizes)
        elif isinstance(given, int | float) and abs(given) > 1 and math.isfinite(given):
            elements *= math.ceil(abs(given))
    return 16 * elements


def _without_data(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
