"""Loaders that deliver whole batches: what lessons 06 and 07 build up to.

Both make the order of an epoch from a seed and the epoch's number alone. So it is the same for
any number of worker processes, can be split over several machines, and a run that stopped
half-way goes on at exactly the next batch.
"""

from utils.loading.chunked_rows import ChunkedRows
from utils.loading.rows import chunks
from utils.loading.samplers import TensorBatchSampler

__all__ = ["ChunkedRows", "TensorBatchSampler", "chunks"]
