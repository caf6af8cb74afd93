"""A corpus that does not stand still while it is read: the run fails, names the file, and readers keep the night they had."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from small_nights import DAYS, command, environment, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
NIGHT = ["--run-date", str(DAYS[0])]
N = 200
SETTINGS = ["scoring.tokens_per_task=1024"]


def test_a_file_replaced_while_it_is_scored_fails_the_run(tmp_path: Path) -> None:
    path = tmp_path / "corpus" / "1.parquet"
    write(path, rows(DAYS[0], 20))
    codes, log = nightly(tmp_path, [NIGHT])
    assert codes == [0], log[-4000:]
    write(path, rows(DAYS[0], N))
    count = tmp_path / "count"
    process = subprocess.Popen(
        command(tmp_path, [NIGHT], SETTINGS),
        env=environment(NIGHTJAR_COUNT_FILE=str(count), NIGHTJAR_PLANT_SLOW="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not count.exists():
        assert process.poll() is None, "the run ended before the file was replaced"
        time.sleep(0.1)
    write(tmp_path / "corpus" / ".new", rows(DAYS[0], N, "other"))
    (tmp_path / "corpus" / ".new").rename(path)
    out, log = process.communicate(timeout=400)
    assert json.loads(out.strip().splitlines()[-1]) == [1], log[-4000:]
    assert f"{path}: changed during the run; nothing was published, run again" in log
    assert "Traceback" not in log
    assert results(tmp_path)[-1]["status"] == "rejected"
    with open_duckdb(tmp_path / "out") as db:
        assert db.execute("SELECT count(*) FROM doc_scores").fetchone() == (20,)
