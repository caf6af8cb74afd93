"""Nights with a cascade, as users run them: the report agrees with the documents, and a rerun changes nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.read_tables import open_duckdb
from pipeline.schemas import TABLES

ROOT = Path(__file__).parents[2]
DAYS = ("2026-10-05", "2026-10-06")
pytestmark = pytest.mark.timeout(900)


def nightly(corpus: Path, root: Path, *settings: str) -> dict[str, Any]:
    """Run two nights of the sample and return `run_results.json`."""
    command = [
        sys.executable, ROOT / "jobs/nightly.py", "--config", ROOT / "conf/jobs/sample_cascade.yaml",
        "--from", DAYS[0], "--to", DAYS[1], "--set", f"input.path={corpus}", f"output.root={root}",
        "patterns.enabled=false", *settings,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, cwd=root.parent)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads((root / "run_results.json").read_text())
    return found


def test_a_cascade_reports_what_it_did_and_a_rerun_changes_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "jobs/make_sample.py", "--out", tmp_path], check=True, capture_output=True)
    settings = ("cascade.min_agreement=0.9", "cascade.audit_size=120")
    root = tmp_path / "out"
    first, second = (nightly(tmp_path / "corpus", root, *settings) for _ in range(2))
    hashes = [{(t["table"], t["run_date"]): t["content_hash"] for t in run["tables"]} for run in (first, second)]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == len(TABLES) * len(DAYS)
    assert next(s["rows"] for s in first["stages"] if s["name"] == "cascade") == 120
    assert not [s for s in second["stages"] if s["name"] in ("score", "cascade")], "nothing was left to score"
    with open_duckdb(root) as db:
        report = db.execute(
            "SELECT run_date::VARCHAR, n_audit, threshold, agreement_low >= min_agreement, n_texts, n_escalated, n_full_errors, "
            "is_fallback FROM cascade_report ORDER BY 1"
        ).fetchall()
        texts = db.execute(
            "SELECT run_date::VARCHAR, count(*), count(*) FILTER (sentiment_model_key <> model_key) FROM doc_scores "
            "WHERE is_canonical AND sentiment IS NOT NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
        series = db.execute(
            "SELECT DISTINCT cascade_key FROM sentiment_daily UNION SELECT cascade_key FROM topics_daily"
        )
        assert series.fetchall() == db.execute("SELECT DISTINCT cascade_key FROM cascade_report").fetchall()
        unexplained = "SELECT count(*) FROM doc_scores WHERE sentiment_model_key NOT IN (SELECT model_key FROM models)"
        assert db.execute(unexplained).fetchone() == (0,)
    assert [r[0] for r in report] == list(DAYS)
    for (_, n_audit, threshold, is_kept, n, n_escalated, n_failed, is_fallback), (_, n_scored, n_by_full) in zip(
        report, texts, strict=True
    ):
        assert (n_audit, is_kept, n_failed, is_fallback) == (120, True, 0, False)
        assert 0.0 < threshold < 1.0
        assert n == n_scored
        assert 0 < n_escalated <= n_by_full < n
