"""Bands and similarities of vectors: random hyperplanes (Charikar 2002)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from udfs.shingles import mixed

MapInArrow = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
_SEED = 20_040_517


@dataclass(frozen=True)
class HyperplaneSpec:
    """Two vectors at an angle t share a band with probability 1 - (1 - (1 - t / pi)^rows)^bands; rows at most 63."""

    bands: int
    rows: int


def make_vector_bands(spec: HyperplaneSpec) -> MapInArrow:
    """Return the function for `mapInArrow`: (run_date, node, embedding) in, `udfs.minhash.BANDS` out, one row per band."""

    def bands(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            vectors = _matrix(batch.column("embedding"), batch.num_rows)
            planes = np.random.default_rng(_SEED).standard_normal((vectors.shape[1], spec.bands * spec.rows))
            side = (vectors @ planes > 0).reshape(batch.num_rows, spec.bands, spec.rows).astype(np.uint64)
            keys = (side << np.arange(spec.rows, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)
            ties = np.roll(keys, -1, axis=1)
            keys = mixed(keys ^ mixed(np.arange(spec.bands, dtype=np.uint64) + np.uint64(1 << 32)))
            whose = pa.array(np.repeat(np.arange(batch.num_rows), spec.bands))
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


def make_cosine(similarity: float) -> MapInArrow:
    """Return the function for `mapInArrow`: (a, b, embedding_a, embedding_b: unit vectors) in, the similar pairs out."""

    def similar(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            a, b = (_matrix(batch.column(name), batch.num_rows) for name in ("embedding_a", "embedding_b"))
            cosine = np.round(np.einsum("ij,ij->i", a, b), 9)
            columns = [batch.column("a"), batch.column("b"), pa.array(cosine)]
            near = pa.array(cosine >= similarity)
            yield pa.RecordBatch.from_arrays(columns, ["a", "b", "similarity"]).filter(near)

    return similar


def _matrix(column: pa.ListArray, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.reshape(column.flatten().to_numpy(zero_copy_only=False), (n, -1)).astype(np.float64)
