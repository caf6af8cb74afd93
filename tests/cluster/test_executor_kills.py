"""Executors of a real cluster killed while they score, and tasks that run twice: every row once, the same content hash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standalone import executors, has_children, standalone

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from small_nights import DAYS, command, environment, hashes, nightly, results, rows, write

from pipeline.manifest import read_manifest
from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2_400)]
NIGHT = ["--run-date", str(DAYS[0])]
N = 600
SETTINGS = ["scoring.tokens_per_task=1024"]
ABOUT_THE_RUN = {"runs", "run_stages", "quality_checks"}


@dataclass(frozen=True)
class Cluster:
    """A cluster whose workers count the texts they score in `count`; the first worker is a slow one."""

    folder: Path
    url: str
    count: Path

    def settings(self, *more: str) -> list[str]:
        where = [f"spark.master={self.url}", "spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1"]
        return [*SETTINGS, *where, "spark.executor.memory=1g", "spark.executor.cores=1", *more]

    def scored(self) -> int:
        return sum(map(int, self.count.read_text().split())) if self.count.exists() else 0

    def start(self, root: str, *more: str) -> "subprocess.Popen[str]":
        self.count.unlink(missing_ok=True)
        line = command(self.folder, [NIGHT], self.settings(*more), root)
        return subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill_one(self, process: "subprocess.Popen[str]", worker: str, after: int) -> None:
        """Kill a worker's executor once so many texts were scored and it is there."""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()[1][-4000:]
            alive = [pid for place, pid in executors(self.folder / "work") if place == worker]
            if self.scored() >= after and alive:
                os.kill(alive[-1], signal.SIGKILL)
                return
            time.sleep(0.1)
        process.kill()  # its executors would keep the cores from the tests that follow
        raise TimeoutError(f"no executor of {worker} to kill after {after} texts; {self.scored()} were scored")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("kills")
    write(folder / "corpus" / "1.parquet", rows(DAYS[0], N))
    (folder / "work").mkdir()
    count = folder / "count"
    base = {k: v for k, v in environment(NIGHTJAR_COUNT_FILE=str(count)).items() if k != "SPARK_SUBMIT_OPTS"}
    workers = (base | {"NIGHTJAR_PLANT_SLOW": "1.5"}, base | {"NIGHTJAR_PLANT_SLOW": "0.5"})
    with standalone(folder / "work", Path(sys.executable), workers, spread=True) as url:
        yield Cluster(folder, url, count)


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster) -> dict[tuple[str, str], str]:
    """What an undisturbed run in local mode publishes."""
    codes, log = nightly(cluster.folder, [NIGHT], SETTINGS, root="local")
    assert codes == [0], log[-4000:]
    return content(cluster.folder, "local")


def content(folder: Path, root: str) -> dict[tuple[str, str], str]:
    return {key: digest for key, digest in hashes(results(folder, root)[-1]).items() if key[0] not in ABOUT_THE_RUN}


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    try:
        out, log = process.communicate(timeout=600)
    finally:
        process.kill()  # where it has not ended, see above
    assert process.returncode == 0, log[-4000:]
    return json.loads(out.strip().splitlines()[-1])[0], log


def assert_each_row_once(root: Path) -> None:
    with open_duckdb(root) as db:
        found = db.execute("SELECT count(*), count(DISTINCT doc_id), count(sentiment) FROM doc_scores").fetchone()
    assert found == (N, N, N)


def test_both_executors_killed_in_turn_change_nothing(
    cluster: Cluster, undisturbed: dict[tuple[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    process = cluster.start("killed")
    kills = [("w1", N // 6), ("w0", N // 3), ("w1", N // 2)]
    for worker, after in kills:
        cluster.kill_one(process, worker, after)
    code, log = ended(process)
    assert code == 0, log[-4000:]
    with capsys.disabled():
        print(f"\n{len(kills)} executors killed, {cluster.scored()} texts scored for {N}")
    assert content(cluster.folder, "killed") == undisturbed
    assert_each_row_once(cluster.folder / "killed")


def test_executors_that_always_die_end_the_run_and_publish_nothing(cluster: Cluster) -> None:
    """Each is killed once it has Python workers, so with a task: the fourth loss of one, or of what it reads, ends the run."""
    process = cluster.start("failed")
    cluster.kill_one(process, "w1", N // 6)
    deadline, killed = time.monotonic() + 400, set[int]()
    while process.poll() is None and time.monotonic() < deadline:
        for _, pid in executors(cluster.folder / "work"):
            if pid not in killed and has_children(pid):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.1)
    code, log = ended(process)
    assert code == 3, log[-4000:]
    assert len(killed) >= 3
    assert "executors were lost again and again" in log
    assert "Traceback" not in log
    assert results(cluster.folder, "failed")[-1]["tables"] == []
    assert not list((cluster.folder / "failed").glob("_data/**/*.parquet"))


def test_tasks_that_run_twice_give_one_set_of_files(cluster: Cluster, undisturbed: dict[tuple[str, str], str]) -> None:
    events = cluster.folder / "events"
    events.mkdir()
    speculation = {
        "spark.speculation": "true", "spark.speculation.interval": "50ms", "spark.speculation.multiplier": "1.01",
        "spark.speculation.quantile": "0.1", "spark.speculation.minTaskRuntime": "1ms",
        "spark.speculation.efficiency.enabled": "false", "spark.speculation.task.duration.threshold": "300ms",
        "spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{events}", "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }  # fmt: skip
    code, log = ended(cluster.start("twice", *(f"{key}={value}" for key, value in speculation.items())))
    assert code == 0, log[-4000:]
    (path,) = (p for p in events.iterdir() if p.is_file())
    tasks: list[dict[str, Any]] = [e for e in map(json.loads, path.open()) if e["Event"] == "SparkListenerTaskStart"]
    assert sum(e["Task Info"]["Speculative"] for e in tasks) >= 1, "otherwise nothing ran twice"
    assert content(cluster.folder, "twice") == undisturbed
    assert_each_row_once(cluster.folder / "twice")
    root = cluster.folder / "twice"
    listed = {
        p for night in read_manifest(root, results(cluster.folder, "twice")[-1]["run_id"]).nights for p in night.files
    }
    assert listed == {str(p.relative_to(root)) for p in root.glob("_data/**/*.parquet")}
