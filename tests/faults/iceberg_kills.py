"""Publishes into Iceberg in processes of their own, which are killed, or race. Driven by test_iceberg_kills.py.

A run `r<n>` has n rows of `topics` on each of its nights and one of `runs`, in two files where it has two rows.
"""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import date
from multiprocessing.context import ForkServerContext
from pathlib import Path

from parquet_runs import write_run
from tiny_nights import DAYS

from pipeline.failpoints import VARIABLE, failpoint
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.tables import IcebergTables
from pipeline.manifest import manifest_path, read_manifest
from pipeline.run_schemas import RUNS
from pipeline.schemas import TOPICS

TABLES = (TOPICS, RUNS)
NIGHTS = DAYS[:2]
CONFIG = IcebergConfig()
BETWEEN_TABLES = f"{IcebergTables.failpoint}_1"
State = dict[tuple[str, date], str]


def context() -> ForkServerContext:
    """Processes that start within milliseconds, everything imported, and no thread inherited."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["iceberg_kills"])
    return found


def stage(root: Path, run_id: str, nights: tuple[date, ...] = NIGHTS) -> None:
    if not manifest_path(root, run_id).exists():
        write_run(root, run_id, dict.fromkeys(nights, int(run_id[1:])), TABLES)


def publish(root: Path, run_id: str, dies_at: str = "") -> None:
    """Publish a staged run: what a process does."""
    os.environ[VARIABLE] = dies_at
    manifest, place = read_manifest(root, run_id), IcebergTables(root, CONFIG)
    place.prepare(TABLES)
    for k, table in enumerate(TABLES, start=1):
        place.point(table, [n for n in manifest.nights if n.table == table.name])
        failpoint(f"{place.failpoint}_{k}")


def state(root: Path) -> State:
    """The run that each table shows on each night; fails unless all its rows are there, once."""
    found: State = {}
    for table in TABLES:
        there = IcebergTables(root, CONFIG).find(table.name)
        rows = there.scan(selected_fields=("run_date", "run_id")).to_arrow().to_pylist() if there else []
        for day in {r["run_date"] for r in rows}:
            run_ids = [r["run_id"] for r in rows if r["run_date"] == day]
            wanted = 1 if table is RUNS else int(run_ids[0][1:])
            assert run_ids == [run_ids[0]] * wanted, f"{table.name} {day}: {run_ids}"
            found[table.name, day] = run_ids[0]
    return found


def seconds_of_one(root: Path) -> float:
    """How long a publication takes in a process."""
    stage(root, "r1")
    started = time.monotonic()
    process = context().Process(target=publish, args=(root, "r1"))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    return time.monotonic() - started


def killed_at_random(root: Path, n_kills: int, seed: int) -> Counter[str]:
    """Kill publications at random instants, look after each, and let every fourth be repeated to its end.

    Random instants seldom fall between the two tables, so that after every tenth of these kills another one is aimed there.

    Returns how many were killed (at random, aimed), and of those how many had changed no table, one, or both.
    """
    chance, longest = random.Random(seed), seconds_of_one(root)
    counts: Counter[str] = Counter()
    n, after = 1, state(root)
    while counts["random killed"] < n_kills:
        n += 1
        aimed = counts["random killed"] >= 10 * (counts["aimed killed"] + 1)
        run_id = f"r{2 + n % 40}"
        before = after
        exitcode = _killed(root, run_id, None if aimed else chance.uniform(0.0, 1.1 * longest))
        after = state(root)
        assert set(after.values()) <= set(before.values()) | {run_id}
        if exitcode == 0:
            counts["ended before"] += 1
            assert set(after.values()) == {run_id}
            continue
        assert exitcode == -signal.SIGKILL
        how = "aimed" if aimed else "random"
        counts[f"{how} killed"] += 1
        counts[f"{how} tables changed {n_changed(before, after)}"] += 1
        if n % 4 == 0:
            again = context().Process(target=publish, args=(root, run_id))
            again.start()
            again.join(60)
            after = state(root)
            assert (again.exitcode, set(after.values())) == (0, {run_id})
    return counts


def _killed(root: Path, run_id: str, after_sec: float | None) -> int | None:
    """Publish a run in a process killed after so many seconds, if it is still there, or, with None, between its two tables."""
    stage(root, run_id)
    dies_at = BETWEEN_TABLES if after_sec is None else ""
    process = context().Process(target=publish, args=(root, run_id, dies_at))
    process.start()
    process.join(after_sec if after_sec is not None else 60)
    if after_sec is not None and process.exitcode is None and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    return process.exitcode


def n_changed(before: State, after: State) -> int:
    """How many tables show another run than before; fails where of a table's nights only one does."""
    changed = [{after[t.name, day] != before[t.name, day] for day in NIGHTS} for t in TABLES]
    assert all(len(nights) == 1 for nights in changed), "both nights of a table change in one snapshot"
    return sum(nights == {True} for nights in changed)


def raced(root: Path, turn: int) -> State:
    """Let four processes publish at once, two of them the same night; return what is shown then."""
    runs = {f"r{10 * turn + k}": (DAYS[min(k, 2)],) for k in range(4)}
    for run_id, nights in runs.items():
        stage(root, run_id, nights)
    processes = [context().Process(target=publish, args=(root, run_id)) for run_id in runs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0] * 4
    return state(root)
