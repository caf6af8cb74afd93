"""Sums over nights that do not depend on which other series are in the batch.

numpy and BLAS choose the order of additions by the shape of the whole array; one night after the other is always the same.
"""

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def over_nights(x: Floats) -> Floats:
    """Return the sum of each row of x (m, nights)."""
    total = np.zeros(len(x))
    for night in range(x.shape[1]):
        total = total + x[:, night]
    return total


def by_level(x: Floats, levels: Ints) -> Floats:
    """Return the sum of each row over the nights of each level, (m, levels), for `levels` (nights,)."""
    total = np.zeros((len(x), int(levels.max(initial=0)) + 1))
    for night, level in enumerate(levels):
        total[:, level] += x[:, night]
    return total
