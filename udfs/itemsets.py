"""Exact counts of given itemsets over baskets: one pass, a few numbers out per partition."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

COUNTED = pa.schema(
    [
        ("itemset", pa.int32()),
        ("n_mining", pa.int64()),
        ("n_test", pa.int64()),
        ("n_docs", pa.int64()),
        ("docs", pa.list_(pa.string())),
    ]
)
"""Per itemset (its place in the given list): distinct texts of either half with all of it, documents, and the smallest ids."""


def make_counts(
    items: Sequence[str], itemsets: Sequence[Sequence[int]], n_evidence: int
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: half (0 mining, 1 test), n_docs, doc_id, items in; `COUNTED` out.

    Args:
        items: the items that count; others are passed over.
        itemsets: places in `items`. The empty itemset is in every basket.
        n_evidence: ids kept per itemset.
    """

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = pa.array(items, pa.string())
        totals = np.zeros((len(itemsets), 3))  # whole numbers, exact in doubles
        docs: list[list[str]] = [[] for _ in itemsets]
        for batch in batches:
            if batch.num_rows == 0:
                continue
            ordered = batch.take(pc.sort_indices(batch.column("doc_id")))
            has = _matrix(ordered.column("items"), known)
            half = ordered.column("half").to_numpy(zero_copy_only=False)
            weights = np.stack([half == 0, half == 1, ordered.column("n_docs").to_numpy(zero_copy_only=False)], axis=1)
            ids = ordered.column("doc_id")
            for place, itemset in enumerate(itemsets):
                rows = np.flatnonzero(_all(has, itemset))
                totals[place] += weights[rows].sum(axis=0)
                if n_evidence and len(rows):
                    docs[place] = sorted({*docs[place], *ids.take(rows[:n_evidence]).to_pylist()})[:n_evidence]
        whole = totals.astype(np.int64)
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(np.arange(len(itemsets), dtype=np.int32)),
                *(pa.array(whole[:, i]) for i in range(3)),
                pa.array(docs, pa.list_(pa.string())),
            ],
            schema=COUNTED,
        )

    return count


def make_bounds(
    counts: dict[str, int], steps: Sequence[int], largest: int
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: items in; `step` (place) and `subsets` out, one row per step and partition.

    `subsets` is the number of itemsets in the baskets, the sum of 2^L, where a basket has L of the items of at least the step's
    count, and at most `largest`.
    """

    def bound(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known, n = pa.array(list(counts), pa.string()), np.array(list(counts.values()), dtype=np.int64)
        subsets = np.zeros(len(steps))  # whole numbers below 2^53: exact, so the order does not matter
        for batch in batches:
            rows, places = _entries(batch.column("items"), known)
            for i, step in enumerate(steps):
                lengths = np.bincount(rows[n[places] >= step], minlength=batch.num_rows)
                subsets[i] += np.exp2(np.minimum(lengths, largest)).sum()
        columns = [pa.array(np.arange(len(steps), dtype=np.int32)), pa.array(subsets)]
        yield pa.RecordBatch.from_arrays(columns, names=["step", "subsets"])

    return bound


def make_short(ranked: Sequence[str], largest: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: items in; out, per row, the places in `ranked` of its first `largest` items."""

    def shorten(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = pa.array(ranked, pa.string())
        for batch in batches:
            rows, places = _entries(batch.column("items"), known)
            order = np.lexsort((places, rows))
            rows, places = rows[order], places[order]
            starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=batch.num_rows))])
            keep = np.arange(len(rows)) - starts[rows] < largest
            sizes = np.bincount(rows[keep], minlength=batch.num_rows)
            offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
            short = pa.ListArray.from_arrays(pa.array(offsets), pa.array(places[keep].astype(np.int32)))
            yield pa.RecordBatch.from_arrays([short], names=["items"])

    return shorten


def _entries(lists: pa.ListArray, known: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and place in `known` of every known item, in order."""
    places = pc.index_in(lists.flatten(), known)
    inside = places.is_valid()
    rows = pc.list_parent_indices(lists).filter(inside)
    return rows.to_numpy(zero_copy_only=False).astype(np.int64), places.filter(inside).to_numpy(
        zero_copy_only=False
    ).astype(np.int64)


def _matrix(lists: pa.ListArray, known: pa.Array) -> NDArray[np.bool_]:
    """Return (items, rows): whether a row's list holds an item."""
    rows, places = _entries(lists, known)
    has = np.zeros((len(known), len(lists)), dtype=np.bool_)
    has[places, rows] = True
    return has


def _all(has: NDArray[np.bool_], itemset: Sequence[int]) -> NDArray[np.bool_]:
    if not itemset:
        return np.ones(has.shape[1], dtype=np.bool_)
    found: NDArray[np.bool_] = has[itemset[0]]
    for item in itemset[1:]:
        found = found & has[item]
    return found


def make_pairs(
    vocabulary: dict[tuple[object, str], list[str]],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: run_date, lang, n_docs, score (null or millionths), phrases in; `PAIRS` out.

    Args:
        vocabulary: phrases per night and language. Memory: 32 bytes x phrases squared, per night and language.
    """

    def pair(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        sums: dict[tuple[object, str], NDArray[np.float64]] = {}
        for batch in batches:
            keys = list(zip(batch.column("run_date").to_pylist(), batch.column("lang").to_pylist(), strict=True))
            for key in dict.fromkeys(keys):
                if key not in vocabulary:
                    continue
                rows = batch.filter(pa.array([k == key for k in keys]))
                has = _matrix(rows.column("phrases"), pa.array(vocabulary[key], pa.string())).astype(np.float64)
                score = rows.column("score").to_numpy(zero_copy_only=False).astype(np.float64)
                weights = (
                    np.ones(rows.num_rows),
                    rows.column("n_docs").to_numpy(zero_copy_only=False).astype(np.float64),
                    np.nan_to_num(score),
                    (~np.isnan(score)).astype(np.float64),
                )
                found = np.stack([(has * w) @ has.T for w in weights])
                sums[key] = sums[key] + found if key in sums else found
        for (run_date, lang), found in sums.items():
            first, second = np.nonzero(np.triu(found[0] > 0))
            columns = [pa.array(found[i][first, second].astype(np.int64)) for i in range(4)]
            n = len(first)
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array([run_date] * n, pa.date32()),
                    pa.array([lang] * n, pa.string()),
                    pa.array(first.astype(np.int32)),
                    pa.array(second.astype(np.int32)),
                    *columns,
                ],
                schema=PAIRS,
            )

    return pair


PAIRS = pa.schema(
    [
        ("run_date", pa.date32()),
        ("lang", pa.string()),
        ("first", pa.int32()),
        ("second", pa.int32()),
        ("n_effective", pa.int64()),
        ("n_docs", pa.int64()),
        ("score_sum", pa.int64()),
        ("n_scored", pa.int64()),
    ]
)
"""Per pair of the vocabulary (places; a phrase with itself gives its own counts) what one partition holds."""
