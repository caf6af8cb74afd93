"""Nights in any order, several at once, late rows and corrected ones: which tables change, by content hash."""

from pathlib import Path
from typing import Any

import pytest
from small_nights import DAYS, hashes, nightly, results, rows, write

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]
SETTINGS = ["patterns.enabled=true"]
N = 60

OWN = {
    "rejects",
    "doc_embeddings",
    "cells_daily",
    "aspect_cells_daily",
    "phrase_counts",
    "cascade_report",
    "model_bridge",
    "models",
    "topic_lineage",
}
"""Tables of a night that do not look at other nights."""
RUN = {"runs", "run_stages", "quality_checks"}
"""Tables about the run that made the night."""


def files(root: Path, *nights: object) -> dict[str, int]:
    """Data files of nights with their time of writing."""
    return {str(p): p.stat().st_mtime_ns for day in nights for p in root.glob(f"_data/*/run_date={day}/**/*.parquet")}


def changed(before: dict[tuple[str, str], str], after: dict[tuple[str, str], str], night: object) -> set[str]:
    """Tables of a night whose content is another."""
    return {table for (table, day), digest in after.items() if day == str(night) and before[table, day] != digest}


def test_backfill_late_rows_and_corrections(tmp_path: Path) -> None:
    d0, d1, d2, d3 = DAYS
    corpus, root = tmp_path / "corpus", tmp_path / "out"
    for day in DAYS:
        write(corpus / f"{day}.parquet", rows(day, N))

    # two nights in one run, then the last one, then the one between
    in_order = [["--from", str(d0), "--to", str(d1)], ["--run-date", str(d3)]]
    codes, log = nightly(tmp_path, in_order, SETTINGS)
    assert codes == [0, 0], log[-4000:]
    before = files(root, d0, d1, d3)
    codes, log = nightly(tmp_path, [["--run-date", str(d2)]], SETTINGS)
    assert codes == [0], log[-4000:]
    assert files(root, d0, d1, d3) == before, "a backfill touches its own night alone"
    known: dict[tuple[str, str], str] = {}
    for result in results(tmp_path):
        known |= hashes(result)

    # rows of d1 arrive late; a run of d3 that looks back two days finds them
    write(corpus / "late.parquet", rows(d1, 7, "late"))
    look = ["--run-date", str(d3), "--set", "input.lookback_days=2"]
    untouched = files(root, d0)
    codes, log = nightly(tmp_path, [look, look, ["--from", str(d1), "--to", str(d3)]], SETTINGS)
    assert codes == [0, 0, 0], log[-4000:]
    assert f"rows changed of {d1}; published anew from {d1} on" in log
    late, again, deliberate = results(tmp_path)[-3:]
    assert late["run_dates"] == [str(d) for d in (d1, d2, d3)]
    assert [c["rows_scored"] for c in late["counts"]] == [7, 0, 0]
    assert again["run_dates"] == [str(d3)], "nothing is late any more"
    assert _without(hashes(deliberate)) == _without(hashes(late)), "what the window did is what a backfill does"
    assert files(root, d0) == untouched, "nights before the late one stay"
    assert changed(known, hashes(late), d2) & OWN == set()
    print("tables of the night after a late one that changed:", sorted(changed(known, hashes(late), d2)))
    assert changed(known, hashes(late), d1) >= {
        "doc_scores",
        "doc_embeddings",
        "sentiment_daily",
        "cells_daily",
        "phrase_counts",
    }
    known |= hashes(late)

    # three texts of d2 are corrected, the rest is as it was
    corrected = [(i, t.replace("order", "invoice") if k < 3 else t, at) for k, (i, t, at) in enumerate(rows(d2, N))]
    write(corpus / f"{d2}.parquet", corrected)
    untouched = files(root, d0, d1, d3)
    codes, log = nightly(tmp_path, [["--run-date", str(d2)]], SETTINGS)
    assert codes == [0], log[-4000:]
    result = results(tmp_path)[-1]
    assert _score_counts(result) == (3, N - 3)
    assert files(root, d0, d1, d3) == untouched
    assert changed(known, hashes(result), d2) >= {"doc_scores", "doc_embeddings"}
    assert changed(known, hashes(result), d2) & {"rejects", "models", "cascade_report", "model_bridge"} == set()


def _without(found: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    return {key: digest for key, digest in found.items() if key[0] not in RUN}


def _score_counts(result: dict[str, Any]) -> tuple[int, int]:
    (counts,) = result["counts"]
    return counts["rows_scored"], counts["rows_from_cache"]
