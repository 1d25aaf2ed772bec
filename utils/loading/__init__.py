"""Loaders that deliver whole batches: what lessons 06 and 07 build up to.

The order of an epoch comes from a seed, the epoch's number and the size of a step over all
ranks. So it is the same for any number of worker processes and ranks, and a run that stopped
half-way goes on at exactly the next batch.
"""

from utils.loading.chunked_rows import ChunkedRows
from utils.loading.rows import chunks
from utils.loading.samplers import TensorBatchSampler
from utils.loading.to_device import on_device

__all__ = ["ChunkedRows", "TensorBatchSampler", "chunks", "on_device"]
