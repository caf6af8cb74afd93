"""Texts that kill a worker, hang it, raise or give NaN: found, recorded with a code, retried when asked; the rest is scored."""

import json
from collections import Counter
from pathlib import Path

import pytest
from small_nights import DAYS, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
NIGHT = ["--run-date", str(DAYS[0])]
PLANTED = {
    "plantedexit": "WORKER_CRASH",
    "plantedsegfault": "WORKER_CRASH",
    "plantedhang": "WORKER_HANG",
    "plantednan": "NON_FINITE",
}
N = 300
SETTINGS = ["scoring.tokens_per_task=1024", "scoring.hang_timeout_sec=15"]


def poisoned(folder: Path) -> None:
    documents = rows(DAYS[0], N)
    for k, word in enumerate(PLANTED):
        name, text, time = documents[17 + 61 * k]
        documents[17 + 61 * k] = (name, f"{text} {word}", time)
    name, text, time = documents[5]
    documents[5] = (name, text + " and so on" * 40, time)  # the model raises on this one
    write(folder / "corpus" / "1.parquet", documents)


def test_poison_texts_are_isolated_recorded_and_retried(tmp_path: Path) -> None:
    poisoned(tmp_path)
    runs = [
        NIGHT,
        [*NIGHT, "--set", "quality.max_error_fraction=0.05"],
        [*NIGHT, "--retry-errors", "--set", "quality.max_error_fraction=0.05"],
    ]
    codes, log = nightly(tmp_path, runs, SETTINGS)
    refused, published, retried = results(tmp_path)
    assert codes == [1, 0, 0], log[-6000:]
    assert "Traceback" not in log
    assert "max_error_fraction: found 0.016667, limit 0.01" in log
    assert (refused["status"], refused["tables"]) == ("rejected", []), "above the limit nothing is published"
    for result in (published, retried):
        (counts,) = result["counts"]
        assert counts["rows_error"] == 5
        assert counts["rows_scored"] + counts["rows_from_cache"] == N - 5
    with open_duckdb(tmp_path / "out") as db:
        found = Counter(code for (code,) in db.execute("SELECT error_code FROM doc_scores").fetchall())
        wrong = db.execute(
            "SELECT count(*) FROM doc_scores WHERE (error_code IS NULL) <> (sentiment IS NOT NULL)"
        ).fetchone()
    assert found == {None: N - 5, "WORKER_CRASH": 2, "WORKER_HANG": 1, "NON_FINITE": 1, "MODEL": 1}
    assert wrong == (0,)
    scored = [sum(s["rows"] for s in r["stages"] if s["name"] == "score") for r in (refused, published, retried)]
    assert scored == [N, 2, 5], "what may pass is tried again by itself, what kills a worker only when asked"


def test_a_model_that_always_dies_ends_the_run(tmp_path: Path) -> None:
    """Not every text is poison: where all of them kill the worker, the run fails instead of dying a thousand times."""
    documents = [(name, f"{text} plantedexit", time) for name, text, time in rows(DAYS[0], 60)]
    write(tmp_path / "corpus" / "1.parquet", documents)
    codes, log = nightly(tmp_path, [NIGHT], SETTINGS)
    assert codes == [3], log[-4000:]
    (failed,) = results(tmp_path)
    assert failed["error"].startswith(
        "more than 3 texts of a task kill the worker (WORKER_CRASH); nothing was published"
    )
    assert "\n" not in failed["error"]


def test_workers_killed_for_memory_end_the_run_with_a_hint_and_the_old_night_stays(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 20))
    codes, log = nightly(tmp_path, [NIGHT], SETTINGS)
    assert codes == [0], log[-4000:]
    documents = [(name, f"{text} plantedmemory", time) for name, text, time in rows(DAYS[0], 60)]
    write(tmp_path / "corpus" / "1.parquet", documents)
    codes, log = nightly(tmp_path, [NIGHT], SETTINGS)
    assert codes == [3], log[-4000:]
    assert "look at the executors' memory and logs" in results(tmp_path)[-1]["error"]
    with open_duckdb(tmp_path / "out") as db:
        assert db.execute("SELECT count(*) FROM doc_scores").fetchone() == (20,)


def test_a_device_without_memory_scores_in_smaller_batches(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 40))
    codes, log = nightly(tmp_path, [NIGHT], NIGHTJAR_PLANT_OOM="1")
    assert codes == [0], log[-4000:]
    (result,) = results(tmp_path)
    assert result["counts"][0]["rows_scored"] == 40
    assert json.dumps(result["counts"][0]["rows_error"]) == "0"
