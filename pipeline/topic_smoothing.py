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
_BLOCK = 250


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
    placed = as_they_are(unit_rows, found.centroids, found.assigned)
    return Clusters(*by_size(*placed), agreement), boundary


def move_smoothed(unit_rows: Rows, living: Rows, boundary: float, seed: int, fixed: bool = False) -> Moved:
    """Move living topics on to newer rows by their neighbourhoods; see `pipeline.topic_refit.moved`."""
    found = moved(smoothed(unit_rows, seed), living, boundary, seed, fixed)
    return Moved(*as_they_are(unit_rows, found.centroids, found.assigned))


def smoothed_resolution(unit_rows: Rows, centroids: Rows, seed: int) -> float:
    """Return `resolution` of clusters (k, d) on rows (n, d) by their neighbourhoods."""
    rows = smoothed(unit_rows, seed)
    return resolution(rows, centroids, (rows @ centroids.T).argmax(axis=1), seed)


def smoothed(unit_rows: Rows, seed: int) -> Rows:
    """Return (n, d) unit rows: of each row its nearest neighbours, itself among them, weighted by cosine; at most 15.

    Of more than 20,000 rows, neighbours are looked for among so many, drawn by `seed`, and the row itself counts beside them.
    """
    n = len(unit_rows)
    neighbours = min(_NEIGHBOURS, int(np.sqrt(n)) // _PER_ROOT)
    if neighbours < 2:
        return unit_rows
    among = unit_rows if n <= _SOUGHT else unit_rows[np.sort(np.random.default_rng(seed).permutation(n)[:_SOUGHT])]
    out = np.empty_like(unit_rows) if n <= _SOUGHT else unit_rows.copy()
    for start in range(0, n, _BLOCK):
        cosines = unit_rows[start : start + _BLOCK] @ among.T
        nearest = np.argpartition(-cosines, neighbours, axis=1)[:, :neighbours]
        weights = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0.0)
        mean = np.einsum("nk,nkd->nd", weights, among[nearest])
        out[start : start + _BLOCK] = mean if n <= _SOUGHT else mean + out[start : start + _BLOCK]
    length = np.linalg.norm(out, axis=1, keepdims=True)
    # a row that is like no other stays what it is
    rows: Rows = np.where(length > 0, out / np.where(length > 0, length, 1.0), unit_rows).astype(np.float32)
    return rows


def as_they_are(unit_rows: Rows, found: Rows, assigned: Places) -> tuple[Rows, Places]:
    """Return the centroids (k, d) of clusters of smoothed rows among the rows themselves, and (n,) the nearest of each row.

    A cluster that no row is nearest to keeps one row, that of its own which is nearest to its centroid.

    Args:
        found: (k, d) centroids of the smoothed rows, for clusters without rows.
        assigned: (n,) clusters of the smoothed rows.
    """
    k = len(found)
    has_rows = np.bincount(assigned, minlength=k) > 0
    centroids: Rows = np.where(has_rows[:, None], means(unit_rows, assigned, k), found).astype(np.float32)
    cosines = unit_rows @ centroids.T
    nearest: Places = cosines.argmax(axis=1)
    for cluster in np.flatnonzero(np.bincount(nearest, minlength=k) == 0):
        own = np.flatnonzero(assigned == cluster) if has_rows[cluster] else np.arange(len(unit_rows))
        nearest[own[cosines[own, cluster].argmax()]] = cluster
    return centroids, nearest
