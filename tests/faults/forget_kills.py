"""Forgetting, killed at each of its steps in turn; driven by test_forget.py.

    forget_kills.py ROOT CORPUS ID [ID ...]     prints one JSON object: failpoint -> signal, and how many runs each night shows

Each attempt is a forked driver that shares this process' JVM. The attempt after the last kill is left alone.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from operation_kills import killed_at

from pipeline.config import load_config
from pipeline.manifest import RunLock
from pipeline.operations.forgetting import forget
from pipeline.operations.forgotten import Subject
from pipeline.read_tables import open_duckdb
from pipeline.session import build_session

STEPS = ("after_stage", "after_flip_3", "after_forget_publish", "after_store_purge", "after_purge", "before_receipt")
SAMPLE = Path(__file__).parents[2] / "conf" / "jobs" / "sample.yaml"


def runs_shown(root: Path) -> list[int]:
    """How many runs each night shows, by date."""
    with open_duckdb(root) as db:
        query = "SELECT count(DISTINCT run_id) FROM doc_scores GROUP BY run_date ORDER BY run_date"
        return [n for (n,) in db.execute(query).fetchall()]


def matrix(root: Path, corpus: Path, ids: tuple[str, ...]) -> dict[str, Any]:
    config = load_config(str(SAMPLE), [f"input.path={corpus}", f"output.root={root}"])
    spark = build_session("forget-kills", config.spark, root / "_catalog")

    def forget_them() -> None:
        with RunLock(root, "forget"):
            forget(spark, root, config, Subject(ids))

    found: dict[str, Any] = {}
    for failpoint in STEPS:
        found[failpoint] = {"signal": killed_at(failpoint, forget_them), "runs": runs_shown(root)}
    forget_them()
    spark.stop()
    return found


if __name__ == "__main__":
    os.environ["PYSPARK_PYTHON"] = sys.executable
    print(json.dumps(matrix(Path(sys.argv[1]), Path(sys.argv[2]), tuple(sys.argv[3:]))))
