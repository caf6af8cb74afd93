"""Texts of megabytes: read up to the limit and said so, or rejected, in a heap that could not hold them all at once."""

from pathlib import Path

import pytest
from small_nights import DAYS, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
MB = 1_000_000
N_LARGE = 40


def test_texts_of_ten_megabytes_are_read_to_the_limit_or_rejected_in_a_small_heap(tmp_path: Path) -> None:
    """400 MB of text, as large again in each copy of it in Java, with 700 MB for driver and tasks."""
    documents = rows(DAYS[0], 2 * N_LARGE + 20)
    for k, (name, text, time) in enumerate(documents[: 2 * N_LARGE]):
        size = 10 * MB if k % 2 else 4 * MB
        documents[k] = (name, (text + " ") * (size // (len(text) + 1)), time)
    for k in range(10):  # files as a writer that is careful makes them
        write(tmp_path / "corpus" / f"{k}.parquet", documents[k::10])
    settings = ["spark.driver.memory=700m", "quality.max_rejected_fraction=0.9"]
    codes, log = nightly(tmp_path, [["--run-date", str(DAYS[0])]], settings, NIGHTJAR_PLANT_TOKENS="1000000")
    assert codes == [0], log[-4000:]
    (result,) = results(tmp_path)
    assert result["reject_reasons"] == {"too_long": N_LARGE}
    with open_duckdb(tmp_path / "out") as db:
        query = "SELECT count(*), min(n_chars), max(coverage), count(sentiment) FROM doc_scores WHERE n_chars > 1000000"
        n, n_chars, coverage, scored = db.execute(query).fetchone() or (0, 0, 0, 0)
        assert (n, scored) == (N_LARGE, N_LARGE)
        assert n_chars > 3.9 * MB, "the table says how long the text is"
        assert 0 < coverage < 0.01, "and how much of it was read"
        assert db.execute("SELECT count(*) FROM doc_scores WHERE coverage = 1").fetchone() == (20,)
