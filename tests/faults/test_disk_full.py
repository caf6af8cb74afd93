"""No space left, under the output root or where Spark spills: one clear line, the old night stays, and with room it goes on.

Needs Linux with user namespaces, to mount a small file system without being root.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]


@pytest.mark.parametrize("place", ["output", "spark"])
def test_a_full_disk_publishes_nothing_and_says_so(tmp_path: Path, place: str) -> None:
    script = str(Path(__file__).with_name("disk_full.py"))
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, script, str(tmp_path), place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1_100)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["codes"] == [3], found
    (message,) = found["message"]
    assert "no space left on a device; free space under output.root or spark.local.dir and run again" in message
    assert not found["traceback"], found["log"]
    assert found["documents"] == 20, "readers see the night as it was"
    if place == "output":
        assert found["then"] == [0], found["log_then"]
        assert found["documents_then"] == 1_500
