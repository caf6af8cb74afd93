"""Assigning unit vectors to the nearest of a set of unit centroids."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udfs.models.files import ModelFileError


class Centroids:
    """Loaded centroids (k, d); computed in float64, so that a result does not depend on its batch."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self._rows = rows

    def nearest(self, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return (n,) positions of the nearest centroids and (n,) distances 1 - cosine, rounded to 6 decimals."""
        similarity = embeddings.astype(np.float64) @ self._rows.T
        positions = similarity.argmax(axis=1)
        return positions, np.round(1.0 - similarity[np.arange(len(positions)), positions], 6)


def load_centroids(path: str, sha256: str) -> Centroids:
    """Load the tensor `centroids` (k, d) float32 of a safetensors file.

    Raises:
        ModelFileError: missing or not the recorded file.
    """
    from safetensors.numpy import load

    try:
        data = Path(path).read_bytes()
    except OSError:
        raise ModelFileError(f"{path}: missing topic model; executors must see output.root") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelFileError(f"{path}: is not the topic model the driver recorded")
    return Centroids(load(data)["centroids"].astype(np.float64))
