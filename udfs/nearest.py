"""The documents whose vectors are nearest to one vector: the best of each partition, so that little is left to sort."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NEAREST = pa.schema(
    [("content_key", pa.string()), ("run_date", pa.date32()), ("doc_id", pa.string()), ("similarity", pa.float64())]
)


def make_nearest(vector: NDArray[np.float32], k: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: (run_date, doc_id, content_key, embedding) in, `NEAREST` rows out.

    Of each partition come the `k` most similar texts, each text once, with its first document. Similarity is the cosine, as the
    inner product with the unit `vector` (d,), in float64 and rounded to 6 decimals, so that it does not depend on the batch.
    Ties go to the smaller content key. A vector of another length or with a value that is not finite is no neighbour.
    """
    query = vector.astype(np.float64)

    def nearest(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        best: dict[str, tuple[float, object, str]] = {}
        for batch in batches:
            for key, entry in _candidates(batch, query, k):
                known = best.get(key)
                if known is None or entry[1:] < known[1:]:
                    best[key] = entry
            if len(best) > 4 * k:
                best = dict(_first(best, k))
        rows = _first(best, k)
        columns = {
            "content_key": [key for key, _ in rows],
            "run_date": [entry[1] for _, entry in rows],
            "doc_id": [entry[2] for _, entry in rows],
            "similarity": [entry[0] for _, entry in rows],
        }
        yield pa.RecordBatch.from_pydict(columns, schema=NEAREST)

    return nearest


def _candidates(
    batch: pa.RecordBatch, query: NDArray[np.float64], k: int
) -> Iterator[tuple[str, tuple[float, object, str]]]:
    """Yield the texts of a batch that can be among the k best: all copies of those at least as similar as the k-th."""
    vectors = batch.column("embedding")
    fits = np.asarray(pc.fill_null(pc.list_value_length(vectors), 0)) == len(query)
    rows = np.flatnonzero(fits)
    if len(rows) == 0:
        return
    flat = vectors.take(pa.array(rows)).flatten().to_numpy(zero_copy_only=False)
    similarity = np.round(flat.reshape(len(rows), -1).astype(np.float64) @ query, 6)
    rows, similarity = rows[np.isfinite(similarity)], similarity[np.isfinite(similarity)]
    keys, dates, ids = (batch.column(name) for name in ("content_key", "run_date", "doc_id"))
    order = np.argsort(-similarity, kind="stable")
    seen: set[str] = set()
    least = -np.inf
    for place in order:
        row = int(rows[place])
        key = keys[row].as_py()
        if key not in seen and len(seen) == k and similarity[place] < least:
            return
        seen.add(key)
        least = float(similarity[place])
        yield key, (least, dates[row].as_py(), ids[row].as_py())


def _first(best: dict[str, tuple[float, object, str]], k: int) -> list[tuple[str, tuple[float, object, str]]]:
    return sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:k]
