"""A run killed, JVM and all, when half of its texts were scored: the next one scores the rest, and little twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SCRIPT = Path(__file__).with_name("half_scored.py")
N_TEXTS, TOKENS_PER_TASK = 24_000, 8_192


def n_scored(root: Path) -> int:
    """Rows that have left the model, in all runs."""
    return sum(int(text) for p in root.glob("log/*") if (text := p.read_text()))


def test_what_was_scored_before_a_kill_is_not_scored_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(N_TEXTS), str(TOKENS_PER_TASK)]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while n_scored(tmp_path) < N_TEXTS / 2:
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    time.sleep(2)  # Python workers notice that their JVM is gone
    at_kill = n_scored(tmp_path)
    assert at_kill < 0.6 * N_TEXTS
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    total = n_scored(tmp_path)
    with capsys.disabled():
        print(
            f"\nkilled after {at_kill:,} of {N_TEXTS:,} texts, scored in all {total:,} = {total / N_TEXTS:.4f} of them"
        )
    assert int(done.stdout.split()[-1]) == N_TEXTS
    assert N_TEXTS <= total <= 1.05 * N_TEXTS
