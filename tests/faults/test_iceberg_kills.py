"""Iceberg tables whose writers are killed (SIGKILL) at named places and random instants, and writers that race."""

import signal
from pathlib import Path

import pytest
from iceberg_kills import CONFIG, NIGHTS, TABLES, context, killed_at_random, publish, raced, stage, state
from tiny_nights import DAYS

from pipeline.iceberg.tables import IcebergTables

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]


def test_killed_between_manifests_and_commit_nothing_has_changed_and_a_rerun_heals(tmp_path: Path) -> None:
    for run_id in ("r3", "r5"):
        stage(tmp_path, run_id)
    publish(tmp_path, "r3")
    before = state(tmp_path)
    process = context().Process(target=publish, args=(tmp_path, "r5", "before_iceberg_commit"))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert state(tmp_path) == before
    publish(tmp_path, "r5")
    assert set(state(tmp_path).values()) == {"r5"}
    assert len(IcebergTables(tmp_path, CONFIG).load("topics").snapshots()) == 2


def test_a_hundred_kills_at_random_instants(tmp_path: Path) -> None:
    """And nine kills between the two tables, which then show two runs, each of them whole."""
    counts = killed_at_random(tmp_path, 100, seed=20_261_128)
    print(dict(counts))
    assert counts["random killed"] == 100
    assert counts["random tables changed 0"] >= 10
    assert counts["aimed tables changed 1"] == counts["aimed killed"] == 9, "killed between the tables, one has changed"


def test_processes_that_race_for_nights_that_are_new_and_for_nights_that_are_there(tmp_path: Path) -> None:
    """In the first turn the tables themselves do not exist."""
    for turn in range(1, 6):
        shown = raced(tmp_path, turn)
        assert shown["topics", DAYS[0]] == f"r{10 * turn}"
        assert shown["topics", DAYS[1]] == f"r{10 * turn + 1}"
        assert shown["topics", DAYS[2]] in {f"r{10 * turn + 2}", f"r{10 * turn + 3}"}
    assert len(state(tmp_path)) == 3 * len(TABLES)
    assert len(NIGHTS) == 2
