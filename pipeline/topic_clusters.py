"""Clustering unit vectors into topics: spherical k-means, how many topics there are, their usual distances and groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Places = NDArray[np.int64]

_ITERATIONS, _FINE_ITERATIONS = 50, 15
_FINE, _FINE_ROWS = 200, 10
"""Clusters at the bottom of the tree: at most this many, and on average at least this many rows each."""
_DIMENSIONS = 50
_SPLITS, _STARTS = 3, 2
_PER_DOUBLING = 0.2
_JUDGED = 8_000
"""Rows that the number of topics is judged on."""
CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 150)


@dataclass(frozen=True)
class Clusters:
    """A clustering of n rows. The largest cluster is first.

    Attributes:
        centroids: (k, d) unit rows.
        assigned: (n,) position of the nearest centroid.
        agreement: candidate number of clusters -> share of rows that two halves place alike; empty where k was given.
    """

    centroids: Rows
    assigned: Places
    agreement: dict[int, float]


def fit_clusters(
    unit_rows: Rows, n_clusters: int | None, least_agreement: float, seed: int, fewest: int = 2
) -> Clusters:
    """Cluster (n, d) unit rows by cosine; without `n_clusters` their number is chosen from `fewest` on, see `chosen_number`.

    The best of several starts by mean cosine counts: cuts of the tree over many small clusters, and k-means++.
    """
    reduced = _reduced(unit_rows, seed)
    agreement: dict[int, float] = {}
    if n_clusters is None:
        agreement = agreements(reduced, seed, fewest)
        n_clusters = chosen_number(agreement, least_agreement)
    k = max(1, min(n_clusters, len(unit_rows)))
    starts = []
    if k < _n_fine(len(unit_rows)):
        fine, found = _fine(reduced, seed)
        starts.append(_means(unit_rows, _cut(fine, found, [k])[k][found], k))
    tried = [lloyd(unit_rows, start) for start in starts]
    tried += [spherical_kmeans(unit_rows, k, seed + i) for i in range(_STARTS)]
    centroids, assigned = max(tried, key=lambda t: mean_cosine(unit_rows, t[0], t[1]))
    return Clusters(*_by_size(centroids, assigned), agreement)


def chosen_number(agreement: dict[int, float], least: float) -> int:
    """Return the number of clusters k with the largest agreement + 0.2 log2(k) among those whose agreement is at least `least`.

    So the finest stable clustering is taken, and twice as many clusters may cost 0.2 of agreement. Where none is stable, the
    fewest are taken. After the stability principle of Lange, Roth, Braun and Buhmann (2004), Stability-based validation of
    clustering solutions, Neural Computation 16(6): a structure is real as far as another sample shows it as well.
    """
    stable = [k for k, share in agreement.items() if share >= least]
    return max(stable, key=lambda k: (agreement[k] + _PER_DOUBLING * float(np.log2(k)), k), default=min(agreement))


def agreements(unit_rows: Rows, seed: int, fewest: int = 2) -> dict[int, float]:
    """Return, for each candidate number of clusters, the share of rows that clusterings of two halves place alike.

    Each half is clustered on its own and places all rows; their clusters are paired optimally. Mean over three splits.
    """
    from scipy.optimize import linear_sum_assignment

    unit_rows = unit_rows[np.random.default_rng(seed).permutation(len(unit_rows))[:_JUDGED]]
    n = len(unit_rows)
    wanted = [k for k in sorted({fewest, *CANDIDATES}) if fewest <= k < _n_fine(n // 2)]
    if not wanted:
        return {min(fewest, n): 0.0}
    total = dict.fromkeys(wanted, 0.0)
    for split in range(_SPLITS):
        order = np.random.default_rng([seed, split]).permutation(n)
        placed = []
        for half in (order[: n // 2], order[n // 2 :]):
            part = unit_rows[half]
            fine, found = _fine(part, seed + split)
            cuts = _cut(fine, found, wanted)
            weights = np.bincount(found, minlength=len(fine)).astype(np.float64)
            refined = [lloyd(fine, _means(fine, cuts[k], k, weights), _FINE_ITERATIONS, weights)[0] for k in wanted]
            placed.append([(unit_rows @ c.T).argmax(axis=1) for c in refined])
        for k, first, second in zip(wanted, *placed, strict=True):
            table = np.zeros((k, k))
            np.add.at(table, (first, second), 1)
            total[k] += table[linear_sum_assignment(-table)].sum() / n
    return {k: round(float(share) / _SPLITS, 6) for k, share in total.items()}


def spherical_kmeans(unit_rows: Rows, k: int, seed: int) -> tuple[Rows, Places]:
    """Cluster (n, d) unit rows by cosine; return (k, d) unit centroids, largest cluster first, and (n,) assignments.

    Dhillon and Modha (2001), Concept decompositions for large sparse text data using clustering, Machine Learning 42;
    seeded by k-means++ (Arthur and Vassilvitskii, 2007). An empty cluster takes the row farthest from its centroid.
    """
    from sklearn.cluster import kmeans_plusplus

    return _by_size(*lloyd(unit_rows, kmeans_plusplus(unit_rows, k, random_state=seed)[0]))


def lloyd(
    unit_rows: Rows, start: Rows, iterations: int = _ITERATIONS, weights: NDArray[np.float64] | None = None
) -> tuple[Rows, Places]:
    """Run spherical k-means from `start` (k, d); clusters keep their positions. A row counts as often as its weight says."""
    centroids, assigned = start.copy(), np.full(len(unit_rows), -1)
    for _ in range(iterations):
        similarity = unit_rows @ centroids.T
        nearest = similarity.argmax(axis=1)
        if np.array_equal(nearest, assigned):
            break
        assigned = nearest
        empty = np.flatnonzero(np.bincount(assigned, minlength=len(start)) == 0)
        farthest = similarity.max(axis=1).argsort(kind="stable")[: len(empty)]
        centroids = _means(unit_rows, assigned, len(start), weights)
        centroids[empty[: len(farthest)]] = unit_rows[farthest]
    return centroids, assigned


def mean_cosine(unit_rows: Rows, centroids: Rows, assigned: Places) -> float:
    """Return what spherical k-means maximises: the mean cosine of the rows to their centroids."""
    return float(np.einsum("nd,nd->n", unit_rows, centroids[assigned]).mean(dtype=np.float64))


def usual_distances(unit_rows: Rows, centroids: Rows, assigned: Places, share: float) -> NDArray[np.float64]:
    """Return (k,) distances, 1 - cosine, that the share `share` of each cluster's rows keep to; 0 for an empty cluster."""
    distance = 1.0 - np.einsum("nd,nd->n", unit_rows, centroids[assigned]).astype(np.float64)
    members = (distance[assigned == i] for i in range(len(centroids)))
    return np.array([round(float(np.quantile(m, share, method="higher")), 6) if len(m) else 0.0 for m in members])


