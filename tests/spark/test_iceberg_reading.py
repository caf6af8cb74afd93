"""Iceberg tables read by pyiceberg, DuckDB and Spark, equal to what the Spark catalog and the publish log answer."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from parquet_runs import write_run
from pyspark.sql import SparkSession
from tiny_nights import DAYS

from pipeline import schemas
from pipeline.errors import PublishError
from pipeline.iceberg.reading import duckdb_table, load_table, spark_frame
from pipeline.iceberg.settings import IcebergConfig
from pipeline.operations.garbage import Retention, delete, find_garbage
from pipeline.publish import show
from pipeline.read_tables import open_duckdb
from pipeline.run_schemas import RUNS
from pipeline.schemas import DOC_EMBEDDINGS, TOPICS

TABLES = (DOC_EMBEDDINGS, TOPICS, RUNS)
CONFIG = IcebergConfig()


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(schemas, "TABLES", TABLES)
    return f"t{abs(hash(str(tmp_path))):x}"


def test_every_reader_of_iceberg_gets_what_readers_of_the_catalog_get(
    spark: SparkSession, tmp_path: Path, catalog: str
) -> None:
    for run_id, counts in (("r1", dict.fromkeys(DAYS, 5)), ("r2", {DAYS[0]: 7, DAYS[1]: 0})):
        show(spark, tmp_path, write_run(tmp_path, run_id, counts, TABLES, catalog), iceberg=CONFIG)
    for table in TABLES:
        name, columns = table.name, ", ".join(f'"{c.name}"' for c in table.all_columns)
        frame = spark_frame(spark, tmp_path, CONFIG, name, view=f"iceberg_{name}")
        assert [(f.name, f.dataType.simpleString()) for f in frame.schema] == [
            (c.name, c.dtype.simpleString()) for c in table.all_columns
        ]
        wanted = rows(spark.table(f"{catalog}.{name}").toArrow().to_pylist())
        assert wanted
        assert rows(spark.table(f"iceberg_{name}").toArrow().to_pylist()) == wanted, name
        assert rows(load_table(tmp_path, CONFIG, name).scan().to_arrow().to_pylist()) == wanted, name
        with duckdb_table(tmp_path, CONFIG, name) as connection, open_duckdb(tmp_path) as log:
            query = f"SELECT {columns} FROM {name}"
            assert rows(connection.sql(query).to_arrow_table().to_pylist()) == wanted, name
            assert rows(log.sql(query).to_arrow_table().to_pylist()) == wanted, name
    # a frame keeps its snapshot, one made afterwards has the next
    old = spark_frame(spark, tmp_path, CONFIG, "topics")
    show(spark, tmp_path, write_run(tmp_path, "r3", {DAYS[2]: 1}, TABLES, catalog), iceberg=CONFIG)
    assert sorted(r.run_id for r in old.collect()) == ["r1"] * 5 + ["r2"] * 7
    new = spark_frame(spark, tmp_path, CONFIG, "topics")
    assert sorted(r.run_id for r in new.collect()) == ["r2"] * 7 + ["r3"]
    night = spark_frame(spark, tmp_path, CONFIG, "topics", row_filter=f"run_date = '{DAYS[2]}'")
    assert [r.run_id for r in night.collect()] == ["r3"]


def rows(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr([(k, value(v)) for k, v in r.items()]) for r in found)


def value(v: Any) -> Any:
    if isinstance(v, list):
        return [value(one) for one in v]
    if isinstance(v, dict):
        return [value(one) for one in v.values()]
    return v.timestamp() if hasattr(v, "timestamp") else bytes(v) if isinstance(v, bytearray) else v


def test_gc_keeps_what_a_snapshot_reads_and_ends_old_snapshots(
    spark: SparkSession, tmp_path: Path, catalog: str
) -> None:
    for run_id, n in (("r1", 4), ("r2", 5), ("r3", 6)):
        show(spark, tmp_path, write_run(tmp_path, run_id, {DAYS[0]: n}, TABLES, catalog), iceberg=CONFIG)
    first = load_table(tmp_path, CONFIG, "topics").snapshots()[0].snapshot_id
    with pytest.raises(PublishError, match=r"the configuration has no output\.iceberg: set it as it was"):
        find_garbage(spark, tmp_path, catalog, Retention())
    table = load_table(tmp_path, CONFIG, "topics")
    table.manage_snapshots().create_tag(first, "audit").commit()
    at_once = Retention(1, timedelta(0))
    garbage = find_garbage(spark, tmp_path, catalog, at_once, iceberg=CONFIG)
    folders = {g.path for g in garbage if g.kind == "run"}
    # all tables of a run's night are kept where one of them is read
    assert folders == {f"_data/{t.name}/run_date={DAYS[0]}/run_id=r2" for t in TABLES}
    assert sum(g.kind == "snapshot" for g in garbage) == 2 + 2 + 1
    delete(tmp_path, garbage, CONFIG)
    assert load_table(tmp_path, CONFIG, "topics").scan(snapshot_id=first).to_arrow()["run_id"].to_pylist() == ["r1"] * 4
    for name in ("doc_embeddings", "topics", "runs"):
        assert set(load_table(tmp_path, CONFIG, name).scan().to_arrow()["run_id"].to_pylist()) == {"r3"}
    assert find_garbage(spark, tmp_path, catalog, at_once, iceberg=CONFIG) == []
