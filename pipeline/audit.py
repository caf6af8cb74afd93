"""The last look at a run's tables before readers see them: what was staged is read back and checked."""

import hashlib
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.errors import DataError, PublishError
from pipeline.manifest import Published
from pipeline.staging import night_folder, read_staged, staged_folders, staged_rows
from pipeline.table import RUN_DATE, Column, Table


class TableAudit(Published):
    """What the audit found in one table of one night: the rows, their content hash, the files and their sizes."""


def audit(spark: SparkSession, table: Table, root: Path, run_id: str, dates: Sequence[date]) -> list[TableAudit]:
    """Read back a staged table; return one entry per night.

    Checked: the files' columns and types, as many rows as were written, every row with the run's id, no null where the schema
    allows none, `table.key` unique within a night.

    Raises:
        DataError: a check failed; the message names table, night and check. Nothing was published.
        PublishError: files are missing, or do not have the table's columns.
    """
    for day in dates:
        if not night_folder(root, table.name, day, run_id).is_dir():
            raise PublishError(f"{table.name} {day}: was not staged; nothing was published")
    _check_columns(spark, table, staged_folders(root, table.name, run_id))
    staged = read_staged(spark, table, root, run_id)
    nights = _measured(staged, table, run_id).collect()  # bounded: one row per night
    found = {row[RUN_DATE.name]: row for row in nights}
    written, read = staged_rows(root, run_id, table.name), sum(row["rows"] for row in found.values())
    if written is not None and written != read:
        raise PublishError(
            f"{table.name}: {written:,} rows were written but {read:,} are there; do the driver and all executors see the same "
            f"file system at {root}? Nothing was published"
        )
    problems = [p for row in found.values() for p in _problems(table, row)] + _doubled(staged, table)
    if problems:
        raise DataError("; ".join(problems) + "; nothing was published")
    return [_entry(table, root, run_id, day, found.get(day)) for day in sorted(dates)]


def content_hash(columns: Sequence[Column]) -> tuple[SparkColumn, SparkColumn]:
    """Return two aggregates that depend on the rows' values, but not on order, files or partitions.

    Each is the exact sum of a 64-bit hash over the rows. Nulls, empty arrays and the place of a value are part of the hash,
    which Spark's own function skips.
    """
    values = [part for c in columns for part in _hashable(c)]
    first, second = (F.sum(F.xxhash64(F.lit(seed), *values).cast("decimal(38,0)")) for seed in (1, 2))
    return first, second


def _hashable(column: Column) -> list[SparkColumn]:
    value = F.col(column.name)
    if not isinstance(column.dtype, T.ArrayType):
        return [value.isNull(), value]
    if isinstance(column.dtype.elementType, T.StructType):
        value = F.to_json(value, {"ignoreNullFields": "false"})
        return [value.isNull(), value]
    return [F.coalesce(F.size(value), F.lit(-1)), value]


def _measured(staged: DataFrame, table: Table, run_id: str) -> DataFrame:
    """One row per night: rows, the parts of the content hash, nulls per column, rows of another run."""
    first, second = content_hash([c for c in table.columns if c.name in table.hashed])
    nulls = [F.count_if(F.col(c.name).isNull()).alias(f"null {c.name}") for c in table.all_columns if not c.nullable]
    foreign = F.count_if(F.col("run_id") != run_id).alias("foreign")
    return staged.groupBy(RUN_DATE.name).agg(
        F.count(F.lit(1)).alias("rows"), first.alias("first"), second.alias("second"), foreign, *nulls
    )


def _problems(table: Table, row: Row) -> list[str]:
    where = f"{table.name} {row[RUN_DATE.name]}"
    counts = row.asDict()
    nulls = {name.removeprefix("null "): n for name, n in counts.items() if name.startswith("null ") and n}
    found = [f"{where}: not_null: {n:,} row(s) have no {name}" for name, n in nulls.items()]
    if counts["foreign"]:
        found.append(f"{where}: run_id: {counts['foreign']:,} row(s) name another run")
    return found


def _doubled(staged: DataFrame, table: Table) -> list[str]:
    if not table.key:
        return []
    keys = staged.groupBy(RUN_DATE.name, *table.key).agg(F.count(F.lit(1)).alias("n")).where("n > 1")
    nights = keys.groupBy(RUN_DATE.name).agg(F.count(F.lit(1)).alias("keys")).orderBy(RUN_DATE.name)
    return [
        f"{table.name} {row[RUN_DATE.name]}: unique_key: {row['keys']:,} value(s) of ({', '.join(table.key)}) are on several rows"
        for row in nights.collect()  # bounded: one row per night
    ]


def _check_columns(spark: SparkSession, table: Table, folders: Sequence[Path]) -> None:
    """Compare the footers of all files with the schema."""
    with_files = [str(folder) for folder in folders if _data_files(folder)]
    if not with_files:
        return
    in_files = spark.read.option("mergeSchema", "true").parquet(*with_files).schema
    found = [(f.name, f.dataType.simpleString()) for f in in_files]
    wanted = [(c.name, c.dtype.simpleString()) for c in table.all_columns if c.name != RUN_DATE.name]
    if found != wanted:
        odd = sorted(f"{name} {kind}" for name, kind in set(found) ^ set(wanted))
        raise PublishError(
            f"{table.name}: schema: the files differ from the table in {', '.join(odd) or 'the order of columns'}"
        )


def _entry(table: Table, root: Path, run_id: str, day: date, row: Row | None) -> TableAudit:
    folder = night_folder(root, table.name, day, run_id)
    rows, first, second = (row["rows"], row["first"], row["second"]) if row else (0, 0, 0)
    digest = hashlib.sha256(f"{rows} {first} {second}".encode()).hexdigest()[:32]
    files = {f"{folder.relative_to(root)}/{name}": size for name, size in _data_files(folder).items()}
    return TableAudit(table.name, day, rows, digest, str(folder.relative_to(root)), files)


def _data_files(folder: Path) -> dict[str, int]:
    """Return the files that readers see, by name, with their size in bytes."""
    entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(("_", "."))]
    return {entry.name: entry.stat().st_size for entry in sorted(entries, key=lambda entry: entry.name)}
