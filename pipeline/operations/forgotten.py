"""Finding what is to be forgotten: the documents of some ids or groups, in every run's folders, shown or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.patterns.settled import settled
from pipeline.schemas import DOC_SCORES, REJECTS
from pipeline.table import RUN_DATE, STRING, Table

_READ = T.StructType([T.StructField(name, STRING) for name in ("doc_id", "group_key", "content_key")])


@dataclass(frozen=True)
class Subject:
    """Whose documents are meant: all with one of these ids, and all of one of these groups."""

    ids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def is_meant(self) -> Column:
        """Return whether a row of `doc_scores` or `rejects` is one of them; never null."""
        return F.coalesce(F.col("doc_id").isin(*self.ids), F.lit(False)) | F.coalesce(
            F.col("group_key").isin(*self.groups), F.lit(False)
        )


@dataclass(frozen=True)
class Traces:
    """Where the documents are.

    Attributes:
        documents: run_date, run_id, doc_id, content_key (null for a rejected one), table; one row per row of a table.
        nights: (night, run) of every run folder that holds one.
    """

    documents: DataFrame
    nights: frozenset[tuple[date, str]]


def find_traces(spark: SparkSession, root: Path, subject: Subject) -> Traces:
    """Look through `doc_scores` and `rejects` of every run under an output root; reads ids and groups only."""
    frames = [_rows(spark, root, table).where(subject.is_meant()) for table in (DOC_SCORES, REJECTS)]
    documents = settled(reduce(DataFrame.unionByName, frames).drop("group_key"))
    nights = documents.select(RUN_DATE.name, "run_id").distinct().collect()  # bounded: a night's runs, for each night
    return Traces(documents, frozenset((row[RUN_DATE.name], row["run_id"]) for row in nights))


def _rows(spark: SparkSession, root: Path, table: Table) -> DataFrame:
    """Return the rows of a table in all folders: run_date, run_id, doc_id, group_key, content_key, table."""
    folders = _folders_with_files(root, table)
    read = spark.read.schema(_READ).parquet(*folders) if folders else spark.createDataFrame([], _READ)
    path = F.col("_metadata.file_path") if folders else F.lit("")
    night = F.regexp_extract(path, r".*/run_date=(\d{4}-\d{2}-\d{2})/run_id=", 1)
    return read.select(
        night.cast("date").alias(RUN_DATE.name) if folders else F.lit(None).cast("date").alias(RUN_DATE.name),
        F.regexp_extract(path, r"/run_id=([^/]+)/", 1).alias("run_id"),
        *_READ.fieldNames(),
        F.lit(table.name).alias("table"),
    )


def _folders_with_files(root: Path, table: Table) -> Sequence[str]:
    return sorted({str(p.parent) for p in (root / "_data" / table.name).glob("run_date=*/run_id=*/*.parquet")})
