"""Small nights of a corpus and the nightly job on them, several runs in one process so that a single JVM starts."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from conftest import QUICK

ROOT = Path(__file__).parents[2]
DAYS = tuple(dt.date(2026, 10, 5) + dt.timedelta(days=n) for n in range(4))
Row = tuple[str, str, dt.datetime]

_SUBJECTS = ("router", "kettle", "lamp", "phone", "charger", "keyboard", "heater", "camera")
_VERDICTS = (
    "works well and I like it",
    "broke on the first day",
    "arrived late",
    "is far too loud",
    "was a fair price",
)


def rows(day: dt.date, n: int, salt: str = "") -> list[Row]:
    """`n` documents of a day, all with different texts."""
    noon = dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC)
    return [
        (
            f"{day}-{salt}{i}",
            f"The {_SUBJECTS[i % 8]} {_VERDICTS[i % 5]}, order {day.day}{salt} {i}.",
            noon + dt.timedelta(seconds=i),
        )
        for i in range(n)
    ]


def write(path: Path, documents: Sequence[Row]) -> None:
    """Write documents as one file of a corpus."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids, texts, times = zip(*documents, strict=True)
    columns = {"id": ids, "text": texts, "time": pa.array(times, pa.timestamp("us", "UTC")), "lang": ["en"] * len(ids)}
    pq.write_table(pa.table(columns), path)


IN_TURN = "import json, runpy, sys; job = runpy.run_path(sys.argv[1]); print([job['main'](a) for a in json.loads(sys.argv[2])])"


def command(folder: Path, runs: Sequence[Sequence[str]], settings: Sequence[str] = (), root: str = "out") -> list[str]:
    """Return the command that runs the nightly job once for each list of arguments."""
    config = folder / "nightly.yaml"
    spark = {k: v for k, v in QUICK.items() if "Options" not in k}
    config.write_text(
        f"input: {{path: {folder}/corpus, columns: {{lang: lang}}}}\noutput: {{root: {folder}/{root}}}\n"
        f"spark: {json.dumps(spark)}\npatterns: {{enabled: false}}\ntopics: {{min_texts: 1000000}}\n"
        "model: {embedding: static-en, sentiment: sentiment-en-static, device: cpu, runtime: torch, precision: float32}\n"
    )
    chosen = ["--set", *settings] if settings else []
    commands = [["--config", str(config), *run, *chosen] for run in runs]
    return [sys.executable, "-c", IN_TURN, str(ROOT / "jobs/nightly.py"), json.dumps(commands)]


def environment(**more: str) -> dict[str, str]:
    """The environment of a run whose workers have faults planted."""
    paths = [str(Path(__file__).with_name("planted")), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "SPARK_SUBMIT_OPTS": QUICK["spark.driver.extraJavaOptions"],
        "PYTHONPATH": os.pathsep.join(paths),
        **more,
    }


def nightly(
    folder: Path, runs: Sequence[Sequence[str]], settings: Sequence[str] = (), root: str = "out", **more: str
) -> tuple[list[int], str]:
    """Run the job; return its exit codes and standard error."""
    done = subprocess.run(
        command(folder, runs, settings, root), capture_output=True, text=True, timeout=1500, env=environment(**more)
    )
    assert done.returncode == 0, done.stderr[-4000:]
    codes: list[int] = json.loads(done.stdout.strip().splitlines()[-1])
    return codes, done.stderr


def results(folder: Path, root: str = "out") -> list[dict[str, Any]]:
    """Every `run_results.json`, oldest first."""
    found = [json.loads(path.read_text()) for path in (folder / root / "_runs").glob("*/run_results.json")]
    return sorted(found, key=lambda r: str(r["started_at"]))


def hashes(result: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Content hash by table and night."""
    return {(t["table"], t["run_date"]): t["content_hash"] for t in result["tables"]}
