"""Nights with heads of one's own: every covered document has its label, and another head scores nothing again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_head import LABELS, save_example_head

from pipeline.model_lock import head_entry, head_spec
from pipeline.read_tables import open_duckdb
from udfs.models.head import load_head

ROOT = Path(__file__).parents[2]
DAY = "2026-10-14"
STATIC = ["model.embedding=static-en", "model.sentiment=sentiment-en-static", "patterns.enabled=false"]
pytestmark = pytest.mark.timeout(600)


def nightly(corpus: Path, root: Path, *settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the night."""
    command = [
        sys.executable, ROOT / "jobs/nightly.py", "--config", ROOT / "conf/jobs/sample.yaml", "--run-date", DAY,
        "--set", f"input.path={corpus}", f"output.root={root}", *STATIC, *settings,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=root.parent)


def labelled(root: Path) -> dict[str, tuple[str, float]]:
    """Return document -> label, probability."""
    with open_duckdb(root) as db:
        rows = db.execute("SELECT doc_id, label, probability FROM doc_labels WHERE task = 'subject'").fetchall()
    found = {doc_id: (label, probability) for doc_id, label, probability in rows}
    assert len(found) == len(rows), "one label per document"
    return found


def expected(root: Path, folder: Path) -> dict[str, tuple[str, float]]:
    """Return the same from the published vectors and the head's files, without the stage."""
    head = load_head(head_spec(head_entry("any", str(folder), folder), "subject"))
    with open_duckdb(root) as db:
        rows = db.execute(
            "SELECT doc_id, embedding FROM doc_embeddings JOIN doc_scores USING (run_date, doc_id) WHERE lang = 'en'"
        ).fetchall()
    best, chances = head.decide(np.array([vector for _, vector in rows], np.float32))
    return {doc_id: (head.labels[b], round(float(c), 6)) for (doc_id, _), b, c in zip(rows, best, chances, strict=True)}


def results(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "run_results.json").read_text())
    return found


def test_a_night_labels_its_documents_and_another_head_scores_nothing_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "jobs/make_sample.py", "--out", tmp_path], check=True, capture_output=True)
    corpus, root = tmp_path / "corpus", tmp_path / "out"
    first, second = save_example_head(tmp_path / "three", LABELS), save_example_head(tmp_path / "two", LABELS[:2])
    unknown = nightly(corpus, root, f"model.heads={{subject: {tmp_path / 'nothing'}}}")
    assert unknown.returncode == 2
    assert "model.heads.subject" in unknown.stderr
    done = nightly(corpus, root, f"model.heads={{subject: {first}}}")
    assert done.returncode == 0, done.stderr[-4000:]
    found = labelled(root)
    assert len(found) > 100
    assert found == expected(root, first)
    with open_duckdb(root) as db:
        cells = "SELECT group_key, lang, label, n_docs, n_effective, share, ci_low, ci_high FROM labels_daily"
        counted = db.execute(f"{cells} WHERE task = 'subject'").fetchall()
        again = db.execute(
            "SELECT group_key, lang, label, count(*) FROM doc_labels JOIN doc_scores USING (run_date, doc_id) GROUP BY ALL"
        ).fetchall()
        per_cell = db.execute(
            "SELECT sum(share), sum(n_effective) FROM labels_daily GROUP BY group_key, lang"
        ).fetchall()
        distinct = db.execute(
            "SELECT count(*) FROM (SELECT DISTINCT group_key, coalesce(dup_group_id, content_key) FROM doc_scores "
            "WHERE lang = 'en' AND error_code IS NULL)"
        ).fetchone()
        heads = db.execute("SELECT name, task FROM models WHERE task = 'subject'").fetchall()
    assert {row[:4] for row in counted} == set(again)
    assert all(low < share < high or share in (0, 1) for *_, share, low, high in counted)
    assert [round(total, 9) for total, _ in per_cell] == [1.0] * len(per_cell)
    assert distinct is not None
    assert sum(n for _, n in per_cell) == distinct[0], "a repeated text counts once"
    assert heads == [("three", "subject")]
    scored = results(root)["counts"][0]["rows_scored"]
    assert scored > 100
    done = nightly(corpus, root, f"model.heads={{subject: {second}}}")
    assert done.returncode == 0, done.stderr[-4000:]
    assert results(root)["counts"][0]["rows_scored"] == 0, "the vectors are in the store"
    assert labelled(root) == expected(root, second)
    assert labelled(root) != found
