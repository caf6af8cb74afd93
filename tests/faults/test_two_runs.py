"""Two runs on one output root at once: of one night, of different nights, and the first that ever ran there."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_nights import DAYS, command, environment, hashes, nightly, results, rows, write

from pipeline.manifest import published_runs
from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_200)]
N = 40


def at_once(folder: Path, *runs: Sequence[str]) -> list[tuple[int, str]]:
    """Start a process for each run at the same time; return exit codes and standard error."""
    lines = [command(folder, [run]) for run in runs]
    processes = [
        subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in lines
    ]
    ended = [process.communicate(timeout=900) for process in processes]
    return [(json.loads(out.strip().splitlines()[-1])[0], log) for out, log in ended]


def night(k: int, *more: str) -> list[str]:
    return ["--run-date", str(DAYS[k]), *more]


def shown(folder: Path) -> list[tuple[str, int, int, int]]:
    """Of each night: rows, documents and runs, in every table that has one row per document."""
    query = "SELECT run_date::VARCHAR, count(*), count(DISTINCT doc_id), count(DISTINCT run_id) FROM {} GROUP BY 1 ORDER BY 1"
    with open_duckdb(folder / "out") as db:
        scores, vectors = (db.execute(query.format(t)).fetchall() for t in ("doc_scores", "doc_embeddings"))
    assert scores == vectors
    return scores


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of four nights and an output root on which two runs of two nights were the first ever."""
    folder = tmp_path_factory.mktemp("two")
    for day in DAYS:
        write(folder / "corpus" / f"{day}.parquet", rows(day, N))
    return folder


def test_two_first_runs_make_one_night_each(folder: Path) -> None:
    ended = at_once(folder, night(0, "--wait", "15"), night(1, "--wait", "15"))
    assert [code for code, _ in ended] == [0, 0], ended
    assert shown(folder) == [(str(DAYS[0]), N, N, 1), (str(DAYS[1]), N, N, 1)]
    assert len(set(published_runs(folder / "out").values())) == 2


def test_of_two_runs_of_one_night_one_publishes_and_the_other_says_why(folder: Path) -> None:
    before = {key: digest for result in results(folder) for key, digest in hashes(result).items()}
    runs_before = published_runs(folder / "out")
    ended = sorted(at_once(folder, night(0), night(0)))
    assert [code for code, _ in ended] == [0, 3], ended
    assert "another run is going on (run 20" in ended[1][1]
    assert "wait for it or end it, then run again" in ended[1][1]
    assert "Traceback" not in ended[1][1]
    assert shown(folder) == [(str(DAYS[0]), N, N, 1), (str(DAYS[1]), N, N, 1)]
    now = results(folder)[-1]
    assert published_runs(folder / "out") == {**runs_before, DAYS[0]: now["run_id"]}
    assert {t: d for (t, _), d in hashes(now).items()} == {
        t: d for (t, day), d in before.items() if day == str(DAYS[0])
    }


def test_two_runs_of_different_nights_take_turns(folder: Path) -> None:
    """Without `--wait` the second is refused as above, and running it again publishes its night."""
    ended = at_once(folder, night(2, "--wait", "15"), night(3, "--wait", "15"))
    assert [code for code, _ in ended] == [0, 0], ended
    assert [(day, n) for day, n, _, _ in shown(folder)] == [(str(day), N) for day in DAYS]
    together = {key: digest for result in results(folder)[-2:] for key, digest in hashes(result).items()}
    codes, log = nightly(folder, [night(2), night(3)])
    assert codes == [0, 0], log[-4000:]
    alone = {key: digest for result in results(folder)[-2:] for key, digest in hashes(result).items()}
    assert alone == together
