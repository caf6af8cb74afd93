"""A metastore service: readers of every kind during fifty publishes, and a metastore that is away when tables are flipped."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from metastore import free_port, metastore, thrift_server
from small_nights import DAYS, ROOT, nightly, results, rows, write

from pipeline.manifest import published_runs
from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_500)]


def test_fifty_publishes_show_no_reader_half_a_night(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, thrift = free_port(), free_port()
    script = str(Path(__file__).with_name("fifty_publishes.py"))
    with metastore(tmp_path / "metastore", store):
        # the readers' Thrift server comes up on an empty metastore; its database appears with the first run
        command = [sys.executable, script, str(tmp_path / "out"), str(store), str(thrift)]
        with thrift_server(tmp_path / "metastore", thrift, store):
            done = subprocess.run(command, capture_output=True, text=True, timeout=1_200)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{found['publishes']} publishes; reads {found['reads']}; runs seen {found['runs_seen']}")
    assert found["problems"] == []
    assert found["publishes"] == 50
    assert set(found["reads"]) == {"spark", "thrift", "duckdb"}
    assert all(n >= 20 for n in found["reads"].values())
    assert all(n >= 10 for n in found["runs_seen"].values()), "a reader that always sees the same run proves nothing"


def test_a_metastore_that_is_away_at_the_flip_leaves_the_old_night_and_the_run_is_published_later(
    tmp_path: Path,
) -> None:
    port, folder = free_port(), tmp_path / "metastore"
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 20))
    night = ["--run-date", str(DAYS[0])]
    uris = [f"spark.hadoop.hive.metastore.uris=thrift://127.0.0.1:{port}"]
    quick = [*uris, "spark.hadoop.hive.metastore.failure.retries=1", "spark.hadoop.hive.metastore.connect.retries=1"]
    with metastore(folder, port):
        codes, log = nightly(tmp_path, [night], uris)
        assert codes == [0], log[-4000:]
        before = published_runs(tmp_path / "out")
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 30))
    with metastore(folder, port) as service:
        codes, log = nightly(tmp_path, [night], quick, NIGHTJAR_PLANT_STOP=f"after_manifest {service.pid}")
    assert codes == [3], log[-4000:]
    assert re.search(r"failed: publishing stopped at .*Every night of every table is whole; run again", log), log[
        -3000:
    ]
    assert "Traceback" not in log
    assert published_runs(tmp_path / "out") == before
    with open_duckdb(tmp_path / "out") as db:
        assert db.execute("SELECT count(*) FROM doc_scores").fetchone() == (20,)
    run_id = results(tmp_path)[-1]["run_id"]
    publish = [sys.executable, str(ROOT / "jobs/tables.py"), "publish", "--config", str(tmp_path / "nightly.yaml")]
    publish += ["--run-id", run_id, "--set", *uris]
    with metastore(folder, port):
        done = subprocess.run(publish, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-4000:]
    assert published_runs(tmp_path / "out") == {DAYS[0]: run_id}
    with open_duckdb(tmp_path / "out") as db:
        assert db.execute("SELECT count(*) FROM doc_scores").fetchone() == (30,)
