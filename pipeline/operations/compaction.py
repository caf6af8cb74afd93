"""Compacting the score store: rows of many jobs' folders folded into one pair of files per key prefix."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.failpoints import failpoint
from pipeline.store import SETTLED_ERRORS, STORED, ScoreStore
from pipeline.store_base import BaseRecord, PrefixEntry, commit, current, digits_for, new_folder
from pipeline.table import BOOLEAN, STRING
from udfs.store_files import files_of
from udfs.store_fold import DROP, RANK, WRITTEN, make_fold

_INCOMING = T.StructType([*STORED.fields, T.StructField(RANK, STRING), T.StructField(DROP, BOOLEAN)])


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: folders folded in, rows and bytes of the compacted part now, rows that left it or never got in."""

    model_key: str
    folders: int
    rows: int
    bytes: int
    rows_before: int


def model_keys(root: Path) -> list[str]:
    """Return the model keys that have a store under an output root."""
    return sorted(p.name for p in (root / "_store").glob("*") if p.is_dir() and not p.name.startswith("."))


def compact(spark: SparkSession, root: Path, model_key: str, without: DataFrame | None = None) -> Compacted:
    """Fold all folders of single jobs into the compacted part; of several rows of a key keep the first that is settled.

    Readers that have begun go on with the old files, which stay until garbage is collected. Prefixes without news keep theirs.

    Args:
        without: content_key of texts to leave out, in every declared language.

    Raises:
        PublishError: another process compacted the same store meanwhile; nothing has changed.
    """
    store = ScoreStore(spark, root, model_key)
    before, parts = current(store.folder), store.parts()
    rows_before = before.rows + sum(_n_rows(part) for part in parts)
    if not parts and (without is None or not before.files):
        return Compacted(model_key, 0, before.rows, before.bytes, rows_before)
    digits = max(before.digits if before.files else 1, digits_for(rows_before))
    old = before if before.digits == digits else BaseRecord(digits=digits)
    incoming = _incoming(store, parts, without, include_base=old is not before)
    folder = new_folder(before.seq + 1)
    stems = {p: files_of(str(store.folder / entry.folder), p).stem for p, entry in old.files.items()}
    fold = make_fold(stems, digits, str(store.folder / folder), SETTLED_ERRORS)
    prefix = F.substring("content_key", 1, digits)
    spread = incoming.repartition(min(16**digits, 8 * spark.sparkContext.defaultParallelism), prefix)
    ordered = spread.sortWithinPartitions(prefix)
    written = ordered.mapInArrow(fold, WRITTEN).collect()  # bounded: one row per prefix
    failpoint("after_fold")
    new = {r["prefix"]: PrefixEntry(folder, r["n_rows"], r["n_bytes"]) for r in written if r["n_rows"]}
    kept = {p: entry for p, entry in old.files.items() if p not in {r["prefix"] for r in written}}
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    there = {name: at for name, at in before.folded.items() if (store.folder / name).exists()}
    record = BaseRecord(
        before.seq + 1, digits, dict(sorted((kept | new).items())), there | {p.name: now for p in parts}
    )
    commit(store.folder, record)
    failpoint("after_compact")
    return Compacted(model_key, len(parts), record.rows, record.bytes, rows_before)


def _incoming(store: ScoreStore, parts: Sequence[Path], without: DataFrame | None, *, include_base: bool) -> DataFrame:
    """Return the rows to fold in, with their rank and whether their key is to be left out."""
    frames = []
    if include_base:
        # prefixes get longer, once in the life of a store: the rows of the old part are folded anew, before all others
        frames.append(store.compacted().withColumn(RANK, F.lit("")))
    if parts:
        frames.append(store.read(only=list(parts)).withColumn(RANK, F.col("_metadata.file_path")))
    frames = [f.withColumn(DROP, F.lit(False)) for f in frames]
    if without is not None:
        empty = {
            f.name: F.lit(None).cast(f.dataType) for f in _INCOMING if f.name not in ("content_key", DROP, "lang_hint")
        }
        frames.append(
            without.select("content_key").distinct().withColumns(empty | {"lang_hint": F.lit(""), DROP: F.lit(True)})
        )
    return reduce(DataFrame.unionByName, [f.select(*_INCOMING.fieldNames()) for f in frames])


def _n_rows(part: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in part.glob("part-*.parquet"))
