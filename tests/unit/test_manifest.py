"""The publish log, the manifest and the lock, on real files and processes."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import PublishError
from pipeline.manifest import (
    Manifest,
    Published,
    RunLock,
    append_log,
    check_root,
    manifest_path,
    new_run_id,
    published_runs,
    read_log,
    read_manifest,
    write_manifest,
)  # fmt: skip

DAY = dt.date(2026, 10, 5)
NEXT = DAY + dt.timedelta(days=1)


def test_run_ids_sort_by_start_in_utc_and_never_repeat() -> None:
    start = dt.datetime(2026, 10, 5, 5, 15, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    ids = {new_run_id(start) for _ in range(1000)}
    assert len(ids) == 1000
    assert {i[:17] for i in ids} == {"20261005T031500Z-"}
    assert new_run_id(start) < new_run_id(start + dt.timedelta(seconds=1))


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    nights = (
        Published("runs", DAY, 2, "ab", "_data/runs/run_date=2026-10-05/run_id=r", {"_data/runs/x.parquet": 10}),
        Published("runs", NEXT, 0, "cd", "_data/runs/run_date=2026-10-06/run_id=r", {}),
    )
    manifest = Manifest("r", "nightjar", (DAY, NEXT), {"runs": ("status", "run_id", "run_date")}, nights)
    path = write_manifest(tmp_path, manifest)
    assert path == manifest_path(tmp_path, "r") == tmp_path / "_runs" / "r" / "manifest.json"
    assert read_manifest(tmp_path, "r") == manifest
    assert [p.name for p in path.parent.iterdir()] == ["manifest.json"]
    assert json.loads(path.read_text())["tables"][0]["files"] == [{"path": "_data/runs/x.parquet", "bytes": 10}]


def test_the_last_record_that_names_a_night_decides(tmp_path: Path) -> None:
    assert published_runs(tmp_path) == {}
    assert append_log(tmp_path, "a", [DAY, NEXT]) == 1
    assert append_log(tmp_path, "b", [NEXT]) == 2
    assert append_log(tmp_path, "c", [DAY - dt.timedelta(days=1)]) == 3
    assert list(published_runs(tmp_path).items()) == [(DAY - dt.timedelta(days=1), "c"), (DAY, "a"), (NEXT, "b")]
    assert [(r["seq"], r["run_id"], r["dates"]) for r in read_log(tmp_path)][1] == (2, "b", ["2026-10-06"])


def test_leftovers_of_a_killed_append_are_not_read(tmp_path: Path) -> None:
    append_log(tmp_path, "a", [DAY])
    (tmp_path / "_log" / ".b.123").write_text('{"format": 1, "half')
    assert published_runs(tmp_path) == {DAY: "a"}
    assert append_log(tmp_path, "c", [DAY]) == 2
    assert published_runs(tmp_path) == {DAY: "c"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 1, "half', "00000002.json: cannot be read: "),
        ('{"format": 2, "action": "publish"}', "00000002.json: not of format 1; another version of Nightjar wrote it"),
        ('{"format": 1, "action": "withdraw"}', "00000002.json: unknown action 'withdraw'; a newer version"),
    ],
)
def test_a_record_that_cannot_be_understood_stops_readers(tmp_path: Path, text: str, message: str) -> None:
    append_log(tmp_path, "a", [DAY])
    (tmp_path / "_log" / "00000002.json").write_text(text)
    with pytest.raises(PublishError, match=message):
        published_runs(tmp_path)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match=r"_runs/gone/manifest\.json: cannot be read"):
        read_manifest(tmp_path, "gone")


@pytest.mark.parametrize("name", ["it's", "a*b", "a[1]", 'say "x"', "a;b"])
def test_roots_that_sql_would_misread_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PublishError, match="must not hold"), RunLock(tmp_path / name):
        pass
    assert not (tmp_path / name).exists()
    check_root(tmp_path / "spaces and ünïcode 100%")


def test_a_second_run_on_the_same_root_is_refused_until_the_first_ends_or_dies(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pipeline.manifest import RunLock\n"
        "with RunLock(Path(sys.argv[1]), 'r1'): print('locked', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    refused = pytest.raises(PublishError, match=rf"another run is going on \(run r1, pid {holder.pid} on .* since 20")
    with refused, RunLock(tmp_path):
        pass
    with RunLock(tmp_path / "elsewhere"):
        pass
    holder.kill()
    holder.wait()
    for _ in range(2):
        with RunLock(tmp_path):
            pass


def test_log_entries_of_rivals_are_all_kept(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import date; from pathlib import Path; from pipeline.manifest import append_log\n"
        "for i in range(20): append_log(Path(sys.argv[1]), f'{sys.argv[2]}-{i}', [date(2026, 10, 5)])"
    )
    rivals = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(3)]
    assert [p.wait() for p in rivals] == [0, 0, 0]
    records = list(read_log(tmp_path))
    assert [r["seq"] for r in records] == list(range(1, 61))
    assert len({r["run_id"] for r in records}) == 60
    assert not [p for p in (tmp_path / "_log").iterdir() if p.suffix != ".json"]


def test_a_run_that_waits_takes_the_lock_when_the_other_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pipeline.manifest import RunLock\n"
        "with RunLock(Path(sys.argv[1]), 'r1'): print('locked', flush=True); time.sleep(1)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"
    with pytest.raises(PublishError, match="another run is going on"), RunLock(tmp_path, "r2", wait_sec=0.1):
        pass
    with RunLock(tmp_path, "r2", wait_sec=60):
        assert holder.wait(10) == 0
        assert "run r2" in (tmp_path / "_lock").read_text()
