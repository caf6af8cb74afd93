"""The views: declared columns, and the same rows, in Spark and in DuckDB."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tiny_nights import DAYS, run

from pipeline import run_schemas
from pipeline.read_tables import open_duckdb
from pipeline.table import Table
from pipeline.view_schemas import VIEWS, View

CATALOG = "views"
READ = tuple({table.name: table for view in VIEWS for table in view.reads}.values())


@pytest.fixture(scope="module")
def published(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights; the second has no rows but its row of `runs`."""
    root = tmp_path_factory.mktemp("views")
    tables = (*(table for table in READ if table is not run_schemas.RUNS), run_schemas.RUNS)
    run(spark, root, {DAYS[0]: 7, DAYS[1]: 0, DAYS[2]: 7}, tables, catalog=CATALOG)
    return root


def rows_of(spark: SparkSession, root: Path, view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of a view by Spark and by DuckDB, in one order."""
    by_spark = [row.asDict(recursive=True) for row in spark.table(f"{CATALOG}.{view.name}").collect()]
    with open_duckdb(root) as db:
        answer = db.execute(f"SELECT * FROM {CATALOG}.{view.name}")
        names = [d[0] for d in answer.description or ()]
        by_duckdb = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    return sorted(map(plain, by_spark), key=str), sorted(map(plain, by_duckdb), key=str)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row with times without a zone and floats of nine digits."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    return round(value, 9) if isinstance(value, float) else value


@pytest.mark.parametrize("view", VIEWS, ids=lambda v: v.name)
def test_a_view_has_its_declared_columns_and_the_same_rows_in_both_engines(
    spark: SparkSession, published: Path, view: View
) -> None:
    assert spark.table(f"{CATALOG}.{view.name}").dtypes == [(c.name, c.dtype.simpleString()) for c in view.columns]
    by_spark, by_duckdb = rows_of(spark, published, view)
    assert by_spark == by_duckdb
    assert by_spark, f"{view.name}: no rows, so nothing was compared"
    for column in view.columns:
        if not column.nullable:
            assert all(row[column.name] is not None for row in by_spark), column.name


def test_a_night_in_which_nothing_was_scored_has_no_share(spark: SparkSession, tmp_path: Path) -> None:
    """Spark's arithmetic fails on a division by zero, DuckDB's does not: neither may show a share."""
    for name in ("v_sentiment_latest", "v_sentiment_trend"):
        view = next(view for view in VIEWS if view.name == name)
        select = view.sql("given")
        for table in view.reads:
            frame = unscored(spark, table)
            select = select.replace(f"given.{table.name}", f"given_{table.name}")
            frame.createOrReplaceTempView(f"given_{table.name}")
        row = spark.sql(select).collect()[0]
        assert (row["n_scored"], row["ci_low"], row["ci_high"]) == (0, None, None)


def unscored(spark: SparkSession, table: Table) -> Any:
    """One row of a table: no sentiment, counts of zero."""
    values: dict[str, Any] = {}
    for column in table.all_columns:
        kind = column.dtype.simpleString()
        given = {"string": "x", "bigint": 0, "int": 0, "double": 0.0, "boolean": True, "date": DAYS[0]}
        values[column.name] = None if column.nullable else given.get(kind)
        if kind.startswith("array"):
            values[column.name] = []
        if kind == "timestamp":
            values[column.name] = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    return spark.createDataFrame([tuple(values.values())], table.struct())
