"""A night by one head, the next by another, as users run them: the run stops, is accepted, and the trend shows the break."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import QUICK
from safetensors.numpy import load_file, save_file

from pipeline.read_tables import open_duckdb

ROOT = Path(__file__).parents[2]
DAYS = (dt.date(2026, 10, 5), dt.date(2026, 10, 6))
SENTENCES = (
    "I love the new {}, it works perfectly.", "The {} broke on the second day and nobody answers.", "The {} arrived on Monday.",
    "Terrible {}, I want my money back!", "Is the {} also sold in blue?",
)  # fmt: skip
THINGS = ("router", "charger", "kite", "scooter", "invoice", "manual")
pytestmark = pytest.mark.timeout(900)


def corpus(folder: Path) -> None:
    """Thirty English messages for each of two nights; those of the second end otherwise."""
    folder.mkdir()
    for day, end in zip(DAYS, ("", " Today."), strict=True):
        texts = [s.format(t) + end for s in SENTENCES for t in THINGS]
        times = pa.array([dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)] * len(texts))
        columns = {
            "id": [f"{day}-{i}" for i in range(len(texts))],
            "text": texts,
            "time": times,
            "lang": ["en"] * len(texts),
        }
        pq.write_table(pa.table(columns), folder / f"{day}.parquet")


def another_head(folder: Path) -> None:
    """The shipped head of the static tier, with a bias that lets it find more negative texts."""
    shutil.copytree(ROOT / "udfs/models/weights/sentiment-en-static", folder)
    tensors = load_file(folder / "head.safetensors")
    last = max(name for name in tensors if name.endswith(".bias"))
    negative = json.loads((folder / "head.json").read_text())["labels"].index("negative")
    tensors[last][negative] += 2.0
    save_file(tensors, folder / "head.safetensors")


IN_TURN = "import json, runpy, sys; job = runpy.run_path(sys.argv[1]); print([job['main'](a) for a in json.loads(sys.argv[2])])"
"""Runs a job several times in one process, which starts a single JVM; prints the exit codes."""


def nightly(
    folder: Path, runs: Sequence[tuple[dt.date, str, list[str]]]
) -> tuple[list[int], str, list[dict[str, Any]]]:
    """Run nights, each of a day with a head and settings; return exit codes, standard error and every `run_results.json`."""
    config = folder / "nightly.yaml"
    spark = json.dumps({k: v for k, v in QUICK.items() if "Options" not in k} | {"spark.master": "local[1]"})
    config.write_text(
        f"input: {{path: {folder}/corpus, columns: {{lang: lang}}}}\noutput: {{root: {folder}/out}}\nspark: {spark}\n"
        "patterns: {enabled: false}\n"
        "model: {embedding: static-en, device: cpu, runtime: torch, precision: float32}\n"
    )
    commands = [
        ["--config", str(config), "--run-date", str(day), "--set", f"model.sentiment={head}", *settings]
        for day, head, settings in runs
    ]
    environment = {**os.environ, "SPARK_SUBMIT_OPTS": QUICK["spark.driver.extraJavaOptions"]}
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, ROOT / "jobs/nightly.py", json.dumps(commands)],
        capture_output=True, text=True, timeout=800, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = [json.loads(path.read_text()) for path in (folder / "out/_runs").glob("*/run_results.json")]
    return json.loads(done.stdout), done.stderr, sorted(found, key=lambda r: r["started_at"])


def test_a_new_head_stops_the_night_until_its_shift_is_accepted(tmp_path: Path) -> None:
    corpus(tmp_path / "corpus")
    another_head(tmp_path / "other-head")
    head, accept = str(tmp_path / "other-head"), ["model_change.on_shift=accept"]
    codes, log, (first, stopped, accepted) = nightly(
        tmp_path, [(DAYS[0], "sentiment-en-static", []), (DAYS[1], head, []), (DAYS[1], head, accept)]
    )
    assert codes == [0, 1, 0], log[-4000:]
    assert first["model_change"] is None
    assert "model_change.tolerance 0.03" in log
    assert "share of negative (all languages): " in log
    assert "Traceback" not in log
    assert (stopped["status"], stopped["tables"]) == ("rejected", [])
    assert stopped["model_change"]["old_model_key"] == first["model_key"] != stopped["model_key"]
    published = [json.loads(p.read_text())["run_id"] for p in sorted((tmp_path / "out/_log").iterdir())]
    assert published == [first["run_id"], accepted["run_id"]], "the run that stopped published nothing"
    assert next(s["rows"] for s in stopped["stages"] if s["name"] == "bridge") == 30, "the old model was loaded again"
    assert accepted["model_change"]["rows"] == stopped["model_change"]["rows"]
    assert not [s for s in accepted["stages"] if s["name"] in ("score", "bridge")], "both models' results are kept"
    with open_duckdb(tmp_path / "out") as db:
        negative, *others = db.execute(
            "SELECT n, n_old, n_new, to_negative, shift, shift_low > 0, is_over, old_model_key, new_model_key, old_run_date "
            "FROM model_bridge WHERE lang = '*' ORDER BY sentiment"
        ).fetchall()
        labels = db.execute(
            "SELECT count_if(sentiment = 'negative'), count(*) FROM doc_scores WHERE run_date = '2026-10-06'"
        )
        assert labels.fetchone() == (negative[2], 30), "the new labels are those that are published"
        trend = db.execute(
            "SELECT event_date, model_key, model_changed_on, is_break, bridge_shift FROM v_sentiment_trend "
            "WHERE sentiment = 'negative' ORDER BY event_date"
        ).fetchall()
        stages = db.execute("SELECT run_date, seconds > 0 FROM run_stages WHERE stage = 'bridge' ORDER BY 1").fetchall()
    n, n_old, n_new, kept, shift, is_clear, is_over, *keys = negative
    assert (n, kept, shift, is_clear, is_over) == (30, n_old, pytest.approx((n_new - n_old) / 30), True, True)
    assert 0 < n_old < n_new
    assert keys == [first["model_key"], accepted["model_key"], DAYS[0]]
    assert shift + sum(row[4] for row in others) == pytest.approx(0.0)
    assert trend == [
        (DAYS[0], first["model_key"], None, False, None),
        (DAYS[1], accepted["model_key"], DAYS[1], True, shift),
    ]
    assert stages == [(day, False) for day in DAYS]
