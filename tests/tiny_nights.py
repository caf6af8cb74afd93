"""Tiny nights of every published table, made from the schemas alone: for tests of publishing and of reading."""

import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from pipeline import run_schemas, schemas
from pipeline.manifest import new_run_id
from pipeline.publish import TableAudit, audit, publish, stage_table
from pipeline.read_tables import open_duckdb
from pipeline.table import Table

DAYS = tuple(dt.date(2026, 10, 5) + dt.timedelta(days=n) for n in range(3))
STARTED = dt.datetime(2026, 10, 8, 3, 15, tzinfo=dt.UTC)
State = dict[str, list[tuple[str, int]]]


def value(dtype: T.DataType, i: int, salt: str) -> Any:
    """A value of a type that depends on the row and on a salt."""
    if isinstance(dtype, T.StringType):
        return f"数据 {i}{salt}"
    if isinstance(dtype, T.BooleanType):
        return i % 2 == 0
    if isinstance(dtype, T.DoubleType | T.FloatType):
        return i + len(salt) / 8
    if isinstance(dtype, T.IntegerType | T.LongType):
        return i * 1000 + len(salt)
    if isinstance(dtype, T.DateType):
        return DAYS[0] + dt.timedelta(days=i)
    if isinstance(dtype, T.TimestampType):
        return STARTED + dt.timedelta(microseconds=i)
    if isinstance(dtype, T.BinaryType):
        return bytes([i % 256, 255])
    if isinstance(dtype, T.ArrayType):
        return [value(dtype.elementType, j, salt) for j in range(i % 3)]
    assert isinstance(dtype, T.StructType), dtype
    return tuple(value(field.dataType, i, salt) for field in dtype)


def row(table: Table, day: dt.date, i: int, run_id: str, salt: str) -> tuple[Any, ...]:
    """A row of a table; where a column may be null, every third row is, but for the columns of the key."""
    values = []
    for column in table.columns:
        is_null = column.nullable and i % 3 == 2 and column.name not in table.key
        values.append(None if is_null else value(column.dtype, i, salt))
    return (*values, run_id, "0.1.0", STARTED, day)


def frame(spark: SparkSession, table: Table, rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    """Rows of a table as a frame, in two partitions."""
    struct = T.StructType([T.StructField(c.name, c.dtype) for c in table.all_columns])
    return spark.createDataFrame(list(rows), struct).repartition(2)


def stage(
    spark: SparkSession, root: Path, run_id: str, counts: dict[dt.date, int], tables: Sequence[Table], salt: str
) -> None:
    """Stage nights with the given numbers of rows; `runs` has one row per night."""
    for table in tables:
        n_rows = {day: 1 if table is run_schemas.RUNS else n for day, n in counts.items()}
        rows = [row(table, day, i, run_id, salt) for day, n in n_rows.items() for i in range(n)]
        stage_table(frame(spark, table, rows), table, root, run_id, list(counts))


def run(
    spark: SparkSession,
    root: Path,
    counts: dict[dt.date, int],
    tables: Sequence[Table] = schemas.TABLES,
    salt: str = "",
    catalog: str = "nightjar",
) -> tuple[str, list[TableAudit]]:
    """Stage, audit and publish nights as the nightly job does; return the run's id and what was audited."""
    run_id = new_run_id(STARTED)
    stage(spark, root, run_id, counts, tables, salt)
    audits = [entry for table in tables for entry in audit(spark, table, root, run_id, list(counts))]
    publish(spark, root, catalog, run_id, audits)
    return run_id, audits


def spark_state(spark: SparkSession, tables: Sequence[Table], catalog: str = "nightjar") -> State:
    """What Spark's readers see: run ids and rows per table and night; no entry for a night without rows."""
    state: State = {}
    for table in tables:
        for r in spark.table(f"{catalog}.{table.name}").groupBy("run_date", "run_id").count().collect():
            state.setdefault(f"{table.name} {r.run_date}", []).append((r.run_id, r["count"]))
    return state


def duckdb_state(root: Path, tables: Sequence[Table], catalog: str = "nightjar") -> State:
    """The same as DuckDB sees it."""
    state: State = {}
    with open_duckdb(root) as connection:
        for table in tables:
            query = f"SELECT run_date, run_id, count(*) FROM {catalog}.{table.name} GROUP BY ALL"
            for day, run_id, n in connection.execute(query).fetchall():
                state.setdefault(f"{table.name} {day}", []).append((run_id, n))
    return state


if __name__ == "__main__":
    from conftest import QUICK

    from pipeline.session import build_session

    published_root = Path(sys.argv[1])
    session = build_session("tiny-nights", QUICK, published_root / "_catalog")
    print(json.dumps({"run_id": run(session, published_root, {DAYS[0]: 3, DAYS[1]: 0, DAYS[2]: 4})[0]}))
    session.stop()
