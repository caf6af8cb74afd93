"""The jobs with `output.iceberg`: nights published before and after it was set, rolled back, collected."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from small_nights import DAYS, IN_TURN, ROOT, environment, nightly, results, rows, write

from pipeline.iceberg.reading import load_table
from pipeline.iceberg.settings import IcebergConfig
from pipeline.read_tables import open_duckdb
from pipeline.schemas import TABLES

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]
SET = ["--set", "output.iceberg.catalog=nightjar"]
COUNTS = "SELECT run_date, run_id, count(*) FROM {} GROUP BY ALL"


def tables(folder: Path, calls: list[list[str]]) -> tuple[list[int], str]:
    """Call jobs/tables.py several times in one process; return exit codes and output."""
    arguments = json.dumps([[call[0], "--config", str(folder / "nightly.yaml"), *call[1:], *SET] for call in calls])
    command = [sys.executable, "-c", IN_TURN, str(ROOT / "jobs/tables.py"), arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment())
    assert done.returncode == 0, done.stderr[-4000:]
    codes: list[int] = json.loads(done.stdout.strip().splitlines()[-1])
    return codes, done.stdout + done.stderr


def shown(root: Path) -> dict[str, set[tuple[date, str, int]]]:
    """What Iceberg shows per table; every table must show what readers of the log see."""
    found: dict[str, set[tuple[date, str, int]]] = {}
    with open_duckdb(root) as connection:
        for table in TABLES:
            scan = load_table(root, IcebergConfig(), table.name).scan(selected_fields=("run_date", "run_id")).to_arrow()
            counted = scan.group_by(["run_date", "run_id"]).aggregate([([], "count_all")]).to_pylist()
            found[table.name] = {(r["run_date"], r["run_id"], r["count_all"]) for r in counted}
            assert found[table.name] == set(connection.execute(COUNTS.format(table.name)).fetchall()), table.name
    return found


def test_the_jobs_publish_to_iceberg_as_well(tmp_path: Path) -> None:
    for day in DAYS[:2]:
        write(tmp_path / "corpus" / f"{day}.parquet", rows(day, 40))
    d0, d1 = map(str, DAYS[:2])
    calls = [["--run-date", d0], ["--run-date", d1, *SET], ["--run-date", d1, *SET], ["--run-date", d0]]
    codes, log = nightly(tmp_path, calls)
    assert codes == [0, 0, 0, 3], log[-4000:]
    assert "the configuration has no output.iceberg: set it as it was" in log
    first, second, third = (r["run_id"] for r in results(tmp_path)[:3])
    root = tmp_path / "out"
    assert {run_id for _, run_id, _ in load_runs(root)} == {third}

    codes, output = tables(tmp_path, [["publish-iceberg"], ["rollback", "--date", d1, "--run-id", second]])
    assert codes == [0, 0], output[-4000:]
    assert "Iceberg shows 2 nights" in output
    assert shown(root)["runs"] == {(DAYS[0], first, 1), (DAYS[1], second, 1)}

    collect = ["gc", "--keep", "1", "--older-than", "0"]
    codes, output = tables(tmp_path, [collect, [*collect, "--delete"], collect])
    assert codes == [0, 0, 0], output[-4000:]
    assert output.count("snapshot ") > 0
    assert "\n0 items, 0 bytes could go" in output
    assert shown(root)["runs"] == {(DAYS[0], first, 1), (DAYS[1], second, 1)}
    assert not list(root.glob(f"_data/*/run_date={d1}/run_id={third}"))


def load_runs(root: Path) -> list[tuple[date, str, int]]:
    scan = load_table(root, IcebergConfig(), "runs").scan(selected_fields=("run_date", "run_id", "rows_in")).to_arrow()
    return [(r["run_date"], r["run_id"], r["rows_in"]) for r in scan.to_pylist()]
