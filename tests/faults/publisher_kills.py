"""Publishes to the Spark catalog and to Iceberg, and is killed at every named step. Driven by test_publisher_kills.py.

    publisher_kills.py ROOT               at each failpoint in turn a forked driver dies; all readers are asked; a rerun heals

Prints one JSON object. The forked drivers share the parent's JVM. pyiceberg, which keeps threads, is loaded in them alone, and
Iceberg's tables are asked in processes of their own.
"""

import json
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from parquet_runs import write_run
from pyspark.sql import SparkSession
from tiny_nights import DAYS, State, duckdb_state, spark_state

from pipeline import run_schemas, schemas
from pipeline.failpoints import VARIABLE
from pipeline.iceberg.settings import IcebergConfig
from pipeline.manifest import manifest_path, read_manifest
from pipeline.publish import show
from pipeline.session import build_session

TABLES = (schemas.TOPICS, run_schemas.RUNS)
FAILPOINTS = (
    "after_flip_1", "after_flip_2", "before_iceberg_commit", "after_iceberg_1", "after_iceberg_2", "before_log", "after_log",
)  # fmt: skip
CONFIG = IcebergConfig()


def publish(spark: SparkSession, root: Path, run_id: str) -> None:
    """Publish a run `r<n>` with n rows of `topics` on the first night and none on the second."""
    if not manifest_path(root, run_id).exists():
        write_run(root, run_id, {DAYS[0]: int(run_id[1:]), DAYS[1]: 0}, TABLES)
    schemas.TABLES = TABLES
    show(spark, root, read_manifest(root, run_id), iceberg=CONFIG)


def iceberg_state(root: Path) -> State:
    """What readers of Iceberg see: run ids and rows per table and night."""
    from pipeline.iceberg.reading import load_table

    state: State = {}
    for table in TABLES:
        found = load_table(root, CONFIG, table.name).scan(selected_fields=("run_date", "run_id")).to_arrow()
        counts: Any = found.group_by(["run_date", "run_id"]).aggregate([([], "count_all")]).to_pylist()
        for r in counts:
            state.setdefault(f"{table.name} {r['run_date']}", []).append((r["run_id"], r["count_all"]))
    return state


def states(spark: SparkSession, root: Path) -> dict[str, State]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        iceberg = pool.apply(iceberg_state, (root,))
    return {"spark": spark_state(spark, TABLES), "iceberg": iceberg, "duckdb": duckdb_state(root, TABLES)}


def in_fork(spark: SparkSession, root: Path, run_id: str, failpoint: str) -> int:
    """Publish in a forked process; return its wait status."""
    child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = failpoint
        status = 1
        try:
            publish(spark, root, run_id)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def main(root: Path) -> dict[str, Any]:
    spark = build_session("publisher-kills", QUICK, root / "_catalog")
    assert in_fork(spark, root, "r3", "") == 0
    found = {}
    for n, failpoint in enumerate(FAILPOINTS, start=4):
        status = in_fork(spark, root, f"r{n}", failpoint)
        step: dict[str, Any] = {"run_id": f"r{n}", "signal": os.WTERMSIG(status), "after": states(spark, root)}
        assert in_fork(spark, root, f"r{n}", "") == 0
        found[failpoint] = {**step, "healed": states(spark, root)}
    spark.stop()
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
