"""Reading the corpus: one frame with fixed column names and types, whatever the files call and type them."""

from collections.abc import Iterable
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.config import InputConfig
from pipeline.preflight import Corpus, CorpusFile

RAW_ID, RAW_TEXT, RAW_TIME = "raw_id", "raw_text", "raw_time"
RAW_SOURCE, RAW_GROUP, RAW_LANG, FILE = "raw_source", "raw_group", "raw_lang", "file"
_ROLE_COLUMNS = {
    "id": RAW_ID, "text": RAW_TEXT, "time": RAW_TIME, "source": RAW_SOURCE, "group": RAW_GROUP, "lang": RAW_LANG,
}  # fmt: skip


def read_corpus(spark: SparkSession, config: InputConfig, corpus: Corpus, first: date, last: date) -> DataFrame:
    """Read exactly the files of `corpus` that can hold rows of the nights `first` to `last`.

    Returns:
        raw_id, raw_text, raw_source, raw_group, raw_lang STRING (bytes unchanged, so perhaps not UTF-8), raw_time TIMESTAMP
        (a time without a zone is UTC), file STRING. Columns that are not configured are null.
    """
    by_kinds: dict[tuple[tuple[str, str], ...], list[CorpusFile]] = {}
    for file in corpus.files:
        if file.may_hold(first, last):
            by_kinds.setdefault(file.kinds, []).append(file)
    frames = [_read_files(spark, config, dict(kinds), files) for kinds, files in by_kinds.items()]
    if not frames:
        empty = T.StructType([T.StructField(c, T.StringType()) for c in (*_ROLE_COLUMNS.values(), FILE)])
        return spark.createDataFrame([], empty).withColumn(RAW_TIME, F.col(RAW_TIME).cast("timestamp"))
    return reduce(DataFrame.unionByName, frames)


def _read_files(
    spark: SparkSession, config: InputConfig, kinds: dict[str, str], files: Iterable[CorpusFile]
) -> DataFrame:
    columns = config.columns.named()
    fields = [T.StructField(name, _spark_type(kinds[role])) for role, name in columns.items()]
    frame = spark.read.schema(T.StructType(fields)).parquet(*[f.path for f in files])
    selected = [_raw_column(role, columns.get(role), kinds.get(role)) for role in _ROLE_COLUMNS]
    return frame.select(*selected, _plain_path(F.col("_metadata.file_path")).alias(FILE))


def _plain_path(uri: Column) -> Column:
    """Turn Spark's `file:/a%20b` into `/a b`."""
    return F.url_decode(F.replace(F.regexp_replace(uri, "^file:/+", "/"), F.lit("+"), F.lit("%2B")))


def _spark_type(kind: str) -> T.DataType:
    types = {"int": T.LongType(), "date": T.DateType(), "timestamp": T.TimestampType(), "timestamp_ns": T.LongType()}
    return types.get(kind, T.StringType())


def _raw_column(role: str, name: str | None, kind: str | None) -> Column:
    target = _ROLE_COLUMNS[role]
    if name is None or kind is None:
        return F.lit(None).cast("string").alias(target)
    quoted = "`" + name.replace("`", "``") + "`"
    column = F.col(quoted)
    if role == "time":
        # Spark reads nanoseconds, which pandas writes, only as a number
        value = F.expr(f"timestamp_micros({quoted} div 1000)") if kind == "timestamp_ns" else column.cast("timestamp")
        return value.alias(target)
    return column.cast("string").alias(target)
