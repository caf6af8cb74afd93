"""The score store: results by (content key, declared language), one folder per model key, one sub-folder per writing job.

A folder counts once Spark has committed it (`_SUCCESS`); what a killed run leaves behind is never read. Folders are written
once and never changed.
"""

from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.table import DOUBLE, INT, LONG, STRING, VECTOR

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
SETTLED_ERRORS = ("LANG_UNSUPPORTED",)
"""Outcomes a repetition would not change; texts with any other error are tried again by the next run."""
_PART = "part"


def is_settled() -> Column:
    """Return whether a stored row holds a result, or an error that would come again."""
    return F.col("error_code").isNull() | F.col("error_code").isin(*SETTLED_ERRORS)


class ScoreStore:
    """The results of one model key under an output root."""

    def __init__(self, spark: SparkSession, root: Path, model_key: str) -> None:
        self.model_key = model_key
        self._spark = spark
        self._folder = root / "_store" / model_key

    def parts(self) -> list[Path]:
        """Return the committed folders, oldest first."""
        return sorted(marker.parent for marker in self._folder.glob("*/_SUCCESS"))

    def read(self, only: list[Path] | None = None) -> DataFrame:
        """Return all stored rows, or those of some folders. A text that was tried again has a row for each try."""
        parts = self.parts() if only is None else only
        if not parts:
            return self._spark.createDataFrame([], STORED)
        return self._spark.read.schema(STORED).parquet(*map(str, parts))

    def lookup(self, wanted: DataFrame) -> DataFrame:
        """Return the results of the (content_key, lang_hint) in `wanted`, one row each: the first that is settled.

        Of several tries the oldest with a result or a settled error counts, else the oldest; a folder's name says how old it is.
        """
        keys = wanted.select(*KEYS).distinct()
        rows = self.read().withColumn(_PART, F.col("_metadata.file_path")) if self.parts() else self._none()
        found = rows.join(keys, on=list(KEYS), how="left_semi")
        tries = Window.partitionBy(*KEYS).orderBy(F.when(is_settled(), 0).otherwise(1), _PART)
        return found.withColumn("try", F.row_number().over(tries)).where(F.col("try") == 1).select(*STORED.fieldNames())

    def _none(self) -> DataFrame:
        return self.read().withColumn(_PART, F.lit(""))

    def write(self, results: DataFrame, name: str) -> Path:
        """Write results as a new folder; it counts only once the whole job has succeeded."""
        path = self._folder / name
        results.select(*STORED.fieldNames()).write.mode("errorifexists").option(
            "parquet.enable.dictionary#embedding.list.element", "false"
        ).parquet(str(path))
        return path
