"""Clustering texts by their neighbourhood: every row becomes the mean of its nearest ones before it is clustered.

A vector of one text is noisy, the mean of its neighbours is less so, and texts of one theme move together. It is one step of
mean shift by nearest neighbours (Fukunaga and Hostetler 1975, The estimation of the gradient of a density function, IEEE
Transactions on Information Theory 21). Topics themselves stay in the space of the texts: their centroids are means of the rows
as they are.
"""

import numpy as np

from pipeline.topic_clusters import Clusters, Places, Rows, by_size, fit_clusters, means, number_of_clusters
from pipeline.topic_refit import Moved, moved, resolution

_NEIGHBOURS = 15
_PER_ROOT = 4
"""Of n rows, the root of n over this many are neighbours, so that a small theme is not drowned in a small sample."""
_SOUGHT = 20_000
_BLOCK = 1_000


def fit_smoothed(
    unit_rows: Rows, n_clusters: int | None, least_agreement: float, seed: int, fewest: int = 2
) -> tuple[Clusters, float]:
    """Cluster (n, d) unit rows by their neighbourhoods; return the clusters of the rows as they are, and `resolution`.

    Their number is that of the rows as they are (`number_of_clusters`): neighbours would make two halves of them alike.
    """
    agreement: dict[int, float] = {}
    if n_clusters is None:
        n_clusters, agreement = number_of_clusters(unit_rows, least_agreement, seed, fewest)
    rows = smoothed(unit_rows, seed)
    found = fit_clusters(rows, n_clusters, least_agreement, seed)
    boundary = resolution(rows, found.centroids, found.assigned, seed)
    placed = as_they_are(unit_rows, found.assigned, len(found.centroids))
    return Clusters(*by_size(*placed), agreement), boundary


def move_smoothed(unit_rows: Rows, living: Rows, boundary: float, seed: int, fixed: bool = False) -> Moved:
    """Move living topics on to newer rows by their neighbourhoods; see `pipeline.topic_refit.moved`."""
    found = moved(smoothed(unit_rows, seed), living, boundary, seed, fixed)
    return Moved(*as_they_are(unit_rows, found.assigned, len(found.centroids)))


def smoothed(unit_rows: Rows, seed: int) -> Rows:
    """Return (n, d) unit rows: of each row its nearest neighbours, itself among them, weighted by cosine; at most 15.

    Of more than 20,000 rows, neighbours are looked for among so many, drawn by `seed`.
    """
    n = len(unit_rows)
    neighbours = min(_NEIGHBOURS, int(np.sqrt(n)) // _PER_ROOT)
    if neighbours < 2:
        return unit_rows
    among = unit_rows if n <= _SOUGHT else unit_rows[np.sort(np.random.default_rng(seed).permutation(n)[:_SOUGHT])]
    out = np.empty_like(unit_rows)
    for start in range(0, n, _BLOCK):
        cosines = unit_rows[start : start + _BLOCK] @ among.T
        nearest = np.argpartition(-cosines, neighbours, axis=1)[:, :neighbours]
        weights = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0.0)
        out[start : start + _BLOCK] = np.einsum("nk,nkd->nd", weights, among[nearest])
    length = np.linalg.norm(out, axis=1, keepdims=True)
    # a row that is like no other stays what it is
    rows: Rows = np.where(length > 0, out / np.where(length > 0, length, 1.0), unit_rows).astype(np.float32)
    return rows


def as_they_are(unit_rows: Rows, assigned: Places, k: int) -> tuple[Rows, Places]:
    """Return the centroids (k, d) of clusters of smoothed rows among the rows themselves, and (n,) the nearest of each row.

    A cluster that would be nearest to none keeps the rows it was found with.
    """
    centroids = means(unit_rows, assigned, k)
    nearest: Places = (unit_rows @ centroids.T).argmax(axis=1)
    empty = np.flatnonzero(np.bincount(nearest, minlength=k) == 0)
    return centroids, np.where(np.isin(assigned, empty), assigned, nearest)
