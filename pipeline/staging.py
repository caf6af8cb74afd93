"""Writing a run's tables where no reader looks: immutable folders `_data/<table>/run_date=<d>/run_id=<run id>`.

Paths are on a file system that the driver and every executor see.
"""

import json
import logging
import os
import shutil
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.errors import DataError, PublishError
from pipeline.failpoints import failpoint
from pipeline.manifest import write_whole
from pipeline.table import RUN_DATE, VECTOR, Table

logger = logging.getLogger(__name__)
_METRICS_WAIT_SEC = 60.0
_SIZE_CHECKS = ("parquet.page.size.row.check.min", "parquet.block.size.row.check.min")
"""Parquet looks how much it holds in memory after a hundred rows; of a rejected row's text of megabytes, after each."""


def night_folder(root: Path, table: str, run_date: date, run_id: str) -> Path:
    """Return where one night of a table of a run lies. It is written once and never changed."""
    return root / "_data" / table / f"run_date={run_date.isoformat()}" / f"run_id={run_id}"


def stage_table(frame: DataFrame, table: Table, root: Path, run_id: str, dates: Sequence[date]) -> None:
    """Write a table's nights, each to a folder of its own; a night without rows gets an empty one.

    Spark writes all nights in one job, rows sorted by the table's key, files cut where they grow too large; then each
    night's folder is renamed to its place.

    Raises:
        DataError: rows of a night that the run does not publish.
        PublishError: the frame lacks a column, or the run wrote the table before.
    """
    missing = [c.name for c in table.all_columns if c.name not in frame.columns]
    if missing:
        raise PublishError(f"{table.name}: cannot be written without the column(s) {', '.join(missing)}")
    staging = root / "_data" / table.name / "_staging" / run_id
    columns = [F.col(c.name).cast(c.dtype.simpleString()).alias(c.name) for c in table.all_columns]
    order = [RUN_DATE.name, *(table.key or [c.name for c in table.columns])]
    written = Observation()
    # counted behind the exchange: there, Spark counts the rows of a repeated task once
    rows = frame.select(*columns).hint("rebalance", RUN_DATE.name).observe(written, F.count(F.lit(1)).alias("rows"))
    writer = rows.sortWithinPartitions(*order).write.mode("errorifexists").partitionBy(RUN_DATE.name)
    for column in table.columns:
        if column.dtype == VECTOR:  # floats do not repeat; a dictionary costs time and space
            writer = writer.option(f"parquet.enable.dictionary#{column.name}.list.element", "false")
    for check in _SIZE_CHECKS:
        writer = writer.option(check, "1")
    writer.parquet(str(staging))
    failpoint("after_write")
    _move(staging, table, root, run_id, dates)
    _note_rows(root, run_id, table, written)
    failpoint("after_stage")


def staged_folders(root: Path, table: str, run_id: str) -> list[Path]:
    """Return the folders of a run's staged table, one per night."""
    return sorted((root / "_data" / table).glob(f"run_date=*/run_id={run_id}"))


def staged_rows(root: Path, run_id: str, table: str) -> int | None:
    """Return how many rows Spark said it wrote, or None where it did not say."""
    path = _rows_path(root, run_id, table)
    return int(json.loads(path.read_text())["rows"]) if path.exists() else None


def read_staged(spark: SparkSession, table: Table, root: Path, run_id: str) -> DataFrame:
    """Read back all nights of a staged table, columns in the schema's order."""
    folders = staged_folders(root, table.name, run_id)
    if not folders:
        return spark.createDataFrame([], table.struct())
    in_files = T.StructType([field for field in table.struct() if field.name != RUN_DATE.name])
    night = F.regexp_extract("_metadata.file_path", r".*/run_date=(\d{4}-\d{2}-\d{2})/run_id=", 1).cast("date")
    frame = spark.read.schema(in_files).parquet(*map(str, folders))
    return frame.withColumn(RUN_DATE.name, night).select(*table.struct().fieldNames())


def _move(staging: Path, table: Table, root: Path, run_id: str, dates: Sequence[date]) -> None:
    """Rename the nights' folders to their place."""
    wanted = {f"{RUN_DATE.name}={day.isoformat()}": day for day in dates}
    found = {entry.name for entry in os.scandir(staging) if entry.is_dir()}
    foreign = sorted(found - set(wanted))
    if foreign:
        raise DataError(
            f"{table.name}: rows of nights the run does not publish: {', '.join(foreign)}; nothing was published"
        )
    for name, day in wanted.items():
        target = night_folder(root, table.name, day, run_id)
        if target.exists():
            raise PublishError(f"{target}: already exists; a run writes a table once, start a new run")
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in found:
            os.rename(staging / name, target)
        else:
            target.mkdir()
    shutil.rmtree(staging)


def _note_rows(root: Path, run_id: str, table: Table, written: Observation) -> None:
    """Keep the number of rows written for the audit. Spark may lose its metrics under load, so the wait has an end."""
    counts: list[int] = []
    reader = threading.Thread(target=lambda: counts.append(written.get["rows"]), daemon=True)
    reader.start()
    reader.join(_METRICS_WAIT_SEC)
    if not counts:
        logger.warning(f"{table.name}: Spark did not report how many rows it wrote; the audit cannot compare them")
        return
    write_whole(_rows_path(root, run_id, table.name), json.dumps({"rows": counts[0]}) + "\n")


def _rows_path(root: Path, run_id: str, table: str) -> Path:
    return root / "_runs" / run_id / "staged" / f"{table}.json"
