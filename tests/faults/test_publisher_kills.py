"""A publication to both places killed (SIGKILL) at every step: each night of each table whole in both, and a rerun heals."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from publisher_kills import FAILPOINTS
from tiny_nights import DAYS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SCRIPT = Path(__file__).with_name("publisher_kills.py")
NEW_TABLES = {
    "after_flip_1": (1, 0),
    "after_flip_2": (2, 0),
    "before_iceberg_commit": (2, 0),
    "after_iceberg_1": (2, 1),
}
"""How many tables of the Spark catalog and of Iceberg show the new run after a kill; after later ones all do."""


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("killed")
    done = subprocess.run([sys.executable, str(SCRIPT), str(root)], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def whole(run_id: str) -> dict[str, list[list[Any]]]:
    """What a reader sees of a run that is there entirely."""
    return {
        f"topics {DAYS[0]}": [[run_id, int(run_id[1:])]],
        f"runs {DAYS[0]}": [[run_id, 1]],
        f"runs {DAYS[1]}": [[run_id, 1]],
    }


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_at_any_step_every_table_is_whole_in_both_places_and_a_rerun_heals(
    kills: dict[str, Any], failpoint: str
) -> None:
    found = kills[failpoint]
    new, old = found["run_id"], f"r{int(found['run_id'][1:]) - 1}"
    assert found["signal"] == signal.SIGKILL
    for reader, n_new in zip(("spark", "iceberg"), NEW_TABLES.get(failpoint, (2, 2)), strict=True):
        by_table = {"topics": new if n_new > 0 else old, "runs": new if n_new > 1 else old}
        wanted = {
            key: value
            for table, run_id in by_table.items()
            for key, value in whole(run_id).items()
            if key.startswith(table)
        }
        assert found["after"][reader] == wanted, reader
    assert found["after"]["duckdb"] == whole(new if failpoint == "after_log" else old)
    assert found["healed"] == dict.fromkeys(("spark", "iceberg", "duckdb"), whole(new))
