"""Whole nights, measured from outside: `jobs/nightly.py` as a process, its `run_results.json`, the memory of its workers.

    python -m benchmarks.night warm        --rows 10000 --data stream/reddit_posts
    python -m benchmarks.night duplicates  --rows 10000 --data stream/reddit_posts
    python -m benchmarks.night growth      --sizes 10000 100000 1000000 --data stream/reddit_posts stream/weibo_hot_search

`warm` runs a night twice: the second finds every text in the score store. `duplicates` compares a corpus of which 30 % of the
rows repeat a text with one of as many distinct texts. `growth` fits seconds ~ rows^e.
`--as-is` takes rows as they are. Everything after `--set` goes to the nightly job, for example `--set model.embedding=static-en`.
Without --data the sample corpus is used. Seconds of the Spark session are told but not counted.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import parquet_files, prepare
from benchmarks.memory import job_peaks
from benchmarks.summary import exponent, machine, versions, write_json

ROOT = Path(__file__).parents[1]
DAY = "2026-01-05"
DUPLICATES = 0.3
PATTERN_STAGES = ("groups", "topics", "patterns", "aspects", "sentences", "movements")


def main(argv: Sequence[str]) -> int:
    """Run the nights of one question and report."""
    args = parse(argv)
    if args.work:
        result = QUESTIONS[args.question](args, args.work)
    else:
        with TemporaryDirectory() as temporary:
            result = QUESTIONS[args.question](args, Path(temporary))
    result = {"question": args.question, "set": args.overrides, "machine": machine(), "versions": versions(), **result}
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


def warm(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the same night twice over one output root."""
    corpus = write_corpus(texts_of(args, args.rows, folder), folder / "corpus")
    cold, again = (run_night(corpus, folder / "root", args.overrides) for _ in range(2))
    return {
        "cold": cold,
        "warm": again,
        # what the store saves: deciding which texts are new, and scoring them
        "scoring_ratio": round(scoring_seconds(cold) / scoring_seconds(again), 2),
        "night_ratio": round(cold["seconds"] / again["seconds"], 2),
    }


def duplicates(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Compare the cost per row of a corpus with repeated texts with that of its distinct one, as many rows each."""
    texts = texts_of(args, args.rows, folder)
    n_distinct = round(len(texts) * (1 - DUPLICATES))
    repeated = texts[:n_distinct] + texts[: len(texts) - n_distinct]
    found: dict[str, Any] = {}
    for name, rows in {"distinct": texts, "repeated": repeated}.items():
        found[name] = run_night(write_corpus(rows, folder / name), folder / f"root-{name}", args.overrides)
    return {
        **found,
        "scoring_cost_per_row": round(scoring_seconds(found["repeated"]) / scoring_seconds(found["distinct"]), 3),
        "night_cost_per_row": round(found["repeated"]["seconds"] / found["distinct"]["seconds"], 3),
    }


def growth(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run nights of several sizes; the exponents tell how time grows with rows."""
    nights = []
    for size in sorted(args.sizes):
        corpus = write_corpus(texts_of(args, size, folder / str(size)), folder / str(size) / "corpus")
        nights.append(run_night(corpus, folder / str(size) / "root", args.overrides))
    rows = [night["rows"] for night in nights]
    peaks = [night["worker_peak_bytes"] for night in nights]
    return {
        "nights": nights,
        "night_exponent": round(exponent(rows, [night["seconds"] for night in nights]), 3),
        "pattern_exponent": round(exponent(rows, [pattern_seconds(night) for night in nights]), 3),
        "scoring_exponent": round(exponent(rows, [scoring_seconds(night) for night in nights]), 3),
        "worker_memory_growth": round(peaks[-1] / peaks[0] - 1, 3) if min(peaks) else None,
    }


QUESTIONS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "warm": warm,
    "duplicates": duplicates,
    "growth": growth,
}


