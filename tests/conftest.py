"""Shared fixtures. Tests that need Spark's persistent catalog start a process of their own: a JVM has one embedded metastore."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.session import build_session

QUICK = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
"""Spark properties of tests. The Java options halve the time of a JVM that lives for a minute."""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A session as the jobs have it, on two cores, with a catalog in memory."""
    warehouse = tmp_path_factory.mktemp("warehouse")
    # a task is tried twice (a cluster's four times): in a session of thousands of stages Spark now and then hands out an idle
    # Python worker whose channel it has closed (ClosedChannelException in PythonWorkerFactory)
    properties = {**QUICK, "spark.master": "local[2, 2]", "spark.sql.warehouse.dir": str(warehouse)}
    session = build_session("nightjar-tests", properties)
    yield session
    session.stop()


@dataclass(frozen=True)
class Warehouse:
    """An output root with nights of every table, published through the persistent catalog by a process that has ended."""

    root: Path
    run_id: str


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Three nights of all tables, made from the schemas; the second has no documents. Tests only read it."""
    root = tmp_path_factory.mktemp("published") / "out 1"
    command = [sys.executable, str(Path(__file__).with_name("tiny_nights.py")), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return Warehouse(root, json.loads(done.stdout.splitlines()[-1])["run_id"])
