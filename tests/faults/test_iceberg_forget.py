"""A document forgotten where the tables are in Iceberg too: no snapshot that is left reads it, nor a file that is gone."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tiny_nights import DAYS, duckdb_state, frame, row, spark_state, stage

from pipeline import publish as publish_module
from pipeline import run_schemas, schemas
from pipeline.audit import audit
from pipeline.config import NightlyConfig
from pipeline.errors import PublishError
from pipeline.iceberg.files import path_of
from pipeline.iceberg.reading import load_table
from pipeline.iceberg.settings import IcebergConfig
from pipeline.manifest import published_runs
from pipeline.operations.forgetting import forget
from pipeline.operations.forgotten import Subject
from pipeline.publish import publish
from pipeline.staging import stage_table

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]
GONE = "数据 1"
CONFIG = IcebergConfig()


class Killed(BaseException):
    """Ends a publication before the log knows it."""


def published(spark: SparkSession, root: Path, catalog: str, run_id: str) -> None:
    """One night of all tables, without a topic model."""
    stage(spark, root, run_id, {DAYS[0]: 4}, schemas.TABLES[:-1], "")
    runs = frame(spark, run_schemas.RUNS, [row(run_schemas.RUNS, DAYS[0], 0, run_id, "")])
    stage_table(runs.withColumn("topic_model_key", F.lit(None)), run_schemas.RUNS, root, run_id, DAYS[:1])
    audits = [a for table in schemas.TABLES for a in audit(spark, table, root, run_id, DAYS[:1])]
    publish(spark, root, catalog, run_id, audits, iceberg=CONFIG)


def iceberg_state(root: Path) -> dict[str, list[tuple[str, int]]]:
    state: dict[str, list[tuple[str, int]]] = {}
    for table in schemas.TABLES:
        found = load_table(root, CONFIG, table.name).scan(selected_fields=("run_date", "run_id")).to_arrow()
        for r in found.group_by(["run_date", "run_id"]).aggregate([([], "count_all")]).to_pylist():
            state.setdefault(f"{table.name} {r['run_date']}", []).append((r["run_id"], r["count_all"]))
    return state


def test_no_snapshot_reads_a_forgotten_document(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, root = f"t{abs(hash(str(tmp_path))):x}", tmp_path / "out"
    output = {"root": str(root), "catalog": catalog, "iceberg": {}}
    columns = {"id": "id", "text": "text", "time": "time"}
    config = NightlyConfig.model_validate(
        {
            "input": {"path": str(tmp_path / "gone"), "columns": columns},
            "output": output,
            "patterns": {"enabled": False},
        }
    )
    runs = [f"20261008T00000{n}Z-0000000{n}" for n in range(1, 4)]
    published(spark, root, catalog, runs[0])
    published(spark, root, catalog, runs[1])

    def kill(name: str) -> None:
        if name == "before_log":
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(publish_module, "failpoint", kill)
        with pytest.raises(Killed):
            published(spark, root, catalog, runs[2])
    assert {r for groups in iceberg_state(root).values() for r, _ in groups} == {runs[2]}
    assert published_runs(root) == {DAYS[0]: runs[1]}

    table = load_table(root, CONFIG, "doc_scores")
    table.manage_snapshots().create_tag(table.snapshots()[0].snapshot_id, "audit").commit()
    with pytest.raises(
        PublishError, match=r"doc_scores: audit \(branch or tag\) still reads rows that are to be removed"
    ):
        forget(spark, root, config, Subject(ids=(GONE,)), with_texts=False)
    load_table(root, CONFIG, "doc_scores").manage_snapshots().remove_tag("audit").commit()
    _, receipt = forget(spark, root, config, Subject(ids=(GONE,)), with_texts=False)

    new = published_runs(root)[DAYS[0]]
    assert new not in runs
    assert (
        spark_state(spark, schemas.TABLES, catalog)
        == duckdb_state(root, schemas.TABLES, catalog)
        == iceberg_state(root)
    )
    assert receipt.purged["snapshots"] > 0
    for of in schemas.TABLES:
        there = load_table(root, CONFIG, of.name)
        for snapshot in there.snapshots():
            rows = there.scan(snapshot_id=snapshot.snapshot_id).to_arrow().to_pylist()
            assert {r["run_id"] for r in rows} <= {new}, of.name
            assert GONE not in {r.get("doc_id") for r in rows}, of.name
            assert GONE not in {e["doc_id"] for r in rows for e in r.get("evidence") or []}, of.name
        files = there.inspect.all_files()["file_path"].to_pylist()
        assert all(path_of(location).exists() for location in files)
    assert {p.name for p in root.glob(f"_data/*/run_date={DAYS[0]}/run_id=*")} == {f"run_id={new}"}
