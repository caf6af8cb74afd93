"""The score store: results by (content key, declared language), one folder per model key, one sub-folder per writing job.

A folder counts once Spark has committed it (`_SUCCESS`); what a killed run leaves behind is never read. Folders are written
once and never changed.
"""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pipeline.schemas import DOUBLE, INT, LONG, STRING, VECTOR

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
        T.StructField("topic_model_key", STRING),
        T.StructField("topic_id", LONG),
        T.StructField("topic_distance", DOUBLE),
        T.StructField("error_code", STRING),
    ]
)
"""The same columns as `udfs.results.RESULTS`; a test holds them together."""

KEYS = ("content_key", "lang_hint")
SETTLED_ERRORS = ("LANG_UNSUPPORTED",)
"""Outcomes a repetition would not change; texts with any other error are tried again by the next run."""


class ScoreStore:
    """The results of one model key under an output root."""

    def __init__(self, spark: SparkSession, root: Path, model_key: str) -> None:
        self._spark = spark
        self._folder = root / "_store" / model_key

    def parts(self) -> list[Path]:
        """Return the committed folders, oldest first."""
        return sorted(marker.parent for marker in self._folder.glob("*/_SUCCESS"))

    def read(self, only: list[Path] | None = None) -> DataFrame:
        """Return the stored results, all of them or those of some folders. One row per key: runs exclude each other."""
        parts = self.parts() if only is None else only
        if not parts:
            return self._spark.createDataFrame([], STORED)
        return self._spark.read.schema(STORED).parquet(*map(str, parts))

    def write(self, results: DataFrame, name: str) -> Path:
        """Write results as a new folder; it counts only once the whole job has succeeded."""
        path = self._folder / name
        results.select(*STORED.fieldNames()).write.mode("errorifexists").option(
            "parquet.enable.dictionary#embedding.list.element", "false"
        ).parquet(str(path))
        return path
