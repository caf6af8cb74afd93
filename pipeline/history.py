"""What earlier nights published, for the patterns of tonight: rows of a table over a range of nights, as readers see them now."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.manifest import published_runs, read_manifest
from pipeline.table import RUN_DATE, Table


def published_nights(root: Path, first: date, last: date) -> list[date]:
    """Return the nights from `first` to `last`, both included, that are published, in order.

    Raises:
        PublishError: the log is unreadable.
    """
    return sorted(day for day in published_runs(root) if first <= day <= last)


def read_history(spark: SparkSession, root: Path, table: Table, nights: Sequence[date]) -> DataFrame:
    """Return a table's rows of published nights, columns in the schema's order.

    Columns that a night's files lack, because an older version wrote them, are null; a night that had no such table has no rows.
    Nights that are not published are left out.

    Raises:
        PublishError: the log or a manifest is unreadable.
    """
    runs = published_runs(root)
    by_columns: dict[tuple[str, ...], list[str]] = {}
    for run_id in sorted({runs[day] for day in nights if day in runs}):
        manifest = read_manifest(root, run_id)
        for night in manifest.nights:
            if night.table == table.name and night.run_date in nights and runs[night.run_date] == run_id:
                columns = tuple(manifest.columns[table.name])
                by_columns.setdefault(columns, []).extend(str(root / path) for path in night.files)
    parts = [_read(spark, table, columns, paths) for columns, paths in sorted(by_columns.items()) if paths]
    if not parts:
        return spark.createDataFrame([], table.struct())
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return whole


def _read(spark: SparkSession, table: Table, present: tuple[str, ...], paths: Sequence[str]) -> DataFrame:
    struct = table.struct()
    in_files = T.StructType([field for field in struct if field.name in present and field.name != RUN_DATE.name])
    night = F.regexp_extract("_metadata.file_path", r".*/run_date=(\d{4}-\d{2}-\d{2})/run_id=", 1).cast("date")
    frame = spark.read.schema(in_files).parquet(*paths).withColumn(RUN_DATE.name, night)
    missing = {field.name: F.lit(None).cast(field.dataType) for field in struct if field.name not in frame.columns}
    return frame.withColumns(missing).select(*struct.fieldNames())
