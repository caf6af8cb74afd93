"""Time zones of driver and workers, the day the clocks change, a clock that is set back, midnight during a run: same tables."""

import datetime as dt
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_nights import hashes, nightly, results, rows

from pipeline.read_tables import open_duckdb

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_500)]
NIGHTS = tuple(dt.date(2026, 3, 28) + dt.timedelta(days=n) for n in range(3))
"""In Berlin the 29th has 23 hours, and 23:30 UTC of the 28th is the 29th already."""
RUN = ["--from", str(NIGHTS[0]), "--to", str(NIGHTS[-1])]
ABOUT_THE_RUN = {"runs", "run_stages", "quality_checks"}
PER_NIGHT = 48


def corpus(folder: Path) -> None:
    """A text every half hour, with and without a zone in the file, and one in the last microsecond before each midnight."""
    times = [dt.datetime(2026, 3, 28, tzinfo=dt.UTC) + dt.timedelta(minutes=30 * k) for k in range(3 * PER_NIGHT)]
    times += [dt.datetime(d.year, d.month, d.day, 23, 59, 59, 999_999, tzinfo=dt.UTC) for d in NIGHTS]
    texts = [text for _, text, _ in rows(NIGHTS[0], len(times))]
    folder.mkdir(parents=True)
    for k, zone in enumerate(("UTC", None, "America/New_York")):
        part = slice(k, None, 3)
        naive_or_not = [t if zone else t.replace(tzinfo=None) for t in times[part]]
        columns = {
            "id": [f"{t:%dT%H:%M:%S}" for t in times[part]],
            "text": texts[part],
            "time": pa.array(naive_or_not, pa.timestamp("us", zone)),
            "lang": ["en"] * len(texts[part]),
        }
        pq.write_table(pa.table(columns), folder / f"{k}.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clocks")
    corpus(folder / "corpus")
    codes, log = nightly(folder, [RUN], root="utc", TZ="UTC")
    assert codes == [0], log[-4000:]
    return folder


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The clock of planted/clock.c, as a library; needs a C compiler."""
    source, library = Path(__file__).with_name("planted") / "clock.c", tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], check=True)
    return str(library)


def content(folder: Path, root: str) -> dict[tuple[str, str], str]:
    (result,) = results(folder, root)
    return {key: digest for key, digest in hashes(result).items() if key[0] not in ABOUT_THE_RUN}


def test_nights_are_of_utc_whatever_the_zones_and_a_clock_that_is_set_back(folder: Path, clock: str) -> None:
    """The driver is in Berlin, where the clocks change that weekend; workers are in New York; the clock goes back two hours."""
    jump = {"NIGHTJAR_CLOCK_JUMP_AT": "25", "NIGHTJAR_CLOCK_JUMP": "-7200"}
    workers = ["spark.executorEnv.TZ=America/New_York"]
    codes, log = nightly(folder, [RUN], workers, root="back", TZ="Europe/Berlin", LD_PRELOAD=clock, **jump)
    assert codes == [0], log[-4000:]
    (result,) = results(folder, "back")
    assert result["ended_at"] < result["started_at"], "the clock went back during the run"
    assert all(stage["seconds"] >= 0 for stage in result["stages"])
    assert content(folder, "back") == content(folder, "utc")
    with open_duckdb(folder / "back") as db:
        found = db.execute("SELECT run_date, count(*), min(doc_id), max(doc_id) FROM doc_scores GROUP BY 1 ORDER BY 1")
        assert found.fetchall() == [
            (day, PER_NIGHT + 1, f"{day.day}T00:00:00", f"{day.day}T23:59:59") for day in NIGHTS
        ]


def test_a_run_over_midnight_publishes_the_night_it_was_told(folder: Path, clock: str) -> None:
    """It starts half a minute before the midnight (UTC) at which the second of its nights ends, with a driver in Tokyo."""
    begins = dt.datetime(2026, 3, 29, 23, 59, 30, tzinfo=dt.UTC)
    offset = int((begins - dt.datetime.now(dt.UTC)).total_seconds())
    codes, log = nightly(
        folder, [RUN], root="midnight", LD_PRELOAD=clock, NIGHTJAR_CLOCK_OFFSET=str(offset), TZ="Asia/Tokyo"
    )
    assert codes == [0], log[-4000:]
    (result,) = results(folder, "midnight")
    assert (result["started_at"][:10], result["ended_at"][:10]) == ("2026-03-29", "2026-03-30")
    assert content(folder, "midnight") == content(folder, "utc")
