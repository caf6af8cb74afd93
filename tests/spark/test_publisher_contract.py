"""One contract for every place where tables are published: the Spark catalog and Apache Iceberg.

Runs are written by pyarrow, two files a night, so that a half-published night would show as half of its rows.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from parquet_runs import rows_of, write_run
from pyspark.sql import SparkSession
from tiny_nights import DAYS

from pipeline import publish as publish_module
from pipeline import schemas
from pipeline.errors import PublishError
from pipeline.iceberg import tables as iceberg_module
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.tables import IcebergTables
from pipeline.manifest import Manifest, Published, manifest_path, published_runs, read_log, read_manifest
from pipeline.operations.runs import rollback
from pipeline.publish import show
from pipeline.publishers import Publisher, SparkCatalog
from pipeline.run_schemas import RUNS
from pipeline.schemas import TOPICS
from pipeline.table import STRING, Column, Table

TABLES = (TOPICS, RUNS)
ICEBERG = IcebergConfig()
Rows = list[dict[str, Any]]


@dataclass
class Place:
    """A publisher and its reader; `expected` is what each night of `topics` and `runs` should show: (run, rows)."""

    root: Path
    connect: Callable[[], Publisher]
    read: Callable[[Table], Rows]
    expected: dict[date, tuple[str, int]] = field(default_factory=dict)

    def publish(self, run_id: str, counts: dict[date, int]) -> Manifest:
        manifest = write_run(self.root, run_id, counts, TABLES)
        publisher = self.connect()
        publisher.prepare(TABLES)
        for table in TABLES:
            publisher.point(table, nights(manifest, table))
        self.expected |= {day: (run_id, n) for day, n in counts.items()}
        return manifest

    def check(self) -> None:
        """Every table shows the rows of the expected runs, every value of them."""
        for table in TABLES:
            wanted = [r for day, (run_id, n) in self.expected.items() for r in rows_of(table, day, run_id, n)]
            assert by_text(self.read(table)) == by_text(wanted), table.name


def by_text(rows: Rows) -> list[str]:
    return sorted(repr(sorted(plain(r).items())) for r in rows)


def plain(value: Any) -> Any:
    """A row without what differs between readers: nested rows as lists of values, the time zone's object."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(list(v.values()) if isinstance(v, dict) else v) for v in value]
    return value.timestamp() if hasattr(value, "timestamp") else value


def nights(manifest: Manifest, table: Table) -> list[Published]:
    return [n for n in manifest.nights if n.table == table.name]


