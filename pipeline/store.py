"""The score store: results by (content key, declared language), one folder per model key.

In it, one sub-folder per writing job, and the compacted part (`pipeline.store_base`). A job's task commits its file whole when it
is done, so what a killed run has scored counts, but for the tasks it was at. Files are written once and never changed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.manifest import write_whole
from pipeline.store_base import BaseRecord, current, tree_bytes
from pipeline.table import DOUBLE, INT, LONG, STRING, VECTOR
from udfs.store_files import files_of, make_find, make_read

STORED = T.StructType(
    [
        T.StructField("content_key", STRING),
        T.StructField("lang_hint", STRING),
        T.StructField("lang", STRING),
        T.StructField("lang_confidence", DOUBLE),
        T.StructField("n_chars", INT),
        T.StructField("n_tokens", INT),
        T.StructField("n_chunks", INT),
        T.StructField("coverage", DOUBLE),
        T.StructField("embedding", VECTOR),
        T.StructField("sentiment", STRING),
        T.StructField("sentiment_score", DOUBLE),
        T.StructField("sentiment_confidence", DOUBLE),
        T.StructField("sentiment_model", STRING),
        T.StructField("topic_model_key", STRING),
        T.StructField("topic_id", LONG),
        T.StructField("topic_distance", DOUBLE),
        T.StructField("error_code", STRING),
    ]
)
"""The same columns as `udfs.results.RESULTS`; a test holds them together."""

KEYS = ("content_key", "lang_hint")
_KEYS = T.StructType([STORED["content_key"], STORED["lang_hint"]])
SETTLED_ERRORS = ("LANG_UNSUPPORTED",)
"""Outcomes a repetition would not change; texts with any other error are tried again by the next run."""
_PART, _PREFIX = "part", "prefix"
_PARTS_GLOB = "*/part-*.parquet"
_DESCRIPTION = "key.json"


def is_settled(final: Sequence[str] = SETTLED_ERRORS) -> Column:
    """Return whether a stored row holds a result, or an error that would come again."""
    return F.col("error_code").isNull() | F.col("error_code").isin(*final)


class ScoreStore:
    """The results of one model key under an output root."""

    def __init__(self, spark: SparkSession, root: Path, model_key: str) -> None:
        self.model_key = model_key
        self.folder = root / "_store" / model_key
        self._spark = spark

    def parts(self) -> list[Path]:
        """Return the folders of single jobs that hold committed files and are not in the compacted part yet, oldest first."""
        return self._parts(current(self.folder))

    def read(self, only: list[Path] | None = None) -> DataFrame:
        """Return all stored rows, or those of some folders. A text that was tried again has a row for each try."""
        if only is not None:
            return self._fresh(only)
        return self.compacted().unionByName(self._fresh(self.parts()))

    def compacted(self) -> DataFrame:
        """Return the rows of the compacted part, one per key."""
        base = current(self.folder)
        if not base.files:
            return self._fresh([])
        prefixes = self._spark.createDataFrame([(p,) for p in base.files], f"{_PREFIX} string")
        return prefixes.repartition(self._n_tasks(base), _PREFIX).mapInArrow(make_read(self._stems(base)), STORED)

    def settled(self, wanted: DataFrame, final: Sequence[str] = SETTLED_ERRORS) -> DataFrame:
        """Return the (content_key, lang_hint) of `wanted` that have a result, or an error among `final`, each once."""
        base = current(self.folder)
        keys = wanted.select(*KEYS).distinct()
        there = self._fresh(self._parts(base)).where(is_settled(final)).select(*KEYS)
        fresh = keys.join(there, on=list(KEYS), how="left_semi")
        if not base.files:
            return fresh
        find = make_find(self._stems(base), base.digits, tuple(final))
        return self._by_prefix(keys, base).mapInArrow(find, _KEYS).unionByName(fresh).distinct()

    def lookup(self, wanted: DataFrame) -> DataFrame:
        """Return the results of the (content_key, lang_hint) in `wanted`, one row each: the first that is settled.

        Of several tries the oldest with a result or a settled error counts, else the oldest; a folder's name says how old it is.
        In the compacted part only the prefixes of wanted keys are opened, and only the vectors of rows that are there are read.
        """
        base = current(self.folder)
        parts, keys = self._parts(base), wanted.select(*KEYS).distinct()
        found = []
        if parts or not base.files:
            part = F.col("_metadata.file_path") if parts else F.lit("-")
            found.append(self._fresh(parts).withColumn(_PART, part).join(keys, on=list(KEYS), how="left_semi"))
        if base.files:
            find = make_find(self._stems(base), base.digits)
            # older than all folders that are not in it
            found.append(self._by_prefix(keys, base).mapInArrow(find, STORED).withColumn(_PART, F.lit("")))
            if len(found) == 1:
                return found[0].drop(_PART)  # one row per key
        rows = found[0] if len(found) == 1 else found[0].unionByName(found[1])
        tries = Window.partitionBy(*KEYS).orderBy(F.when(is_settled(), 0).otherwise(1), _PART)
        return rows.withColumn("try", F.row_number().over(tries)).where(F.col("try") == 1).select(*STORED.fieldNames())

    def languages(self, content_key: str) -> list[str]:
        """Return the declared languages under which a text is stored, '' for none declared; reads no vector."""
        base = current(self.folder)
        rows = self._fresh(self._parts(base)).where(F.col("content_key") == content_key).select("lang_hint").distinct()
        found = {row["lang_hint"] for row in rows.collect()}  # bounded: languages of one text
        stem = self._stems(base).get(content_key[: base.digits])
        if stem:
            filters = [("content_key", "=", content_key)]
            table = pq.read_table(f"{stem}.parquet", columns=["lang_hint"], filters=filters, partitioning=None)
            found |= set(table.column(0).to_pylist())
        return sorted(found)

    def write(self, results: DataFrame, name: str) -> Path:
        """Write results as a new folder. Each task's rows count from the moment it is done, whatever becomes of the others."""
        path = self.folder / name
        results.select(*STORED.fieldNames()).write.mode("errorifexists").option(
            "parquet.enable.dictionary#embedding.list.element", "false"
        ).option("mapreduce.fileoutputcommitter.algorithm.version", "2").parquet(str(path))
        return path

    def describe(self, parts: Mapping[str, Any]) -> None:
        """Keep what the model key is the fingerprint of (`ScoreSpec.key_parts`), so that a later change can be named."""
        path = self.folder / _DESCRIPTION
        if not path.exists():
            write_whole(path, json.dumps(parts, sort_keys=True) + "\n")

    def description(self) -> dict[str, Any] | None:
        """Return what `describe` kept; None where it was not called, or the file cannot be read."""
        try:
            body = json.loads((self.folder / _DESCRIPTION).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return body if isinstance(body, dict) else None

    def bytes(self) -> int:
        """Return what the store takes on disk, what is superseded included."""
        return tree_bytes(self.folder)

    def _parts(self, base: BaseRecord) -> list[Path]:
        folders = {path.parent for path in self.folder.glob(_PARTS_GLOB)}
        return sorted(f for f in folders if not f.name.startswith(("_", ".")) and f.name not in base.folded)

    def _fresh(self, parts: list[Path]) -> DataFrame:
        if not parts:
            return self._spark.createDataFrame([], STORED)
        return self._spark.read.schema(STORED).parquet(*map(str, parts))

    def _stems(self, base: BaseRecord) -> dict[str, str]:
        return {p: files_of(str(self.folder / entry.folder), p).stem for p, entry in base.files.items()}

    def _by_prefix(self, keys: DataFrame, base: BaseRecord) -> DataFrame:
        prefix = F.substring("content_key", 1, base.digits)
        return keys.repartition(self._n_tasks(base), prefix).sortWithinPartitions(*KEYS)

    def _n_tasks(self, base: BaseRecord) -> int:
        return max(1, min(len(base.files), 4 * self._spark.sparkContext.defaultParallelism))