def texts_of(args: argparse.Namespace, rows: int, folder: Path) -> list[str]:
    """Return texts of the data asked for: distinct ones in the order of their hash, or rows drawn as they are."""
    if args.as_is:
        tables = [pq.read_table(file, columns=[args.column]) for path in args.data for file in parquet_files(path)]
        column = pa.concat_tables(tables).column(0).combine_chunks()
        drawn = np.random.default_rng(0).permutation(len(column))[:rows]
        as_they_are: list[str] = column.take(pa.array(drawn)).to_pylist()
        return as_they_are
    prepare(args.data, rows, folder / "texts", args.column)
    texts: list[str] = pq.read_table(folder / "texts" / "texts.parquet", columns=["text"]).column(0).to_pylist()
    return texts


def write_corpus(texts: Sequence[str], folder: Path) -> Path:
    """Write a night's corpus: id, text and one day."""
    folder.mkdir(parents=True, exist_ok=True)
    at = pa.array([datetime.fromisoformat(DAY).replace(tzinfo=UTC)] * len(texts), pa.timestamp("us", "UTC"))
    table = pa.table({"id": [str(i) for i in range(len(texts))], "text": list(texts), "published_at": at})
    pq.write_table(table, folder / "corpus.parquet", compression="zstd", row_group_size=50_000)
    return folder


def run_night(corpus: Path, root: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """Run the nightly job; return what it says of itself and what was seen from outside.

    Raises:
        RuntimeError: the job failed; with its last lines.
    """
    config = corpus.with_name(f"{corpus.name}.json")
    spark = {"master": "local[2]", "driver.memory": "2g", "sql.shuffle.partitions": 4}
    columns = {"id": "id", "text": "text", "time": "published_at"}
    settings = {"input": {"path": str(corpus), "columns": columns}, "output": {"root": str(root)}, "spark": spark}
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "jobs/nightly.py", "--config", str(config), "--run-date", DAY]
    if overrides:
        command += ["--set", *overrides]
    log = root.with_name(f"{root.name}.log")
    started = time.monotonic()
    with log.open("w") as sink:
        job = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)
        peaks = job_peaks(job)
    if job.returncode:
        raise RuntimeError(f"the nightly job ended with {job.returncode}:\n{log.read_text()[-3000:]}")
    results = json.loads((root / "run_results.json").read_text(encoding="utf-8"))
    return facts(results, time.monotonic() - started) | {
        "worker_peak_bytes": max(peaks.workers.values(), default=0),
        "peak_bytes": peaks.total,
    }


def facts(results: Mapping[str, Any], wall_seconds: float) -> dict[str, Any]:
    """Return what matters of a run's results. `seconds` is all but the session."""
    stages: dict[str, float] = {}
    for stage in results["stages"]:
        stages[stage["name"]] = stages.get(stage["name"], 0.0) + stage["seconds"]
    counts = {k: sum(c[k] for c in results["counts"]) for k in results["counts"][0] if k != "run_date"}
    return {
        "rows": counts["rows_in"],
        "counts": counts,
        "wall_seconds": round(wall_seconds, 2),
        "seconds": round(sum(s for name, s in stages.items() if name != "session"), 2),
        "stages": {name: round(s, 2) for name, s in stages.items()},
    }


def scoring_seconds(night: Mapping[str, Any]) -> float:
    """Return the seconds a night spent to have a score for every text: looking them up and scoring the rest."""
    return sum(night["stages"].get(name, 0.0) for name in ("lookup", "score"))


def pattern_seconds(night: Mapping[str, Any]) -> float:
    """Return the seconds of all that mines patterns: near-duplicates, topics, phrases to movements, aspects."""
    return sum(night["stages"].get(name, 0.0) for name in PATTERN_STAGES)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=list(QUESTIONS))
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="Parquet files or folders; none: the sample")
    parser.add_argument("--column", default="text", help="their text column")
    parser.add_argument("--as-is", action="store_true", help="rows drawn from all of --data, repeats included")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--work", type=Path, help="where corpora and tables are made and kept; not there yet")
    parser.add_argument("--set", dest="overrides", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
