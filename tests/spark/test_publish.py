"""Publishing on real files: whole nights for every reader, whatever was there before."""

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from tiny_nights import DAYS, State, duckdb_state, run, spark_state, stage

from pipeline import schemas
from pipeline.catalog import point_partitions, verify_partitions
from pipeline.errors import PublishError
from pipeline.manifest import published_runs, read_log, read_manifest
from pipeline.publish import audit, publish
from pipeline.read_tables import open_duckdb, published_files
from pipeline.run_schemas import MODELS, RUNS
from pipeline.schemas import DOC_EMBEDDINGS, SENTIMENT_DAILY
from pipeline.table import LONG, STRING, Column, Table

COUNTS = dict.fromkeys(DAYS, 4)
FEW = (SENTIMENT_DAILY, RUNS)
SOME = (DOC_EMBEDDINGS, SENTIMENT_DAILY, RUNS)


def files_of(root: Path, day: dt.date) -> dict[str, str]:
    """Every file of a night, whatever the run, with its digest."""
    found = root.glob(f"_data/*/run_date={day}/**/*")
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found if p.is_file()}


def whole(run_ids: dict[dt.date, tuple[str, int]], tables: tuple[Table, ...]) -> State:
    """The state in which each night shows one run with so many rows; `runs` has one row per night."""
    return {
        f"{table.name} {day}": [(run_id, 1 if table is RUNS else n)]
        for table in tables
        for day, (run_id, n) in run_ids.items()
        if table is RUNS or n
    }


@pytest.fixture
def catalog(spark: SparkSession, tmp_path: Path) -> str:
    """A database name of the test's own; the session's catalog outlives the test."""
    return f"t{abs(hash(str(tmp_path))):x}"


def test_a_rerun_replaces_one_night_of_every_table_and_leaves_the_others_alone(
    spark: SparkSession, tmp_path: Path, catalog: str
) -> None:
    first, _ = run(spark, tmp_path, COUNTS, SOME, catalog=catalog)
    expected = whole(dict.fromkeys(DAYS, (first, 4)), SOME)
    assert spark_state(spark, SOME, catalog) == duckdb_state(tmp_path, SOME, catalog) == expected
    before = {day: files_of(tmp_path, day) for day in DAYS}

    second, _ = run(spark, tmp_path, {DAYS[1]: 6}, SOME, catalog=catalog, salt="other")
    expected = whole({DAYS[0]: (first, 4), DAYS[1]: (second, 6), DAYS[2]: (first, 4)}, SOME)
    assert spark_state(spark, SOME, catalog) == duckdb_state(tmp_path, SOME, catalog) == expected
    assert files_of(tmp_path, DAYS[0]) == before[DAYS[0]]
    assert files_of(tmp_path, DAYS[2]) == before[DAYS[2]]
    assert before[DAYS[1]].items() < files_of(tmp_path, DAYS[1]).items(), "the old run's files stay as they were"
    assert [(r["seq"], r["run_id"]) for r in read_log(tmp_path)] == [(1, first), (2, second)]
    published = read_manifest(tmp_path, second)
    listed = {p: n for night in published.nights for p, n in night.files.items()}
    assert listed == {str(p.relative_to(tmp_path)): p.stat().st_size for t in SOME for p in published_files(tmp_path, t.name)
                      if f"run_id={second}" in str(p)}  # fmt: skip
    assert not list(tmp_path.glob("_data/*/_staging/*"))


