"""Operations on tables and store, killed at random instants; driven by test_random_kills.py.

    random_kills.py ROOT OPERATION KILLS SEED     prints one JSON object

Each attempt is a forked driver with a connection of its own to this process' JVM; it is killed (SIGKILL) after a random part of
the time an undisturbed attempt takes. The JVM goes on with the command it is at, as it may when a driver dies on a cluster; then
readers are asked.
"""

import dataclasses
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from pyspark.sql import DataFrame, SparkSession
from tiny_nights import DAYS, duckdb_state, spark_state, stage

from pipeline import run_schemas, schemas
from pipeline.audit import audit
from pipeline.manifest import RunLock, new_run_id, published_runs, read_manifest
from pipeline.operations.compaction import compact
from pipeline.operations.garbage import Retention, delete, find_garbage
from pipeline.operations.runs import publish_run, rollback
from pipeline.publish import publish
from pipeline.session import build_session
from pipeline.store import STORED, ScoreStore

TABLES = (schemas.SENTIMENT_DAILY, run_schemas.RUNS)
CONTENT = ({DAYS[0]: 3, DAYS[1]: 4}, {DAYS[0]: 5, DAYS[1]: 0})
N_KEYS = 64
HEAL_EVERY = 4
"""After so many kills the operation is done again undisturbed, and its outcome compared."""


@dataclasses.dataclass
class Root:
    """What the operations work on; `version` is the content to be published next."""

    spark: SparkSession
    path: Path
    version: int = 0

    def publish(self) -> None:
        with RunLock(self.path):
            run_id = new_run_id(datetime.now(UTC))
            nights = CONTENT[self.version]
            stage(self.spark, self.path, run_id, nights, TABLES, str(self.version))
            audits = [a for table in TABLES for a in audit(self.spark, table, self.path, run_id, list(nights))]
            publish(self.spark, self.path, "nightjar", run_id, audits)

    def publish_again(self) -> None:
        """Publish the newest staged run, if it is whole; it may have been killed anywhere."""
        newest = max(p.name.removeprefix("run_id=") for p in self.path.glob("_data/runs/run_date=*/run_id=*"))
        with RunLock(self.path):
            publish_run(self.spark, self.path, "nightjar", newest, TABLES)

    def roll(self) -> None:
        """Let both nights show the run that does not show now, of the two that were published."""
        for day in DAYS[:2]:
            shown = published_runs(self.path)[day]
            other = next(r for r in self.published() if r != shown)
            with RunLock(self.path):
                rollback(self.spark, self.path, day, other)

    def published(self) -> list[str]:
        return sorted({r["run_id"] for r in map(json.loads, (p.read_text() for p in self.path.glob("_log/*.json")))})

    def collect(self) -> None:
        self.publish()
        with RunLock(self.path):
            retention = Retention(keep=1, grace=timedelta(0))
            delete(self.path, find_garbage(self.spark, self.path, "nightjar", retention))

    def store(self) -> ScoreStore:
        return ScoreStore(self.spark, self.path, "m")

    def score(self) -> None:
        """Write what the store lacks, as a night would, in eight tasks."""
        store, wanted = self.store(), keys(self.spark, N_KEYS)
        missing = wanted.join(store.settled(wanted), ["content_key", "lang_hint"], "left_anti")
        store.write(results(missing).repartition(8, "content_key"), f"run-{time.time_ns()}")

    def fold(self) -> None:
        self.score()
        with RunLock(self.path):
            compact(self.spark, self.path, "m")


def keys(spark: SparkSession, n: int) -> DataFrame:
    return spark.range(n).selectExpr(
        "sha2(cast(id as string), 256) content_key", "'en' lang_hint", "cast(id as int) n_chars"
    )


