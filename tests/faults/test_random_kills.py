"""A hundred and ten SIGKILLs at random instants over the steps of publisher and store: never half a night, nothing lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2_400)]
SCRIPT = Path(__file__).with_name("random_kills.py")
KILLS = {"publish": 35, "rollback": 20, "gc": 15, "score": 20, "fold": 20}


def test_there_are_enough_kills() -> None:
    assert sum(KILLS.values()) >= 100


@pytest.mark.parametrize("operation", KILLS)
def test_killed_at_random_instants_every_night_is_one_whole_run_and_a_rerun_heals(
    tmp_path: Path, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path), operation, str(KILLS[operation]), "20261005"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2_300)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{operation}: {found['kills']} of {found['attempts']} attempts killed, {found['healed']} reruns")
    assert found["kills"] >= KILLS[operation]
    assert found["healed"] >= KILLS[operation] // 4