def test_an_empty_night_replaces_one_with_rows(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    old, _ = run(spark, tmp_path, {DAYS[0]: 3, DAYS[1]: 3}, FEW, catalog=catalog)
    new, audits = run(spark, tmp_path, {DAYS[0]: 0}, FEW, catalog=catalog)
    expected = whole({DAYS[0]: (new, 0), DAYS[1]: (old, 3)}, FEW)
    assert spark_state(spark, FEW, catalog) == duckdb_state(tmp_path, FEW, catalog) == expected
    assert [(a.rows, a.files) for a in audits if a.table == "sentiment_daily"] == [(0, {})]


def test_a_failed_audit_publishes_nothing(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    old, _ = run(spark, tmp_path, {DAYS[0]: 3}, FEW, catalog=catalog)
    before = spark_state(spark, FEW, catalog)
    stage(spark, tmp_path, "bad", {DAYS[0]: 3}, FEW, salt="bad")
    folder = tmp_path / f"_data/sentiment_daily/run_date={DAYS[0]}/run_id=bad"
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(PublishError, match=r"sentiment_daily: 3 rows were written but 0 are there.*same\s+file system"):
        audit(spark, SENTIMENT_DAILY, tmp_path, "bad", DAYS[:1])
    audits = audit(spark, RUNS, tmp_path, "bad", DAYS[:1])
    with pytest.raises(PublishError, match="the audit does not cover every table of every night"):
        publish(spark, tmp_path, catalog, "bad", [*audits, *audits])
    assert before == spark_state(spark, FEW, catalog) == duckdb_state(tmp_path, FEW, catalog)
    assert published_runs(tmp_path) == {DAYS[0]: old}


def with_columns(table: Table, columns: tuple[Column, ...]) -> Table:
    return Table(table.name, table.comment, columns, table.key, table.volatile)


def test_new_columns_are_added_and_other_changes_refused(
    spark: SparkSession, tmp_path: Path, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def versioned(columns: tuple[Column, ...]) -> tuple[Table, ...]:
        tables = (with_columns(MODELS, columns), RUNS)
        monkeypatch.setattr(schemas, "TABLES", tables)
        return tables

    run(spark, tmp_path, {DAYS[0]: 2}, versioned(MODELS.columns), catalog=catalog)
    newer = versioned((MODELS.columns[0], Column("licence", STRING, "new"), *MODELS.columns[1:]))
    run_id, _ = run(spark, tmp_path, {DAYS[1]: 2}, newer, catalog=catalog)
    query = f"SELECT run_date, licence IS NULL, task FROM {catalog}.models ORDER BY run_date, task"
    expected = [(day, day == DAYS[0], f"数据 {i}") for day in DAYS[:2] for i in range(2)]
    assert [tuple(r) for r in spark.sql(query).collect()] == expected
    with open_duckdb(tmp_path) as connection:
        assert connection.execute(query).fetchall() == expected
        names = [d[0] for d in connection.execute("SELECT * FROM models").description or []]
        assert names == [c.name for c in newer[0].all_columns]

    changed_type = versioned((Column("task", LONG, "was text"), *MODELS.columns[:1], *MODELS.columns[2:]))
    message = rf"{catalog}\.models .*task is string there, bigint here; licence .*not a column here.*output"
    with pytest.raises(PublishError, match=message):
        run(spark, tmp_path, {DAYS[1]: 2}, changed_type, catalog=catalog)
    assert published_runs(tmp_path)[DAYS[1]] == run_id


def test_tables_of_another_root_are_not_touched(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    run(spark, tmp_path / "one", {DAYS[0]: 2}, FEW, catalog=catalog)
    before = spark_state(spark, FEW, catalog)
    with pytest.raises(PublishError, match=rf"{catalog}.sentiment_daily belongs to {tmp_path}/one/.*output.catalog"):
        run(spark, tmp_path / "two", {DAYS[0]: 3}, FEW, catalog=catalog)
    with pytest.raises(PublishError, match="cannot name a database"):
        run(spark, tmp_path / "two", {DAYS[0]: 3}, FEW, catalog="x`; DROP")
    assert spark_state(spark, FEW, catalog) == before


def test_a_night_that_another_run_adds_meanwhile_is_repointed(
    spark: SparkSession, tmp_path: Path, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(spark, tmp_path, {DAYS[0]: 2}, FEW, catalog=catalog)
    name = f"{catalog}.sentiment_daily"
    stage(spark, tmp_path, "new", {DAYS[0]: 1, DAYS[1]: 1}, FEW[:1], "")
    nights = audit(spark, SENTIMENT_DAILY, tmp_path, "new", DAYS[:2])
    (tmp_path / "theirs").mkdir()
    original = spark.sql

    def race(query: str, *args: Any, **kwargs: Any) -> DataFrame:
        """The other run adds the night between our look at the partitions and our ADD; the catalog is real."""
        if query.startswith("ALTER TABLE") and " ADD " in query:
            original(f"ALTER TABLE {name} ADD PARTITION (run_date = '{DAYS[1]}') LOCATION '{tmp_path}/theirs'")
        return original(query, *args, **kwargs)

    monkeypatch.setattr(spark, "sql", race)
    point_partitions(spark, tmp_path, catalog, SENTIMENT_DAILY, nights)
    assert spark_state(spark, FEW[:1], catalog) == whole(dict.fromkeys(DAYS[:2], ("new", 1)), FEW[:1])


def test_a_catalog_that_shows_another_run_is_noticed(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    _, audits = run(spark, tmp_path, {DAYS[0]: 2}, FEW, catalog=catalog)
    ours = [a for a in audits if a.table == "sentiment_daily"]
    verify_partitions(spark, tmp_path, catalog, SENTIMENT_DAILY, ours)
    run(spark, tmp_path, {DAYS[0]: 2}, FEW, catalog=catalog)
    with pytest.raises(PublishError, match="does not show this run: 1 of its files are missing, 1 are of another run"):
        verify_partitions(spark, tmp_path, catalog, SENTIMENT_DAILY, ours)
