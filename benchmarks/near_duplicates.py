"""How fast near-duplicates are found, and how time grows with rows.

    python -m benchmarks.near_duplicates --sizes 10000 100000 1000000 --out out/bench-near-duplicates.json

The texts are generated: words drawn by Zipf's law from 50,000, 8 to 40 a text, half of them English-like and half Chinese-like.
Of the rows 20 % are exact copies and 10 % copies with 5 to 30 % of the words edited, some of originals that
come thousands of times. Measured is everything from the documents in Parquet to the tables in
Parquet; the recall of the edited copies is told, too.
"""

import argparse
import datetime as dt
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.summary import exponent, machine, versions, write_json
from benchmarks.vectors import cpu_seconds
from pipeline.patterns.dup_group_tables import find_duplicates
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.session import build_session
from pipeline.text import content_key

NIGHT = dt.date(2026, 1, 5)
VOCABULARY = 50_000
CHUNK = 50_000
EXACT, EDITED = 0.2, 0.1


def main(argv: Sequence[str]) -> int:
    """Measure every size in one session and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/bench-near-duplicates.json"))
    args = parser.parse_args(argv)
    spark = build_session("nightjar-bench", {"spark.master": f"local[{args.cores}]", "spark.driver.memory": "4g"})
    try:
        with TemporaryDirectory() as temporary:
            run(spark, write_documents(2_000, Path(temporary) / "warm"), Path(temporary) / "out")
            turns = []
            for size in sorted(args.sizes):
                turns.append(run(spark, write_documents(size, Path(temporary) / str(size)), Path(temporary) / "out"))
                print(json.dumps(turns[-1]))
    finally:
        spark.stop()
    result: dict[str, Any] = {"cores": args.cores, "machine": machine(), "versions": versions(), "turns": turns}
    if len(turns) > 1:
        sizes = [t["rows"] for t in turns]
        result |= {
            f"{k}_exponent": round(exponent(sizes, [t[k] for t in turns]), 3) for k in ("seconds", "cpu_seconds")
        }
    write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


def run(spark: SparkSession, corpus: Path, out: Path) -> dict[str, Any]:
    """Find the duplicates of a corpus, write both frames, count what was planted and found."""
    started, cpu = time.perf_counter(), cpu_seconds(spark)
    raw = spark.read.parquet(str(corpus))
    documents = raw.withColumn("content_key", content_key(F.col("text")))
    found = find_duplicates(documents, [NIGHT], NearDuplicatesConfig())
    found.groups.write.mode("overwrite").parquet(str(out / "groups"))
    found.members.write.mode("overwrite").parquet(str(out / "members"))
    seconds, cpu = time.perf_counter() - started, cpu_seconds(spark) - cpu
    spark.catalog.clearCache()
    ids = spark.read.parquet(str(out / "members")).select("doc_id", "dup_group_id")
    truth = raw.select("doc_id", "original", "kind").join(ids, "doc_id", "left")
    first = truth.where("kind = 'original'").select("original", F.col("dup_group_id").alias("expected"))
    edited = truth.where("kind = 'edited'").join(first, "original")
    is_found = F.coalesce(F.col("dup_group_id") == F.col("expected"), F.lit(False))
    recall = edited.agg(F.avg(is_found.cast("double"))).collect()[0][0]  # bounded: one row
    rows = raw.count()
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "rows_per_s": round(rows / seconds),
        "groups": spark.read.parquet(str(out / "groups")).count(),
        "recall_of_edited": round(float(recall), 4),
    }


def write_documents(rows: int, folder: Path) -> Path:
    """Write a night of generated documents with the truth (`original`, `kind`)."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstuvw"))
    latin = ["".join(rng.choice(letters, 2 + i.bit_length() // 3 + int(rng.integers(4)))) for i in range(VOCABULARY)]
    chinese = [
        "".join(chr(0x4E00 + int(c)) for c in rng.integers(0, 4_000, 1 + int(rng.integers(3))))
        for _ in range(VOCABULARY)
    ]
    vocabularies = [(np.array(latin, object), " "), (np.array(chinese, object), "")]
    shares = 1 / (np.arange(VOCABULARY) + 3)
    cumulative = np.cumsum(shares / shares.sum())
    n_distinct = round(rows * (1 - EXACT - EDITED))
    with pq.ParquetWriter(folder / "documents.parquet", SCHEMA, compression="zstd") as writer:
        for start in range(0, rows, CHUNK):
            ids = np.arange(start, min(rows, start + CHUNK))
            writer.write_table(_documents(ids, n_distinct, vocabularies, cumulative, rows))
    return folder


SCHEMA = pa.schema(
    [
        ("run_date", pa.date32()), ("doc_id", pa.string()), ("event_ts", pa.timestamp("us", "UTC")), ("source", pa.string()),
        ("text", pa.string()), ("original", pa.int64()), ("kind", pa.string()),
    ]
)  # fmt: skip


def _documents(
    ids: NDArray[np.int64],
    n_distinct: int,
    vocabularies: Sequence[tuple[NDArray[Any], str]],
    cumulative: NDArray[np.float64],
    rows: int,
) -> pa.Table:
    texts, originals, kinds = [], [], []
    for i in ids.tolist():
        rng = np.random.default_rng(i)
        kind = "original" if i < n_distinct else ("exact" if i < n_distinct + rows * EXACT else "edited")
        # a copy's original: the square makes some come thousands of times
        original = i if kind == "original" else int(n_distinct * rng.random() ** 3)
        words, joint = _words(original, vocabularies, cumulative)
        if kind == "edited":
            chosen = rng.random(len(words)).argsort()[: round(len(words) * rng.uniform(0.05, 0.3))]
            words[chosen] = rng.choice(vocabularies[original % 2][0], len(chosen))
        texts.append(joint.join(words))
        originals.append(original)
        kinds.append(kind)
    times = [dt.datetime(2026, 1, 5, tzinfo=dt.UTC) + dt.timedelta(seconds=int(i) % 86_400) for i in ids]
    columns = [[NIGHT] * len(ids), [f"d{i}" for i in ids], times, [f"s{i % 5}" for i in ids], texts, originals, kinds]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def _words(
    original: int, vocabularies: Sequence[tuple[NDArray[Any], str]], cumulative: NDArray[np.float64]
) -> tuple[NDArray[Any], str]:
    rng = np.random.default_rng([original, 1])
    names, joint = vocabularies[original % 2]
    return names[np.searchsorted(cumulative, rng.random(int(rng.integers(8, 41))) * cumulative[-1])].copy(), joint


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
