"""A run killed anywhere: every night of every table stays one whole run for every reader, and a rerun heals."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kill_matrix import CONTENT, FAILPOINTS
from kill_matrix import TABLES as KILLED_TABLES
from tiny_nights import DAYS

from pipeline.run_schemas import RUNS

MATRIX = Path(__file__).with_name("kill_matrix.py")


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A run, published; then a second whose whole process was killed after it had flipped the first table."""
    root = tmp_path_factory.mktemp("killed")
    command = [sys.executable, str(MATRIX), str(root), "die", "after_flip_1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    return root, json.loads(done.stdout)


@pytest.fixture(scope="module")
def kills(crash: tuple[Path, dict[str, str]]) -> dict[str, Any]:
    """What readers saw before and after each kill, and after the rerun."""
    done = subprocess.run(
        [sys.executable, str(MATRIX), str(crash[0]), "matrix"], capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def versions(state: dict[str, list[list[Any]]]) -> dict[str, int | None]:
    """Which content each table and night shows; fails unless it is one whole run. None: a table without that night."""
    shown: dict[str, int | None] = {}
    for table in KILLED_TABLES:
        for day in DAYS[:2]:
            runs = state.get(f"{table.name} {day}", [])
            assert len(runs) <= 1, f"rows of several runs in {table.name} {day}: {runs}"
            if table is RUNS:
                continue
            n_rows = runs[0][1] if runs else 0
            (shown[f"{table.name} {day}"],) = [v for v, content in enumerate(CONTENT) if content[day] == n_rows]
    runs_table = [state[f"runs {day}"] for day in DAYS[:2]]
    assert runs_table[0] == runs_table[1], "both nights of `runs` come from one run"
    return shown


def test_a_killed_process_leaves_whole_nights_and_the_next_one_goes_on(kills: dict[str, Any]) -> None:
    found = kills["after_write"]["before"]
    assert set(versions(found["spark"]).values()) == {1}, "the table that was flipped shows the new run"
    assert set(versions(found["duckdb"]).values()) == {0}, "the log does not know the killed run"
    old = {tuple(run) for runs in found["duckdb"].values() for run in map(tuple, runs)}
    assert len({run_id for run_id, _ in old}) == 1
    assert found["spark"][f"runs {DAYS[0]}"] == found["duckdb"][f"runs {DAYS[0]}"]


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_anywhere_every_night_is_one_whole_run_and_a_rerun_heals(
    kills: dict[str, Any], crash: tuple[Path, dict[str, str]], failpoint: str
) -> None:
    found = kills[failpoint]
    assert found["signal"] == signal.SIGKILL
    for reader in ("spark", "duckdb"):
        versions(found["after"][reader])
    n_flipped = {"after_flip_1": 1, "after_flip_2": 2, "before_log": 2, "after_log": 2}.get(failpoint, 0)
    tables = [table.name for table in KILLED_TABLES]
    for k, table in enumerate(tables):
        was, now = (
            {key: runs for key, runs in found[when]["spark"].items() if key.startswith(table)}
            for when in ("before", "after")
        )
        assert (was != now) == (k < n_flipped), f"{table} after {failpoint}"
    assert (found["after"]["duckdb"] == found["before"]["duckdb"]) == (failpoint != "after_log")
    if failpoint == "after_log":
        assert found["after"]["duckdb"] == found["after"]["spark"]
    if "healed" in found:
        assert sorted(found["healed"]["spark"].items()) == sorted(found["healed"]["duckdb"].items())
        assert set(versions(found["healed"]["spark"]).values()) == {found["version"]}
        same = [step["hashes"] for step in kills.values() if step.get("hashes") and step["version"] == found["version"]]
        assert all(hashes == found["hashes"] for hashes in same)
        assert (found["hashes"] == crash[1]) == (found["version"] == 0)
