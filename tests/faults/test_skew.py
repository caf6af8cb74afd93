"""Rows that lie unevenly: in one file, in thousands of tiny ones, or half of them one and the same text."""

import datetime as dt
from pathlib import Path

import pytest
from small_nights import DAYS, Row, hashes, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2_400)]
NIGHT = ["--run-date", str(DAYS[0])]
N = 10_000
ABOUT_THE_RUN = {"runs", "run_stages", "quality_checks"}


def run(folder: Path, corpus: list[list[Row]]) -> tuple[float, dict[tuple[str, str], str]]:
    """Publish a night of a corpus of such files; return seconds of the run and content hashes."""
    for k, documents in enumerate(corpus):
        write(folder / "corpus" / f"{k:05}.parquet", documents)
    codes, log = nightly(folder, [NIGHT])
    assert codes == [0], log[-4000:]
    (result,) = results(folder)
    began, ended = (dt.datetime.fromisoformat(result[key]) for key in ("started_at", "ended_at"))
    return (ended - began).total_seconds(), {k: h for k, h in hashes(result).items() if k[0] not in ABOUT_THE_RUN}


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, dict[tuple[str, str], str]]:
    """Seconds and content hashes of four files of equal size, all texts different."""
    documents = rows(DAYS[0], N)
    return run(tmp_path_factory.mktemp("balanced"), [documents[k::4] for k in range(4)])


def test_files_of_any_size_give_the_same_tables_in_less_than_twice_the_time(
    balanced: tuple[float, dict[tuple[str, str], str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents, (seconds, expected) = rows(DAYS[0], N), balanced
    few = N // 100
    one_large, skewed = run(tmp_path / "one", [documents[few:], *([d] for d in documents[:few])])
    many_tiny, tiny = run(tmp_path / "tiny", [[d] for d in documents])
    with capsys.disabled():
        print(
            f"\n4 files {seconds:.0f} s, 99 % in one of {few + 1} files {one_large:.0f} s, {N} files {many_tiny:.0f} s"
        )
    assert skewed == expected
    assert tiny == expected
    assert max(one_large, many_tiny) < 2 * seconds


def test_half_the_rows_one_text_cost_no_more_than_different_ones(
    balanced: tuple[float, dict[tuple[str, str], str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents, (seconds, _) = rows(DAYS[0], N), balanced
    same = [(name, documents[0][1] if k % 2 else text, time) for k, (name, text, time) in enumerate(documents)]
    one_text, _ = run(tmp_path / "same", [same[k::4] for k in range(4)])
    with capsys.disabled():
        print(f"\nall texts different {seconds:.0f} s, half of them the same {one_text:.0f} s")
    assert one_text < 2 * seconds
    with open_duckdb(tmp_path / "same" / "out") as db:
        counted = db.execute("SELECT rows_in, rows_scored, rows_dup FROM runs").fetchone()
    assert counted == (N, N // 2, N // 2)