@pytest.fixture(params=["spark", "iceberg"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    root = tmp_path / "out 1"
    if request.param == "iceberg":

        def scan(table: Table) -> Rows:
            rows: Rows = IcebergTables(root, ICEBERG).load(table.name).scan().to_arrow().to_pylist()
            return rows

        yield Place(root, lambda: IcebergTables(root, ICEBERG), scan)
        return
    spark: SparkSession = request.getfixturevalue("spark")
    catalog = f"t{abs(hash(str(tmp_path))):x}"

    def query(table: Table) -> Rows:
        rows: Rows = spark.table(f"{catalog}.{table.name}").toArrow().to_pylist()
        return rows

    yield Place(root, lambda: SparkCatalog(spark, root, catalog), query)


def test_nights_are_published_replaced_emptied_and_taken_out(place: Place) -> None:
    place.publish("r1", {DAYS[2]: 4, DAYS[0]: 5})
    place.check()
    place.publish("r2", {DAYS[1]: 3})  # out of order, between two that are there
    place.check()
    old = place.publish("r3", {DAYS[0]: 7})
    place.check()
    place.publish("r4", {DAYS[0]: 0})
    place.check()
    publisher = place.connect()
    for table in TABLES:
        publisher.verify(table, nights(read_manifest(place.root, "r4"), table))
        with pytest.raises(PublishError, match=r"does not show this run: \d of its files are\s+missing"):
            publisher.verify(table, nights(old, table))
    publisher.drop(TABLES, [DAYS[2], date(2031, 1, 1)])
    del place.expected[DAYS[2]]
    place.check()


def test_a_second_publish_of_a_run_and_a_way_back_change_nothing_else(place: Place) -> None:
    first = place.publish("r1", {DAYS[0]: 4, DAYS[1]: 3})
    publisher = place.connect()
    for _ in range(2):
        publisher.prepare(TABLES)
        for table in TABLES:
            publisher.point(table, nights(first, table))
        place.check()
    assert sorted(p for p in publisher.shown(TABLES)) == sorted(n.location for n in first.nights)
    place.publish("r2", {DAYS[0]: 6})
    for table in TABLES:
        place.connect().point(table, nights(first.cut([DAYS[0]]), table))
    place.expected[DAYS[0]] = ("r1", 4)
    place.check()


def test_two_writers_on_two_nights_both_succeed_and_on_one_night_one_whole_run_wins(place: Place) -> None:
    place.publish("r0", {DAYS[0]: 2})
    for turn in range(3):
        # the third night is new in the first turn
        runs = [write_run(place.root, f"w{turn}{k}", {day: 4 + k}, TABLES) for k, day in enumerate(DAYS[:2])]
        runs += [write_run(place.root, f"w{turn}{k}", {DAYS[2]: 4 + k}, TABLES) for k in (2, 3)]
        with ThreadPoolExecutor(len(runs)) as pool:
            list(pool.map(lambda run: place.connect().point(TOPICS, nights(run, TOPICS)), runs))
        shown = {(r["run_date"], r["run_id"]) for r in place.read(TOPICS)}
        assert {(DAYS[0], f"w{turn}0"), (DAYS[1], f"w{turn}1")} < shown
        (winner,) = {run_id for day, run_id in shown if day == DAYS[2]}
        assert winner in (f"w{turn}2", f"w{turn}3")
        n_rows = [
            sum(r["run_id"] == run_id for r in place.read(TOPICS)) for run_id in (f"w{turn}0", f"w{turn}1", winner)
        ]
        assert n_rows == [4, 5, 4 + int(winner[-1])]


def test_a_column_is_added_and_other_changes_are_refused(place: Place) -> None:
    def version(*columns: Column) -> Table:
        return Table(TOPICS.name, TOPICS.comment, columns, TOPICS.key, TOPICS.volatile)

    place.publish("r1", {DAYS[0]: 3})
    newer = version(TOPICS.columns[0], Column("origin", STRING, "new"), *TOPICS.columns[1:])
    manifest = write_run(place.root, "r2", {DAYS[1]: 3}, (newer,))
    publisher = place.connect()
    publisher.prepare((newer,))
    publisher.point(newer, nights(manifest, newer))
    found = sorted((r["run_date"], str(r["origin"])) for r in place.read(newer))
    assert found == sorted(
        [(DAYS[0], "None")] * 3 + [(r["run_date"], str(r["origin"])) for r in rows_of(newer, DAYS[1], "r2", 3)]
    )
    assert {r["run_id"] for r in place.read(newer) if r["origin"]} == {"r2"}
    renamed = Column(TOPICS.columns[0].name, Column("x", STRING, "").dtype, "was a number")
    other = version(renamed if TOPICS.columns[0].dtype != STRING else TOPICS.columns[0], *TOPICS.columns[2:])
    with pytest.raises(
        PublishError, match=r"has other columns than this version.*not a column here.*(output.catalog|namespace)"
    ):
        place.connect().prepare((other,))


class Killed(BaseException):
    """Ends a publication at a named place, as a kill does, but for this process."""


def test_stopped_at_any_step_every_night_is_whole_and_a_rerun_heals(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, root = f"t{abs(hash(str(tmp_path))):x}", tmp_path / "out"
    monkeypatch.setattr(schemas, "TABLES", TABLES)
    readers = [
        lambda table: spark.table(f"{catalog}.{table.name}").toArrow().to_pylist(),
        lambda table: IcebergTables(root, ICEBERG).load(table.name).scan().to_arrow().to_pylist(),
    ]
    passed: list[str] = []
    stop_at: list[int] = []

    def stop(name: str) -> None:
        passed.append(name)
        if stop_at and len(passed) == stop_at[0]:
            raise Killed

    monkeypatch.setattr(publish_module, "failpoint", stop)
    monkeypatch.setattr(iceberg_module, "failpoint", stop)

    def run(run_id: str, n: int) -> None:
        if not manifest_path(root, run_id).exists():
            write_run(root, run_id, {DAYS[0]: n}, TABLES, catalog)
        passed.clear()
        show(spark, root, read_manifest(root, run_id), iceberg=ICEBERG)

    def runs_shown() -> list[dict[str, str]]:
        """Per reader, the run that each table shows; fails unless all its rows are there."""
        shown = []
        for read_table in readers:
            of_table = {}
            for table in TABLES:
                rows = read_table(table)
                (run_id,) = {r["run_id"] for r in rows}
                assert len(rows) == (1 if table is RUNS else int(run_id[1:])), table.name
                of_table[table.name] = run_id
            shown.append(of_table)
        return shown

    run("r3", 3)
    steps = list(passed)
    assert steps == [
        "after_flip_1", "after_flip_2", "before_iceberg_commit", "after_iceberg_1", "before_iceberg_commit", "after_iceberg_2",
        "before_log", "after_log",
    ]  # fmt: skip
    for k in range(1, len(steps) + 1):
        stop_at[:] = [k]
        with pytest.raises(Killed):
            run(f"r{3 + k}", 3 + k)
        stop_at.clear()
        new = [shown == f"r{3 + k}" for of_reader in runs_shown() for shown in of_reader.values()]
        assert sum(new) == {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4, 8: 4}[k]
        assert published_runs(root)[DAYS[0]] == f"r{3 + k}" or k < 8
        run(f"r{3 + k}", 3 + k)
        assert runs_shown() == [dict.fromkeys([t.name for t in TABLES], f"r{3 + k}")] * 2
    rollback(spark, root, DAYS[0], "r3", ICEBERG)
    assert runs_shown() == [dict.fromkeys([t.name for t in TABLES], "r3")] * 2
    assert [r["action"] for r in read_log(root)][-2:] == ["publish", "rollback"]