def parents(centroids: Rows, sizes: NDArray[np.int64]) -> list[int]:
    """Return for each cluster the position of its group's largest cluster: ceil(sqrt(k)) groups, Ward's tree over the centroids.

    Ward (1963), Hierarchical grouping to optimize an objective function, JASA 58; a centroid weighs as much as its cluster.
    """
    k = len(centroids)
    groups = _ward(centroids, np.maximum(sizes, 1), [int(np.ceil(np.sqrt(k)))])
    labels = next(iter(groups.values()))
    return [int(max(np.flatnonzero(labels == labels[i]), key=lambda j: (sizes[j], -j))) for i in range(k)]


def _by_size(centroids: Rows, assigned: Places) -> tuple[Rows, Places]:
    by_size = np.argsort(-np.bincount(assigned, minlength=len(centroids)), kind="stable")
    position = np.empty(len(centroids), dtype=np.int64)
    position[by_size] = np.arange(len(centroids))
    return centroids[by_size], position[assigned]


def _n_fine(n: int) -> int:
    return max(2, min(_FINE, n // _FINE_ROWS))


def _fine(unit_rows: Rows, seed: int) -> tuple[Rows, Places]:
    """Return many small clusters: the leaves of the tree."""
    from sklearn.cluster import kmeans_plusplus

    k = min(_n_fine(len(unit_rows)), len(unit_rows))
    return lloyd(unit_rows, kmeans_plusplus(unit_rows, k, random_state=seed, n_local_trials=1)[0], _FINE_ITERATIONS)


def _cut(fine: Rows, assigned: Places, wanted: Sequence[int]) -> dict[int, Places]:
    return _ward(fine, np.bincount(assigned, minlength=len(fine)), wanted)


def _ward(centroids: Rows, sizes: NDArray[np.int64], wanted: Sequence[int]) -> dict[int, Places]:
    """Merge clusters pair by pair, each time at the least loss; return the labels (0 to k - 1) at each wanted number."""
    n, sums = sizes.astype(np.float64), centroids.astype(np.float64) * sizes[:, None]
    labels, alive = np.arange(len(n)), np.ones(len(n), dtype=bool)
    n = np.maximum(n, 1e-9)
    means = sums / n[:, None]
    loss = _ward_loss(means, n, means, n)
    np.fill_diagonal(loss, np.inf)
    found = {}
    for left in range(len(n), 0, -1):
        if left in wanted or (left == len(n) and left < max(wanted)):
            found[left] = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        if left <= min(wanted):
            break
        i, j = sorted(divmod(int(loss.argmin()), len(loss)))
        sums[i] += sums[j]
        n[i] += n[j]
        means[i], alive[j], labels[labels == labels[j]] = sums[i] / n[i], False, labels[i]
        loss[j], loss[:, j] = np.inf, np.inf
        new = np.where(alive, _ward_loss(means[[i]], n[[i]], means, n)[0], np.inf)
        new[i] = np.inf
        loss[i], loss[:, i] = new, new
    return found


def _ward_loss(
    a: NDArray[np.float64], n_a: NDArray[np.float64], b: NDArray[np.float64], n_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    weight: NDArray[np.float64] = n_a[:, None] * n_b[None] / (n_a[:, None] + n_b[None])
    loss: NDArray[np.float64] = np.maximum(squares, 0.0) * weight
    return loss


def _means(unit_rows: Rows, assigned: Places, k: int, weights: NDArray[np.float64] | None = None) -> Rows:
    """Return (k, d) unit means; those of empty clusters are zero."""
    from scipy.sparse import csr_matrix

    n = len(unit_rows)
    counted = np.ones(n) if weights is None else weights
    sums = csr_matrix((counted, (assigned, np.arange(n))), shape=(k, n)) @ unit_rows.astype(np.float64)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    means: Rows = (sums / np.where(length > 0, length, 1.0)).astype(np.float32)
    return means


def _reduced(unit_rows: Rows, seed: int) -> Rows:
    """Return unit rows of the first principal components: as good for telling topics apart, and several times as fast."""
    rows = unit_rows - unit_rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    if rows.shape[1] > _DIMENSIONS:
        values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
        top = vectors[:, np.argsort(-values, kind="stable")[:_DIMENSIONS]]
        rows = (rows @ top).astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    reduced: Rows = rows / np.where(length > 0, length, 1.0)
    return reduced
