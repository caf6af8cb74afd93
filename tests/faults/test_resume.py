"""A run killed while it scored, or stopped at its limit: what was scored is not scored again, and the tables are equal."""

import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_nights import DAYS, command, environment, hashes, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
NIGHT = ["--run-date", str(DAYS[0])]
N = 960
SETTINGS = ["scoring.tokens_per_task=1024"]


def counted(path: Path) -> int:
    """Texts that went through an engine."""
    return sum(map(int, path.read_text().split())) if path.exists() else 0


def killed_at(folder: Path, count_file: Path, n: int) -> int:
    """Run the night and kill driver and JVM once `n` texts were scored; return how many were by then."""
    process = subprocess.Popen(
        command(folder, [NIGHT], SETTINGS),
        env=environment(NIGHTJAR_COUNT_FILE=str(count_file)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while counted(count_file) < n:
        assert process.poll() is None, "the run ended before it was to be killed"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(5)  # workers notice that their JVM is gone
    return counted(count_file)


def test_killed_at_half_and_resumed_scores_each_text_about_once(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], N))
    codes, log = nightly(tmp_path, [NIGHT], SETTINGS, root="whole")
    assert codes == [0], log[-4000:]
    count_file = tmp_path / "count"
    at_kill = killed_at(tmp_path, count_file, N // 2)
    assert N // 2 <= at_kill < N
    assert not list((tmp_path / "out").glob("_data/**/*.parquet"))
    codes, log = nightly(tmp_path, [NIGHT], SETTINGS, NIGHTJAR_COUNT_FILE=str(count_file))
    assert codes == [0], log[-4000:]
    total = counted(count_file)
    print(f"killed at {at_kill} of {N} texts, scored in total {total}: {total / N:.3f} of the distinct texts")
    assert N <= total <= 1.05 * N
    (whole,), (resumed,) = results(tmp_path, "whole"), results(tmp_path)
    assert hashes(resumed) == hashes(whole), "the same bits as the undisturbed run"


def test_a_run_that_is_told_to_stop_ends_in_order(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], N))
    count_file = tmp_path / "count"
    process = subprocess.Popen(
        command(tmp_path, [NIGHT], SETTINGS),
        env=environment(NIGHTJAR_COUNT_FILE=str(count_file), NIGHTJAR_PLANT_SLOW="2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while counted(count_file) < N // 8:
        assert process.poll() is None, "the run ended before it was to be stopped"
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, log = process.communicate(timeout=120)
    assert out.strip().endswith("[3]"), log[-4000:]
    assert "failed: interrupted; every night of every table is whole" in log
    (stopped,) = results(tmp_path)
    assert (stopped["status"], stopped["exit_code"], stopped["tables"]) == ("failed", 3, [])
    assert not list((tmp_path / "out").glob("_data/**/*.parquet"))
    assert list((tmp_path / "out").glob("_store/*/*/_SUCCESS")), "what was scored is kept"


def test_a_deadline_stops_scoring_keeps_it_and_publishes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], N))
    count_file = tmp_path / "count"
    deadline = (datetime.now(UTC) + timedelta(seconds=120)).isoformat()
    settings = [*SETTINGS, "quality.min_rows=1"]
    codes, log = nightly(
        tmp_path,
        [[*NIGHT, "--deadline", deadline]],
        settings,
        NIGHTJAR_PLANT_SLOW="8",
        NIGHTJAR_COUNT_FILE=str(count_file),
    )
    assert codes == [4], log[-4000:]
    assert "texts were scored in this run and are kept" in log
    assert "Traceback" not in log
    (partial,) = results(tmp_path)
    assert (partial["status"], partial["exit_code"], partial["tables"]) == ("partial", 4, [])
    assert 0 < partial["limits"]["texts_left"] < N
    assert datetime.fromisoformat(partial["ended_at"]) < datetime.fromisoformat(deadline) + timedelta(seconds=30)
    assert not list((tmp_path / "out").glob("_data/**/*.parquet"))
    codes, log = nightly(tmp_path, [NIGHT], settings, NIGHTJAR_COUNT_FILE=str(count_file))
    assert codes == [0], log[-4000:]
    done = results(tmp_path)[-1]
    assert done["counts"][0]["rows_scored"] == partial["limits"]["texts_left"]
    assert counted(count_file) <= 1.05 * N
    with open_duckdb(tmp_path / "out") as db:
        assert db.execute("SELECT count(*), count(sentiment) FROM doc_scores").fetchone() == (N, N)


def test_a_limit_of_gpu_hours_needs_a_gpu(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 5))
    codes, log = nightly(tmp_path, [[*NIGHT, "--max-gpu-hours", "2"]])
    assert codes == [2]
    assert "--max-gpu-hours 2: this session holds no GPU" in log
