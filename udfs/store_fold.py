"""Folding newer rows of a score store into its compacted files (`udfs.store_files`), as executors do it: a prefix at a time."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from udfs.store_files import (
    KEYS,
    NARROW,
    VECTOR_ROW,
    Batches,
    PrefixFiles,
    by_prefix,
    files_of,
    vectors_of,
    write_prefix,
)

DROP, RANK = "is_dropped", "rank"
WRITTEN = "prefix string, n_rows bigint, n_bytes bigint"


def make_fold(
    files: Mapping[str, str], digits: int, folder: str, settled_errors: Sequence[str]
) -> Callable[[Batches], Batches]:
    """Return the function for `mapInArrow` that folds newer rows into the files of their prefixes, as new files in `folder`.

    In: RESULTS, `rank` (older sorts first) and `is_dropped`, equal prefixes one after the other. Of several rows of a key the
    first that is settled stays, else the first; what the old files hold comes before all. A key with a row that `is_dropped` is
    left out, whatever else there is of it. Out: prefix, rows and bytes of each prefix, also of one without rows and files.
    """

    def fold(batches: Batches) -> Batches:
        for prefix, newer in by_prefix(batches, digits):
            n_rows, n_bytes = _fold_prefix(files.get(prefix), newer, files_of(folder, prefix), settled_errors)
            yield pa.RecordBatch.from_pydict(
                {
                    "prefix": [prefix],
                    "n_rows": pa.array([n_rows], pa.int64()),
                    "n_bytes": pa.array([n_bytes], pa.int64()),
                }
            )

    return fold


def _fold_prefix(stem: str | None, newer: pa.Table, target: PrefixFiles, errors: Sequence[str]) -> tuple[int, int]:
    """Write the files of one prefix anew; return rows and bytes."""
    dropped = newer.filter(newer.column(DROP))
    fresh = newer.filter(pc.invert(newer.column(DROP)))
    old = pq.read_table(f"{stem}.parquet", partitioning=None) if stem else NARROW.empty_table()
    old_vectors = vectors_of(PrefixFiles(stem)) if stem else np.zeros((0, 1), np.float32)
    lists = fresh.column("embedding").combine_chunks()
    n_vectors = len(lists) - lists.null_count
    new_vectors = np.asarray(lists.flatten(), np.float32).reshape(n_vectors, -1) if n_vectors else old_vectors[:0]
    place = np.where(lists.is_valid(), len(old_vectors) + np.cumsum(np.asarray(lists.is_valid())) - 1, -1)
    place_column = pa.array(place, pa.int32(), mask=place < 0)
    narrow = fresh.select([n for n in NARROW.names if n != VECTOR_ROW]).append_column(VECTOR_ROW, place_column)
    whole = pa.concat_tables([old.select(NARROW.names), narrow.select(NARROW.names).cast(NARROW)])
    rank = [""] * len(old) + fresh.column(RANK).to_pylist()
    kept = _first_settled(whole, rank, errors)
    if len(dropped):
        # a text is dropped in every declared language
        gone = pc.is_in(whole.column("content_key"), value_set=dropped.column("content_key").combine_chunks())
        kept = kept[~gone.to_numpy()[kept]]
    if not len(kept):
        return 0, 0
    chosen = whole.take(pa.array(kept))
    rows = chosen.column(VECTOR_ROW).to_pandas().to_numpy(float)
    has = ~np.isnan(rows)
    # only one of the two is there in most folds, and numpy copies either way
    vectors = np.concatenate([p for p in (old_vectors, new_vectors) if len(p)] or [old_vectors])
    numbered = np.where(has, np.cumsum(has) - 1, -1)
    at = chosen.column_names.index(VECTOR_ROW)
    chosen = chosen.set_column(at, VECTOR_ROW, pa.array(numbered, pa.int32(), mask=~has))
    return len(kept), write_prefix(target, chosen, vectors[rows[has].astype(np.int64)])


def _first_settled(whole: pa.Table, rank: Sequence[str], errors: Sequence[str]) -> NDArray[np.int64]:
    """Return the places of one row per key, sorted by key: the first that is settled, else the first."""
    code = whole.column("error_code")
    settled = pc.or_(pc.is_null(code), pc.is_in(code, value_set=pa.array(list(errors), pa.string())))
    frame = pd.DataFrame({k: whole.column(k).to_numpy() for k in KEYS})
    frame["is_open"], frame["rank"] = ~settled.to_numpy(), list(rank)
    ordered = frame.sort_values([*KEYS, "is_open", "rank"], kind="stable").drop_duplicates(KEYS)
    return ordered.index.to_numpy(np.int64)
