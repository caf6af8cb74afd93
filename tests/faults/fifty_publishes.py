"""Fifty publishes beside three readers that never pause; driven by test_metastore.py.

fifty_publishes.py ROOT METASTORE_PORT THRIFT_PORT     prints one JSON object
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from pyspark.sql import SparkSession
from tiny_nights import DAYS, run

from benchmarks.sql_wire import Client
from pipeline import run_schemas, schemas
from pipeline.manifest import RunLock
from pipeline.read_tables import open_duckdb
from pipeline.session import build_session

N_PUBLISHES = 50
TABLES = (schemas.SENTIMENT_DAILY, run_schemas.RUNS)
CONTENT = ({DAYS[0]: 3, DAYS[1]: 4}, {DAYS[0]: 5, DAYS[1]: 2})
QUERY = "SELECT cast(run_date AS string), run_id, count(*), count(DISTINCT share_raw) FROM nightjar.sentiment_daily GROUP BY 1, 2"


class Readers:
    """Threads that ask the same question until they are told to stop."""

    def __init__(self) -> None:
        self.stop, self.reads, self.problems = threading.Event(), Counter[str](), list[str]()
        self.rows_of: dict[str, dict[str, int]] = {}
        self.seen: dict[str, set[str]] = {}
        self._threads: list[threading.Thread] = []

    def start(self, name: str, ask: Callable[[], list[Any]]) -> None:
        def loop() -> None:
            while not self.stop.is_set():
                try:
                    self.check(name, [tuple(row) for row in ask()])
                except Exception as error:
                    self.problems.append(f"{name}: {type(error).__name__} {str(error)[:300]}")
                self.reads[name] += 1

        self._threads.append(threading.Thread(target=loop))
        self._threads[-1].start()

    def check(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        """Every night has one run, and all of that run's rows."""
        days = [row[0] for row in rows]
        if sorted(days) != sorted(str(day) for day in CONTENT[0]):
            self.problems.append(f"{name}: nights {rows}")
        for day, run_id, n, _ in rows:
            self.seen.setdefault(name, set()).add(run_id)
            known = self.rows_of.get(run_id)
            if n not in {content[day_] for content in CONTENT for day_ in content if str(day_) == day} or (
                known is not None and known[day] != n
            ):
                self.problems.append(f"{name}: {day} has {n} rows of {run_id}, {known}")

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()


def fifty(spark: SparkSession, root: Path, thrift_port: int) -> dict[str, Any]:
    def publish(version: int) -> str:
        with RunLock(root):
            return run(spark, root, CONTENT[version], TABLES, salt=str(version))[0]

    readers = Readers()
    publish(0)
    client, beside = Client(thrift_port), spark.newSession()

    def duckdb() -> list[Any]:
        with open_duckdb(root) as db:
            return db.execute(QUERY).fetchall()

    readers.start("spark", lambda: beside.sql(QUERY).collect())
    readers.start("thrift", lambda: client.ask(QUERY))
    readers.start("duckdb", duckdb)
    for k in range(N_PUBLISHES):
        version = (k + 1) % 2
        readers.rows_of[publish(version)] = {str(day): n for day, n in CONTENT[version].items()}
    readers.end()
    runs = {name: len(seen) for name, seen in readers.seen.items()}
    return {"publishes": N_PUBLISHES, "reads": readers.reads, "runs_seen": runs, "problems": readers.problems[:20]}


if __name__ == "__main__":
    place, metastore_port, thrift = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    uris = {"spark.hadoop.hive.metastore.uris": f"thrift://127.0.0.1:{metastore_port}"}
    session = build_session("fifty-publishes", QUICK | uris, place / "_catalog")
    print(json.dumps(fifty(session, place, thrift)))
    session.stop()
