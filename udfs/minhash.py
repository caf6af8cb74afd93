"""Sketches, MinHash bands and similarities of texts: Arrow batches in, Arrow batches out, numpy between."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.shingles import SHORT_TEXT, WEIGHTS, Longs, mixed, shingled

MapInArrow = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
SKETCHES = (
    "run_date date, content_key string, n_docs long, first_ts timestamp, fold long, n_tokens int, sketch array<long>"
)
BANDS = "run_date date, node long, band long, tie long"
SIMILARITIES = "a long, b long, similarity double"
_MAX_PAIRS = 1 << 18


@dataclass(frozen=True)
class MinHashSpec:
    """What decides sketches and bands. Two texts of similarity s share a band with probability 1 - (1 - s^rows)^bands."""

    bands: int
    rows: int
    sketch_size: int
    short_tokens: int


def make_sketch(spec: MinHashSpec) -> MapInArrow:
    """Return the function for `mapInArrow`: run_date, content_key, n_docs, first_ts and text in, SKETCHES out, row by row."""

    kept = ("run_date", "content_key", "n_docs", "first_ts")

    def sketch(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = shingled(batch.column("text").to_pylist(), spec.short_tokens, spec.sketch_size)
            lists = pa.ListArray.from_arrays(pa.array(found.starts.astype(np.int32)), pa.array(found.values))
            yield pa.RecordBatch.from_arrays(
                [*(batch.column(n) for n in kept), pa.array(found.fold), pa.array(found.n_tokens), lists],
                [*kept, "fold", "n_tokens", "sketch"],
            )

    return sketch


def make_bands(spec: MinHashSpec) -> MapInArrow:
    """Return the function for `mapInArrow`: (run_date, node, sketch) in, BANDS out: one row per band; none of an empty sketch.

    `tie` is a hash value of the next band: sorted by it, the most similar texts of a bucket lie side by side.
    """

    def bands(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            values, starts = flat(batch.column("sketch"))
            full = np.flatnonzero(np.diff(starts))
            minima = signatures(values, starts[:-1][full], spec.bands * spec.rows)
            grouped = minima.view(np.uint64).reshape(len(full), spec.bands, spec.rows)
            keys = np.broadcast_to(np.arange(spec.bands, dtype=np.uint64), grouped.shape[:2])
            for j in range(spec.rows):
                keys = mixed(keys * np.uint64(0x9E3779B97F4A7C15) + grouped[:, :, j])
            ties = np.roll(grouped[:, :, 0], -1, axis=1)
            whose = pa.array(np.repeat(full, spec.bands))
            yield pa.RecordBatch.from_arrays(
                [
                    batch.column("run_date").take(whose),
                    batch.column("node").take(whose),
                    pa.array(keys.reshape(-1).view(np.int64)),
                    pa.array(np.ascontiguousarray(ties).reshape(-1).view(np.int64)),
                ],
                ["run_date", "node", "band", "tie"],
            )

    return bands


def make_similarity(similarity: float, short_similarity: float, sketch_size: int) -> MapInArrow:
    """Return the function for `mapInArrow`: (a, b, sketch_a, sketch_b) in, SIMILARITIES of the similar pairs out."""

    def similar(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, _MAX_PAIRS):
                part = batch.slice(start, _MAX_PAIRS)
                found, short = jaccard(*flat(part.column("sketch_a")), *flat(part.column("sketch_b")), sketch_size)
                near = pa.array(found >= np.where(short, short_similarity, similarity) - 1e-12)
                columns = [part.column("a"), part.column("b"), pa.array(found)]
                yield pa.RecordBatch.from_arrays(columns, ["a", "b", "similarity"]).filter(near)

    return similar


def signatures(values: Longs, starts: Longs, n_hashes: int) -> NDArray[np.float64]:
    """Return MinHash signatures (n, n_hashes): equal at a place with the probability of the weighted Jaccard similarity.

    The minimum of exponential variates with the weights as rates, here mapped to the unit interval: a shingle of weight 1/2 with
    the uniform hash u takes the value 1 - (1 - u)^2. `starts` are the places where the (non-empty) texts begin.
    """
    found = np.empty((len(starts), n_hashes))
    if len(starts) == 0:
        return found
    unique, inverse = np.unique(values, return_inverse=True)
    bits, light = unique.view(np.uint64), WEIGHTS[unique & 3] < 1
    for j in range(n_hashes):
        seed = mixed(np.array([j + 1], np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        u = (mixed(bits ^ seed) >> np.uint64(11)) * 2.0**-53
        u = np.where(light, u * (2 - u), u)
        found[:, j] = np.minimum.reduceat(u[inverse], starts)
    return found


def jaccard(
    a: Longs, a_starts: Longs, b: Longs, b_starts: Longs, sketch_size: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the weighted Jaccard similarity of n pairs of sketches, and whether either is of a short text. 0 for empty ones.

    Exact where both sketches hold all shingles; else estimated from the shingles that both sketches would hold.
    """
    n = len(a_starts) - 1
    a_rows, b_rows = (np.repeat(np.arange(n), np.diff(s)) for s in (a_starts, b_starts))
    limit = np.minimum(_last(a, a_starts, sketch_size), _last(b, b_starts, sketch_size))
    a_kept, b_kept = a <= limit[a_rows], b <= limit[b_rows]
    a, a_rows, b, b_rows = a[a_kept], a_rows[a_kept], b[b_kept], b_rows[b_kept]
    # 45 bits of the hash beside 18 bits of the row: ascending already, as each sketch is
    both = np.concatenate([(rows << 45) | (v >> 18) for rows, v in ((a_rows, a), (b_rows, b))])
    order = np.argsort(both, kind="stable")
    twice = order[:-1][both[order[1:]] == both[order[:-1]]]
    common = np.bincount(a_rows[twice], WEIGHTS[a[twice] & 3], n)
    union = np.bincount(a_rows, WEIGHTS[a & 3], n) + np.bincount(b_rows, WEIGHTS[b & 3], n) - common
    short = np.bincount(a_rows[a & 3 == SHORT_TEXT], minlength=n) + np.bincount(
        b_rows[b & 3 == SHORT_TEXT], minlength=n
    )
    return np.divide(common, union, out=np.zeros(n), where=union > 0), short > 0


def _last(values: Longs, starts: Longs, size: int) -> Longs:
    """Return the largest value of each full sketch, the largest integer for the others."""
    full = np.diff(starts) >= size
    last = np.full(len(full), np.iinfo(np.int64).max)
    last[full] = values[starts[1:][full] - 1]
    return last


def flat(column: pa.ListArray) -> tuple[Longs, Longs]:
    """Return the values of a column of lists and where each begins, the end of the last included."""
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
