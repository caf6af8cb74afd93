"""The night's score store as arrays on disk that a lookup reads a few pages of.

`<index>/<model key>/<part>/` stands for one folder of the store: meta.json with the number of buckets (a power of two), and for
each bucket that has rows `<bucket>.rows.npy` (n,) of `ROWS`, sorted by key, and `<bucket>.vectors.npy` (n, d) float32, zeros
where a text has none. The key is the first 16 bytes of the content key; its leading bits name the bucket. Files are mapped into
memory, so processes of a node share what they have read, and a folder on a shared file system will do.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Row = tuple[Any, ...]
ROWS = np.dtype(
    [
        ("key", ">u8"), ("rest", ">u8"), ("lang", "S8"), ("sentiment", "S8"), ("score", "<f8"), ("confidence", "<f8"),
        ("model", "S96"), ("coverage", "<f8"), ("error", "S20"),
    ]
)  # fmt: skip
WRITTEN = pa.schema([("bucket", pa.int32()), ("n", pa.int64())])
META = "meta.json"


def bucket_of(key: NDArray[np.uint64], buckets: int) -> NDArray[np.int64]:
    """Return the bucket of each key, of a number that is a power of two."""
    bits = buckets.bit_length() - 1
    return (key >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(key), np.int64)


def make_write_buckets(folder: str, dim: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: stored rows with `bucket`, sorted by bucket and content_key; one row per bucket out.

    A try that is repeated writes the same bytes; a file appears whole or not at all.
    """

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in _rows(batch, dim))
        for bucket, group in groupby(rows, key=lambda row: row[0]):
            pairs = [(record, vector) for _, record, vector in group]
            records = np.array([record for record, _ in pairs], ROWS)
            _save(Path(folder) / f"{bucket}.vectors.npy", np.stack([vector for _, vector in pairs]))
            _save(Path(folder) / f"{bucket}.rows.npy", records)
            yield pa.RecordBatch.from_pydict({"bucket": [bucket], "n": [len(pairs)]}, schema=WRITTEN)

    return write


def _rows(batch: pa.RecordBatch, dim: int) -> Iterator[tuple[int, Row, NDArray[np.float32]]]:
    nothing = np.zeros(dim, np.float32)
    for row in batch.to_pylist():
        head = bytes.fromhex(row["content_key"][:32])
        record = (
            int.from_bytes(head[:8], "big"),
            int.from_bytes(head[8:], "big"),
            *((row[name] or "").encode() for name in ("lang", "sentiment")),
            *(np.nan if row[name] is None else row[name] for name in ("sentiment_score", "sentiment_confidence")),
            (row["sentiment_model"] or "").encode(),
            row["coverage"],
            (row["error_code"] or "").encode(),
        )
        vector = nothing if row["embedding"] is None else np.asarray(row["embedding"], np.float32)
        yield row["bucket"], record, vector


def _save(path: Path, array: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{uuid4().hex}.npy")
    np.save(unfinished, array)
    os.replace(unfinished, path)


def commit_part(unfinished: Path, part: Path, buckets: int) -> None:
    """Give a written part its name, unless another process was faster."""
    unfinished.mkdir(parents=True, exist_ok=True)
    (unfinished / META).write_text(json.dumps({"buckets": buckets}), encoding="utf-8")
    try:
        os.rename(unfinished, part)
    except OSError:
        if not (part / META).is_file():
            raise
        shutil.rmtree(unfinished)


class StoreIndex:
    """The indexed parts of one model key; parts that come later are seen."""

    def __init__(self, index: Path, model_key: str) -> None:
        self._folder = index / model_key
        self._changed: int | None = None
        self._parts: dict[str, _Part] = {}

    def get(self, digests: Sequence[bytes]) -> dict[int, Row]:
        """Return the results of content keys (sha256) by their position in `digests`, columns as `udfs.sql.cache.COLUMNS`.

        Of several nights that scored a text the earliest counts.
        """
        self._refresh()
        left = np.arange(len(digests))
        whole = np.frombuffer(b"".join(d[:16] for d in digests), ">u8").reshape(-1, 2).astype(np.uint64)
        found: dict[int, Row] = {}
        for name in sorted(self._parts):
            if len(left):
                found |= self._parts[name].get(whole[left], left)
                left = np.array([i for i in left.tolist() if i not in found], np.int64)
        return found

    def _refresh(self) -> None:
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed != self._changed:
            for meta in self._folder.glob(f"[!.]*/{META}"):
                self._parts.setdefault(meta.parent.name, _Part(meta.parent))
            self._changed = changed


class _Part:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buckets = int(json.loads((folder / META).read_text(encoding="utf-8"))["buckets"])
        self._open: dict[int, tuple[Any, Any] | None] = {}

    def get(self, keys: NDArray[np.uint64], places: NDArray[np.int64]) -> dict[int, Row]:
        buckets = bucket_of(keys[:, 0], self._buckets)
        found: dict[int, Row] = {}
        for bucket in np.unique(buckets).tolist():
            arrays = self._arrays(bucket)
            if arrays is not None:
                mine = np.flatnonzero(buckets == bucket)
                found |= _hits(*arrays, keys[mine], places[mine])
        return found

    def _arrays(self, bucket: int) -> tuple[Any, Any] | None:
        if bucket not in self._open:
            paths = [self._folder / f"{bucket}.{kind}.npy" for kind in ("rows", "vectors")]
            is_there = paths[0].is_file()
            self._open[bucket] = (np.load(paths[0], "r"), np.load(paths[1], "r")) if is_there else None
        return self._open[bucket]


def _hits(rows: Any, vectors: Any, keys: NDArray[np.uint64], places: NDArray[np.int64]) -> dict[int, Row]:
    at = np.minimum(np.searchsorted(rows["key"], keys[:, 0].astype(">u8")), len(rows) - 1)
    is_hit = (rows["key"][at] == keys[:, 0]) & (rows["rest"][at] == keys[:, 1])
    found = {}
    for place, i in zip(places[is_hit].tolist(), at[is_hit].tolist(), strict=True):
        row = rows[i]
        lang, sentiment, model, error = (row[n].decode() or None for n in ("lang", "sentiment", "model", "error"))
        score, confidence = (None if np.isnan(row[n]) else float(row[n]) for n in ("score", "confidence"))
        vector = None if error else np.asarray(vectors[i]).tobytes()
        found[place] = (lang, sentiment, score, confidence, model, float(row["coverage"]), error, vector)
    return found
