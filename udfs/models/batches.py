"""Cutting a window of chunks into micro-batches: sorted by length, no padding, at most so many tokens each."""

import numpy as np
from numpy.typing import NDArray


def plan_batches(lengths: NDArray[np.int64], token_budget: int) -> list[NDArray[np.int64]]:
    """Return micro-batches as arrays of chunk indices; together a permutation of all chunks.

    Longest first, so that a memory limit shows at once. A batch holds at most `token_budget` tokens; a chunk longer than that
    has a batch of its own. Equal lengths follow each other, in the order of the chunks: the encoder needs no padding.

    Args:
        lengths: (n,) tokens per chunk.
    """
    order = np.argsort(-lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    batches, start, spent = [], 0, 0
    while start < len(order):
        stop = int(np.searchsorted(ends, spent + token_budget, side="right"))
        stop = max(stop, start + 1)
        batches.append(order[start:stop])
        spent, start = int(ends[stop - 1]), stop
    return batches


def equal_runs(lengths: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Return (start, stop, length) of each run of equal neighbours in (n,) lengths."""
    if len(lengths) == 0:
        return []
    cuts = np.flatnonzero(np.diff(lengths)) + 1
    starts, stops = [0, *cuts.tolist()], [*cuts.tolist(), len(lengths)]
    return [(start, stop, int(lengths[start])) for start, stop in zip(starts, stops, strict=True)]
