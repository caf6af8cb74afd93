"""Assigning unit vectors to the nearest of a set of unit centroids."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udfs.models.files import ModelFileError


class Centroids:
    """Loaded centroids (k, d) and their topics' ids (k,); computed in float64, so that a result does not depend on its batch."""

    def __init__(self, rows: NDArray[np.float64], ids: NDArray[np.int64]) -> None:
        self._rows, self._ids = rows, ids

    def nearest(self, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return (n,) ids of the nearest topics and (n,) distances 1 - cosine, rounded to 6 decimals."""
        similarity = embeddings.astype(np.float64) @ self._rows.T
        positions = similarity.argmax(axis=1)
        return self._ids[positions], np.round(1.0 - similarity[np.arange(len(positions)), positions], 6)


def load_centroids(path: str, sha256: str) -> Centroids:
    """Load the tensors `centroids` (k, d) float32 and `ids` (k,) int64 of a safetensors file; ids default to the positions.

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
    tensors = load(data)
    rows = tensors["centroids"].astype(np.float64)
    return Centroids(rows, tensors.get("ids", np.arange(len(rows))))
