"""Publishes into Spark's persistent catalog in a process of its own, and gets itself killed. Driven by test_publish.py.

    kill_matrix.py ROOT die FAILPOINT     publish old content; then publish new content and die, JVM and all, at the failpoint
    kill_matrix.py ROOT matrix            at each failpoint in turn a forked driver dies; readers are asked; a rerun heals

Each prints one JSON object. The forked drivers share the parent's JVM, which they leave idle when they die.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from pyspark.sql import SparkSession
from tiny_nights import DAYS, State, duckdb_state, run, spark_state

from pipeline import run_schemas, schemas
from pipeline.failpoints import VARIABLE
from pipeline.manifest import RunLock
from pipeline.session import build_session

TABLES = (schemas.SENTIMENT_DAILY, run_schemas.RUNS)
FAILPOINTS = (
    "after_write", "after_stage", "after_audit", "after_manifest", "after_flip_1", "after_flip_2", "before_log", "after_log",
)  # fmt: skip
CONTENT = ({DAYS[0]: 3, DAYS[1]: 4}, {DAYS[0]: 5, DAYS[1]: 0})
"""Rows per night of the two contents that alternate; the second empties a night."""

CHANGES_NOTHING = FAILPOINTS[:4]
"""Killed there, a run has changed nothing that readers see; the next attempt comes without a rerun in between."""


def session(root: Path) -> SparkSession:
    return build_session("kill-matrix", QUICK, root / "_catalog")


def publish(spark: SparkSession, root: Path, version: int) -> dict[str, str]:
    """Publish a content under the lock; return the content hash per table and night."""
    with RunLock(root):
        _, audits = run(spark, root, CONTENT[version], TABLES, salt=str(version))
    return {f"{a.table} {a.run_date}": a.content_hash for a in audits}


def states(spark: SparkSession, root: Path) -> dict[str, State]:
    return {"spark": spark_state(spark, TABLES), "duckdb": duckdb_state(root, TABLES)}


def killed_at(spark: SparkSession, root: Path, version: int, failpoint: str) -> int:
    """Publish in a forked process that is to die at a failpoint; return the signal that ended it."""
    child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = failpoint
        try:
            publish(spark, root, version)
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def matrix(root: Path) -> dict[str, Any]:
    spark = session(root)
    state, version, found = states(spark, root), 1, {}
    for failpoint in FAILPOINTS:
        step: dict[str, Any] = {
            "version": version,
            "before": state,
            "signal": killed_at(spark, root, version, failpoint),
        }
        step["after"] = state = states(spark, root)
        if failpoint not in CHANGES_NOTHING:
            step["hashes"] = publish(spark, root, version)
            step["healed"] = state = states(spark, root)
            version = 1 - version
        found[failpoint] = step
    spark.stop()
    return found


if __name__ == "__main__":
    root, mode = Path(sys.argv[1]), sys.argv[2]
    if mode == "die":
        session_ = session(root)
        print(json.dumps(publish(session_, root, 0)), flush=True)
        os.environ[VARIABLE] = sys.argv[3]
        publish(session_, root, 1)
    else:
        print(json.dumps(matrix(root)))
