"""Fifty publications while four kinds of readers ask all the time: no error, and every night they see is one whole run."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK
from parquet_runs import write_run
from pyspark.sql import SparkSession
from tiny_nights import DAYS

from benchmarks.sql_wire import Client, served
from pipeline import schemas
from pipeline.iceberg.reading import load_table
from pipeline.iceberg.settings import IcebergConfig
from pipeline.publish import show
from pipeline.read_tables import open_duckdb
from pipeline.run_schemas import RUNS
from pipeline.schemas import TOPICS
from pipeline.table import Table

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]
TABLES = (TOPICS, RUNS)
NIGHTS = DAYS[:2]
N_PUBLISHED = 50
CONFIG = IcebergConfig()
QUERY = "SELECT run_date, run_id, count(*) AS n FROM {} GROUP BY run_date, run_id"
Groups = list[tuple[date, str, int]]


@dataclass
class Loop:
    """A reader that asks until it is told to stop, both tables in turn."""

    name: str
    ask: Callable[[str], Groups]
    reads: int = 0
    partial: list[tuple[str, Groups]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for table in TABLES:
                try:
                    groups = self.ask(table.name)
                except Exception as error:
                    self.errors.append(f"{type(error).__name__}: {str(error)[:500]}")
                    continue
                self.reads += 1
                self.runs.update(run_id for _, run_id, _ in groups)
                if not is_whole(table, groups):
                    self.partial.append((table.name, groups))


def is_whole(table: Table, groups: Groups) -> bool:
    """Whether both nights are there, each with all rows of one run: run `r<n>` has n rows a night, of `runs` one."""
    return sorted(str(day) for day, _, _ in groups) == [str(day) for day in NIGHTS] and all(
        n == (1 if table is RUNS else int(run_id[1:])) for _, run_id, n in groups
    )


def test_a_half_published_night_would_be_noticed() -> None:
    assert is_whole(TOPICS, [(NIGHTS[0], "r3", 3), (NIGHTS[1], "r4", 4)])
    assert not is_whole(TOPICS, [(NIGHTS[0], "r3", 2), (NIGHTS[1], "r4", 4)])
    assert not is_whole(TOPICS, [(NIGHTS[0], "r3", 3)])
    assert not is_whole(TOPICS, [(NIGHTS[0], "r3", 3), (NIGHTS[0], "r4", 4), (NIGHTS[1], "r4", 4)])


def test_fifty_publications_under_four_kinds_of_readers(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, settings = tmp_path / "out", tmp_path / "server.yaml"
    settings.write_text(
        "model: {embedding: static-en, sentiment: sentiment-en-static, device: cpu}\n"
        f"cache: {{folder: {tmp_path / 'cache'}}}\n"
        "spark: {spark.master: 'local[2]', spark.sql.shuffle.partitions: '2'}\n"
    )

    def publish(n: int) -> None:
        show(spark, root, write_run(root, f"r{n}", dict.fromkeys(NIGHTS, n), TABLES, "nightjar"), iceberg=CONFIG)

    def by_spark(table: str) -> Groups:
        return [tuple(r) for r in spark.sql(QUERY.format(f"nightjar.{table}")).collect()]  # type: ignore[misc]

    def by_duckdb(table: str) -> Groups:
        with open_duckdb(root) as connection:
            return connection.execute(QUERY.format(table)).fetchall()

    def by_pyiceberg(table: str) -> Groups:
        found = load_table(root, CONFIG, table).scan(selected_fields=("run_date", "run_id")).to_arrow()
        counted: Any = found.group_by(["run_date", "run_id"]).aggregate([([], "count_all")]).to_pylist()
        return [(r["run_date"], r["run_id"], r["count_all"]) for r in counted]

    with monkeypatch.context() as patch:
        patch.setattr(schemas, "TABLES", TABLES)
        publish(1)
        options = QUICK["spark.driver.extraJavaOptions"]
        with served(root, tmp_path / "log", "--functions-config", str(settings), java_options=options) as server:
            client = Client(server.port)

            def by_thrift(table: str) -> Groups:
                return [tuple(r) for r in client.ask(QUERY.format(table))]  # type: ignore[misc]

            asks = {"Spark": by_spark, "Thrift": by_thrift, "DuckDB": by_duckdb, "pyiceberg": by_pyiceberg}
            loops, stop = [Loop(name, ask) for name, ask in asks.items()], threading.Event()
            threads = [threading.Thread(target=loop.run, args=(stop,)) for loop in loops]
            for thread in threads:
                thread.start()
            try:
                for n in range(2, N_PUBLISHED + 2):
                    publish(n)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(120)
    for loop in loops:
        print(
            f"{loop.name}: {loop.reads} reads, {len(loop.runs)} runs seen, {len(loop.errors)} errors, {len(loop.partial)} partial"
        )
    assert [(loop.name, loop.errors[:3], loop.partial[:3]) for loop in loops if loop.errors or loop.partial] == []
    assert all(loop.reads >= 20 and len(loop.runs) >= 3 for loop in loops), "a reader that hardly read shows nothing"