def results(texts: DataFrame) -> DataFrame:
    """What a model would say: a vector that follows from the text."""
    vector = "transform(sequence(1, 8), i -> cast(n_chars * i as float)) embedding"
    given = texts.selectExpr("content_key", "lang_hint", "n_chars", vector)
    nulls = [f"cast(null as {f.dataType.simpleString()}) {f.name}" for f in STORED if f.name not in given.columns]
    return given.selectExpr("*", *nulls)


def whole_nights(root: Root) -> None:
    """Fail unless every table shows one whole run on every night, to both kinds of readers."""
    for state in (spark_state(root.spark, TABLES), duckdb_state(root.path, TABLES)):
        for day in DAYS[:2]:
            daily, runs = state.get(f"sentiment_daily {day}", []), state[f"runs {day}"]
            assert len(daily) <= 1, state
            assert len(runs) == 1, state
            assert runs[0][1] == 1, state
            rows = daily[0][1] if daily else 0
            assert rows in {content[day] for content in CONTENT}, state


def right_answers(root: Root) -> int:
    """Fail unless every stored text has its own result, once; return how many there are."""
    found = root.store().lookup(keys(root.spark, N_KEYS)).collect()
    assert len({r.content_key for r in found}) == len(found)
    for row in found:
        assert list(row.embedding) == [float(row.n_chars * i) for i in range(1, 9)], row
    return len(found)


def hashes(root: Root) -> dict[str, Any]:
    """What readers of the log see, by content; and the texts the store has."""
    shown = published_runs(root.path)
    nights = [n for r in set(shown.values()) for n in read_manifest(root.path, r).nights if shown[n.run_date] == r]
    return {f"{n.table} {n.run_date}": n.content_hash for n in nights}


def killed(root: Root, action: Callable[[], None], delay: float) -> bool:
    """Run an action in a forked driver and kill it after `delay` seconds; return whether it was still at it."""
    child = os.fork()
    if child == 0:
        worker = threading.Thread(target=action)  # a thread has a connection of its own to the JVM
        worker.start()
        worker.join()
        os._exit(0)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    is_killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    tracker = root.spark.sparkContext.statusTracker()
    quiet = 0
    while quiet < 3:
        quiet = 0 if tracker.getActiveJobsIds() else quiet + 1
        time.sleep(0.1)
    return is_killed


def prepare(root: Root, operation: str) -> None:
    for version in (0, 1):
        root.version = version
        root.publish()
    if operation == "publish":
        root.version = 0


def trial(root: Root, operation: str, n_kills: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    prepare(root, operation)
    is_store = operation in ("score", "fold")
    action = {
        "publish": root.publish, "rollback": root.roll, "gc": root.collect, "score": root.score, "fold": root.fold,
    }[operation]  # fmt: skip
    started = time.monotonic()
    action()
    took, kills, attempts, healed, found = time.monotonic() - started, 0, 0, 0, 0
    expected = hashes(root)
    while kills < n_kills:
        attempts += 1
        if is_store and found == N_KEYS:  # a store of its own, so that there is something to do
            root.path.joinpath("_store").rename(root.path / f"_store-{attempts}")
            found = 0
        if killed(root, action, rng.uniform(0.02, 1.1 * took)):
            kills += 1
        whole_nights(root)
        if is_store:
            now = right_answers(root)
            assert now >= found, "what was stored stays"
            found = now
        if attempts % HEAL_EVERY == 0:
            started = time.monotonic()
            action()
            took = 0.5 * took + 0.5 * (time.monotonic() - started)
            whole_nights(root)
            if operation in ("publish", "gc"):
                assert hashes(root) == expected, "a rerun gives the content of an undisturbed run"
                root.publish_again()
                assert hashes(root) == expected
            if is_store:
                assert right_answers(root) == N_KEYS
                found = N_KEYS
            healed += 1
    return {"kills": kills, "attempts": attempts, "healed": healed, "seconds": round(took, 2)}


if __name__ == "__main__":
    place, name, n, seed_ = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    session = build_session("random-kills", QUICK, place / "_catalog")
    print(json.dumps(trial(Root(session, place), name, n, seed_)))
    session.stop()
