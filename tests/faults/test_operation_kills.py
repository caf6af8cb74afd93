"""The operations on tables killed at each of their named steps: every night one whole run, and the same call does the rest."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SCRIPT = Path(__file__).with_name("operation_kills.py")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("operations")
    done = subprocess.run([sys.executable, str(SCRIPT), str(root)], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-4000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_every_step_was_killed(found: dict[str, Any]) -> None:
    assert len(found["steps"]) == 11
    assert {step["signal"] for step in found["steps"].values()} == {signal.SIGKILL}


def test_a_run_killed_while_it_was_published_is_published_by_its_id(found: dict[str, Any]) -> None:
    steps = [step for name, step in found["steps"].items() if name.startswith("publish")]
    by_version = {step["version"]: step["hashes"] for step in steps}
    assert len(by_version) == 2
    assert all(step["hashes"] == by_version[step["version"]] for step in steps)
    assert by_version[0] != by_version[1]


def test_garbage_collected_in_two_attempts_is_gone_and_nothing_else(found: dict[str, Any]) -> None:
    step = found["steps"]["gc after_purge"]
    assert (step["same"], step["folders"]) == (True, 2), "one run of each of two nights is left"


def test_the_store_answers_the_same_whatever_was_killed(found: dict[str, Any]) -> None:
    n = found["n_keys"]
    for failpoint in ("after_fold", "after_compact"):
        step = found["steps"][f"fold {failpoint}"]
        assert (step["answers"], step["healed"], step["parts"]) == (n, n, 0)
    step = found["steps"]["forget_key after_store_purge"]
    assert (step["answers"], step["healed"]) == (n - 1, n - 1)
