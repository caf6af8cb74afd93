"""The files of a compacted score store, as executors write and search them: two per key prefix.

`<prefix>.parquet` holds everything but the vectors, sorted by key, with `vector_row`; `<prefix>.arrow` the vectors, float32, row
after row, uncompressed, so that a search maps the file and touches the rows it wants. Files are written whole and never changed.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from udfs.results import RESULTS

Batches = Iterator[pa.RecordBatch]
KEYS = ["content_key", "lang_hint"]
VECTOR_ROW = "vector_row"
NARROW = pa.schema([*(f for f in RESULTS if f.name != "embedding"), (VECTOR_ROW, pa.int32())])
_ROWS_OUT = 4_096
_GROUP_ROWS = 16_384


@dataclass(frozen=True)
class PrefixFiles:
    """Where the two files of a prefix lie; `stem` is their common path without suffix."""

    stem: str

    @property
    def keys(self) -> str:
        """Path of everything but the vectors."""
        return f"{self.stem}.parquet"

    @property
    def vectors(self) -> str:
        """Path of the vectors; there is none where no row has one."""
        return f"{self.stem}.arrow"


def files_of(folder: str, prefix: str) -> PrefixFiles:
    """Return where a prefix's files lie in a folder."""
    return PrefixFiles(f"{folder}/{quote(prefix, safe='')}")


def make_find(
    files: Mapping[str, str], digits: int, settled_errors: Sequence[str] | None = None
) -> Callable[[Batches], Batches]:
    """Return the function for `mapInArrow` that finds the stored rows of keys.

    In: KEYS, no key twice, equal prefixes one after the other. Out: `udfs.results.RESULTS`, one row per key that is there; or
    KEYS alone, of the rows that are settled, where `settled_errors` is given: then no vector is touched.

    Args:
        files: by prefix, the stem of its files. Of a prefix that is not wanted nothing is opened.
        digits: characters of a prefix.
    """

    def find(batches: Batches) -> Batches:
        for prefix, wanted in by_prefix(batches, digits):
            if prefix not in files:
                continue
            place = PrefixFiles(files[prefix])
            if settled_errors is None:
                yield from _rows(place, _places(place, wanted))
            else:
                yield from _settled(place, wanted, settled_errors)

    return find


def make_read(files: Mapping[str, str]) -> Callable[[Batches], Batches]:
    """Return the function for `mapInArrow` that reads whole prefixes. In: `prefix`. Out: `udfs.results.RESULTS`."""

    def read(batches: Batches) -> Batches:
        for batch in batches:
            for prefix in batch.column(0).to_pylist():
                place = PrefixFiles(files[prefix])
                yield from _rows(place, np.arange(pq.read_metadata(place.keys).num_rows))

    return read


def write_prefix(place: PrefixFiles, narrow: pa.Table, vectors: NDArray[np.float32]) -> int:
    """Write a prefix' files whole, the vectors first; return their size in bytes.

    Args:
        narrow: rows sorted by KEYS, with `vector_row`, null or the row of `vectors`, (n, d).
    """
    os.makedirs(os.path.dirname(place.stem), exist_ok=True)
    if len(vectors):
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        table = pa.table({"embedding": flat})
        with (
            _whole(place.vectors) as path,
            pa.OSFile(path, "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    with _whole(place.keys) as path:
        # keys do not repeat: a dictionary of them would cost time and space
        repeating = [name for name in NARROW.names if name not in ("content_key", VECTOR_ROW)]
        pq.write_table(
            narrow.select(NARROW.names).cast(NARROW), path, row_group_size=_GROUP_ROWS, compression="zstd",
            use_dictionary=repeating,
        )  # fmt: skip
    return sum(os.path.getsize(p) for p in (place.keys, place.vectors) if os.path.exists(p))


class _whole:  # noqa: N801  (reads as a verb where it is used)
    """A temporary path beside the wanted one, moved there when the block ends well."""

    def __init__(self, path: str) -> None:
        self._path, self._temporary = path, f"{path}.{os.getpid()}.tmp"

    def __enter__(self) -> str:
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            os.replace(self._temporary, self._path)
        else:
            Path(self._temporary).unlink(missing_ok=True)


def by_prefix(batches: Batches, digits: int) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each prefix together."""
    held: list[pa.RecordBatch] = []
    current: str | None = None
    for batch in batches:
        runs = pc.run_end_encode(pc.utf8_slice_codeunits(batch.column("content_key"), 0, digits))
        start = 0
        for prefix, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            if prefix != current:
                if held:
                    yield str(current), pa.Table.from_batches(held)
                held, current = [], prefix
            held.append(batch.slice(start, end - start))
            start = end
    if held:
        yield str(current), pa.Table.from_batches(held)


def _joined(table: pa.Table) -> Any:
    """Return both keys as one array."""
    return pc.binary_join_element_wise(*[table.column(k).combine_chunks() for k in KEYS], "\x1f")


def _places(place: PrefixFiles, wanted: pa.Table) -> NDArray[np.int64]:
    """Return the rows of the wanted keys, in order; reads the keys only."""
    there = _joined(pq.read_table(place.keys, columns=KEYS, partitioning=None))
    found = pc.drop_null(pc.index_in(_joined(wanted), value_set=there))
    return np.sort(found.to_numpy(zero_copy_only=False)).astype(np.int64)


def _settled(place: PrefixFiles, wanted: pa.Table, errors: Sequence[str]) -> Batches:
    there = pq.read_table(place.keys, columns=[*KEYS, "error_code"], partitioning=None)
    code = there.column("error_code")
    there = there.filter(pc.or_(pc.is_null(code), pc.is_in(code, value_set=pa.array(list(errors), pa.string()))))
    hit = pc.is_in(_joined(wanted), value_set=_joined(there))
    yield from wanted.select(KEYS).filter(hit).to_batches()


def _rows(place: PrefixFiles, rows: NDArray[np.int64]) -> Batches:
    """Yield rows of a prefix, with their vectors, as RESULTS."""
    if not len(rows):
        return
    narrow = pq.read_table(place.keys, partitioning=None).take(pa.array(rows))
    vectors = vectors_of(place)
    for start in range(0, len(narrow), _ROWS_OUT):
        part = narrow.slice(start, _ROWS_OUT)
        embedding = _lists(vectors, part.column(VECTOR_ROW).to_pandas().to_numpy(float))
        columns = [embedding if f.name == "embedding" else part.column(f.name) for f in RESULTS]
        yield from pa.table(columns, schema=RESULTS).combine_chunks().to_batches()


def vectors_of(place: PrefixFiles) -> NDArray[np.float32]:
    """Return a prefix' vectors (n, d), mapped, not read."""
    if not os.path.exists(place.vectors):
        return np.zeros((0, 1), np.float32)
    batches = pa.ipc.open_file(pa.memory_map(place.vectors)).read_all().column(0).chunks
    parts = [np.asarray(b.flatten()).reshape(len(b), -1) for b in batches]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _lists(vectors: NDArray[np.float32], rows: NDArray[np.float64]) -> Any:
    """Return the vectors of `rows` (NaN: null) as an Arrow list array."""
    has = ~np.isnan(rows)
    dimension = vectors.shape[1]
    offsets = np.concatenate([[0], np.cumsum(has * dimension)]).astype(np.int32)
    flat = vectors[rows[has].astype(np.int64)].reshape(-1)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat, pa.float32()), mask=pa.array(~has))
