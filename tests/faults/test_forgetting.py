"""Forgetting on tiny nights of every table: rows, quotes, keys and older runs go, the rest is published anew, a receipt stays."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tiny_nights import DAYS, duckdb_state, frame, row, spark_state, stage

from pipeline import run_schemas, schemas
from pipeline.audit import audit
from pipeline.config import NightlyConfig
from pipeline.manifest import published_runs, read_log
from pipeline.operations.forgetting import forget
from pipeline.operations.forgotten import Subject
from pipeline.publish import publish
from pipeline.staging import stage_table
from pipeline.store import STORED, ScoreStore

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]
GONE, STAYS = "数据 1", "数据 2"


def published(spark: SparkSession, root: Path, catalog: str, run_id: str) -> None:
    """Two nights of all tables, without a topic model."""
    nights = {DAYS[0]: 4, DAYS[1]: 1}  # the document is in the first one only
    stage(spark, root, run_id, nights, schemas.TABLES[:-1], "")
    runs = frame(spark, run_schemas.RUNS, [row(run_schemas.RUNS, day, 0, run_id, "") for day in nights])
    stage_table(runs.withColumn("topic_model_key", F.lit(None)), run_schemas.RUNS, root, run_id, list(nights))
    audits = [a for table in schemas.TABLES for a in audit(spark, table, root, run_id, list(nights))]
    publish(spark, root, catalog, run_id, audits)


def test_a_document_is_forgotten(spark: SparkSession, tmp_path: Path) -> None:
    catalog = f"t{abs(hash(str(tmp_path))):x}"
    root = tmp_path / "out"
    columns = {"id": "id", "text": "text", "time": "time"}
    config = NightlyConfig.model_validate(
        {
            "input": {"path": str(tmp_path / "gone"), "columns": columns},
            "output": {"root": str(root), "catalog": catalog},
            "patterns": {"enabled": False},
        }
    )
    first, second = "20261008T000000Z-00000001", "20261008T000001Z-00000002"
    published(spark, root, catalog, first)
    published(spark, root, catalog, second)
    store = ScoreStore(spark, root, "m")
    keys = spark.createDataFrame([(GONE,), (STAYS,)], "content_key string").withColumn("lang_hint", F.lit(""))
    nulls = {f.name: F.lit(None).cast(f.dataType) for f in STORED if f.name not in keys.columns}
    store.write(keys.withColumns(nulls), "a")

    path, receipt = forget(spark, root, config, Subject(ids=(GONE,)), with_texts=False)

    shown = published_runs(root)
    new = shown[DAYS[0]]
    assert shown[DAYS[1]] == second, "a night that did not hold it stays"
    assert new > second
    assert [r["action"] for r in read_log(root)] == ["publish", "publish", "forget"]
    assert spark_state(spark, schemas.TABLES, catalog) == duckdb_state(root, schemas.TABLES, catalog)
    night = F.col("run_date") == DAYS[0]
    for table in (schemas.DOC_SCORES, schemas.DOC_EMBEDDINGS, schemas.REJECTS):
        ids = {r.doc_id for r in spark.table(f"{catalog}.{table.name}").where(night).collect()}
        assert GONE not in ids
        assert STAYS in ids or table is schemas.REJECTS
    for table in schemas.TABLES:
        if "evidence" in [c.name for c in table.columns]:
            quotes = spark.table(f"{catalog}.{table.name}").where(night).selectExpr("explode(evidence) e").collect()
            assert GONE not in {q.e.doc_id for q in quotes}, table.name
    (runs,) = spark.table(f"{catalog}.runs").where(night).collect()
    parts = [runs[f"rows_{name}"] for name in ("scored", "from_cache", "dup", "unsupported", "error", "rejected")]
    assert (runs.run_id, runs.rows_in) == (new, sum(parts))
    assert sum(parts[:-1]) == spark.table(f"{catalog}.doc_scores").where(night).count() == 3
    assert sorted(p.name for p in root.glob(f"_data/*/run_date={DAYS[0]}/run_id=*") if new not in p.name) == []
    assert list(root.glob(f"_data/doc_scores/run_date={DAYS[1]}/run_id={first}")), "another night's older run stays"
    assert [r.content_key for r in store.read().collect()] == [STAYS]

    written = json.loads(path.read_text())
    assert GONE not in path.read_text()
    assert (written["status"], written["documents"], written["store"]) == ("done", 1, {"m": 1})
    assert {n["table"] for n in written["nights"]} == {t.name for t in schemas.TABLES}
    assert receipt.purged["folders"] == 2 * len(schemas.TABLES)

    _, again = forget(spark, root, config, Subject(ids=(GONE,)), with_texts=False)
    assert (again.status, again.documents, again.nights) == ("done", 0, [])
    assert published_runs(root) == shown
