"""Moving living topics on to a newer sample: warm-started, so that they stay what they are unless the texts have changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.topic_clusters import Places, Rows, lloyd, spherical_kmeans

_HYSTERESIS = 1.5
_LEAST_SHARE = 0.1
_WARM_ITERATIONS = 10


@dataclass(frozen=True)
class Moved:
    """Topics on a newer sample: (k', d) unit centroids, those that came from living topics first, and (n,) assignments."""

    centroids: Rows
    assigned: Places


def resolution(unit_rows: Rows, centroids: Rows, assigned: Places, seed: int) -> float:
    """Return how much mean cosine a boundary between two topics is worth here: what tells one topic from two.

    The geometric mean of the least loss of joining two topics and the largest gain of splitting one, both per row.
    """
    joins, splits = _joins(unit_rows, assigned, len(centroids)), _splits(unit_rows, assigned, len(centroids), seed)
    loss = float(joins.min()) if len(centroids) > 1 else max(s[0] for s in splits)
    return float(np.sqrt(max(loss, 0.0) * max(max(s[0] for s in splits), 0.0))) / len(unit_rows)


def moved(unit_rows: Rows, living: Rows, boundary: float, seed: int, fixed: bool = False) -> Moved:
    """Run spherical k-means on (n, d) unit rows from the living centroids (k, d); drop, join and split topics where due.

    A topic is dropped with less than a tenth of an average topic's rows. Two topics are joined where their boundary is worth
    less than `boundary` / 1.5, one is split where a boundary within it is worth more than `boundary` * 1.5 and neither part
    would be dropped. Between the two nothing changes: topics do not flicker.

    Args:
        boundary: `resolution` of the first fit.
        fixed: never join or split: the number of topics was given.
    """
    n, least = len(unit_rows), max(2.0, _LEAST_SHARE * len(unit_rows) / len(living))
    centroids, assigned = lloyd(unit_rows, living, _WARM_ITERATIONS)
    sizes = np.bincount(assigned, minlength=len(centroids))
    if (sizes < least).any() and (sizes >= least).any():
        centroids, assigned = lloyd(unit_rows, centroids[sizes >= least], _WARM_ITERATIONS)
    for _ in range(0 if fixed else len(living)):
        joins = _joins(unit_rows, assigned, len(centroids))
        if len(centroids) > 2 and joins.min() / n < boundary / _HYSTERESIS:
            i, j = sorted(divmod(int(joins.argmin()), len(joins)))
            total = unit_rows[(assigned == i) | (assigned == j)].sum(axis=0, dtype=np.float64)
            centroids[i] = total / np.linalg.norm(total)
            centroids, assigned = lloyd(unit_rows, np.delete(centroids, j, axis=0), _WARM_ITERATIONS)
            continue
        splits = _splits(unit_rows, assigned, len(centroids), seed, least)
        i = max(range(len(splits)), key=lambda s: splits[s][0])
        gain, parts = splits[i]
        if parts is None or gain / n <= boundary * _HYSTERESIS:
            break
        # the part nearer to what the topic was goes on in its place
        nearer = int((parts @ centroids[i]).argmax())
        grown = np.concatenate([centroids, parts[[1 - nearer]]])
        grown[i] = parts[nearer]
        centroids, assigned = lloyd(unit_rows, grown, _WARM_ITERATIONS)
    return Moved(*lloyd(unit_rows, centroids))


def _lengths(unit_rows: Rows, assigned: Places, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (k, d) sums of the clusters' rows and (k,) their lengths: the sum of the rows' cosines to their centroid."""
    sums = np.stack([unit_rows[assigned == i].sum(axis=0, dtype=np.float64) for i in range(k)])
    return sums, np.linalg.norm(sums, axis=1)


def _joins(unit_rows: Rows, assigned: Places, k: int) -> NDArray[np.float64]:
    """Return (k, k) the sum of cosines lost by joining two clusters; the diagonal is infinite."""
    sums, lengths = _lengths(unit_rows, assigned, k)
    together = lengths[:, None] ** 2 + lengths[None] ** 2 + 2 * sums @ sums.T
    loss = lengths[:, None] + lengths[None] - np.sqrt(np.maximum(together, 0.0))
    np.fill_diagonal(loss, np.inf)
    return loss


def _splits(
    unit_rows: Rows, assigned: Places, k: int, seed: int, least: float = 1.0
) -> list[tuple[float, Rows | None]]:
    """Return for each cluster the sum of cosines gained by its best split in two, and the parts' centroids; 0 where none."""
    found: list[tuple[float, Rows | None]] = []
    for i in range(k):
        rows = unit_rows[assigned == i]
        if len(rows) < 2 * max(least, 1.0):
            found.append((0.0, None))
            continue
        parts, places = spherical_kmeans(rows, 2, seed)
        if np.bincount(places, minlength=2).min() < least:
            found.append((0.0, None))
            continue
        before = float(np.linalg.norm(rows.sum(axis=0, dtype=np.float64)))
        found.append((float(_lengths(rows, places, 2)[1].sum()) - before, parts))
    return found
