"""The plan of a run: exact counts, an interval that holds the true time, and nothing written but the plan."""

import json
from pathlib import Path

import pytest
from small_nights import DAYS, nightly, results, rows, write

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
NIGHT = ["--run-date", str(DAYS[0])]


def test_a_plan_counts_exactly_and_writes_only_itself(tmp_path: Path) -> None:
    documents = rows(DAYS[0], 400)
    repeated = [(f"copy{i}", text, time) for i, (_, text, time) in enumerate(documents[:50])]
    blank = [("blank", " ", documents[0][2])]
    write(tmp_path / "corpus" / "1.parquet", documents + repeated + blank)
    codes, log = nightly(tmp_path, [[*NIGHT, "--plan"], NIGHT, [*NIGHT, "--plan"]])
    assert codes == [0, 0, 0], log[-4000:]
    first, second = (json.loads(p.read_text()) for p in sorted((tmp_path / "out/_plans").iterdir()))
    counted = first["counted"]
    assert (counted["rows_in"], counted["rows_rejected"]) == (451, 1)
    assert counted["distinct_texts"] == counted["unseen_texts"] == 400
    assert first["past"] == []
    assert 0 < first["estimate"]["seconds_low"] <= first["estimate"]["seconds"] <= first["estimate"]["seconds_high"]
    assert first["estimate"]["gpu_hours"] == 0.0
    (run,) = results(tmp_path)
    (scored,) = [s for s in run["stages"] if s["name"] == "score"]
    assert scored["rows"] == 400
    assert first["estimate"]["tokens"] == pytest.approx(scored["tokens"], rel=0.05)
    assert (second["counted"]["unseen_texts"], second["estimate"]) == (0, None)
    assert [p["texts"] for p in second["past"]] == [400]


def test_a_plan_publishes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "corpus" / "1.parquet", rows(DAYS[0], 20))
    codes, log = nightly(tmp_path, [[*NIGHT, "--plan"]])
    assert codes == [0], log[-4000:]
    assert {p.name for p in (tmp_path / "out").iterdir()} <= {"_plans", "_models"}
