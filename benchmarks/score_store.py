"""The score store at scale: how long a look-up takes in a compacted store of many keys, and what memory it needs.

    python -m benchmarks.score_store --folder out/bench-store --keys 5000000 --wanted 100000 --out out/score_store.json

Keys are sha256 of numbers, vectors random unit vectors of 384 numbers: they compress no better than real ones. The store is
written directly in the format of the compacted part, a prefix at a time; its files are dropped from the page cache; then one
session looks up keys of which half are there. Peak memory is that of driver, JVM and Python workers together (proportional set
size, every 0.5 s); mapped files count.
"""

import argparse
import hashlib
import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks.memory import resident_bytes
from benchmarks.summary import machine, versions, write_json
from pipeline.session import build_session
from pipeline.store import ScoreStore
from pipeline.store_base import BaseRecord, PrefixEntry, commit
from udfs.store_files import files_of, write_prefix

DIMENSION = 384
KEY = "bench"


def key_of(number: int) -> str:
    """Return the key of a number, as a text's content key looks."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def build(root: Path, n_keys: int) -> BaseRecord:
    """Write a compacted store of `n_keys` keys; return its record."""
    store, folder, rng = root / "_store" / KEY, "_base/00000001-bench", np.random.default_rng(7)
    by_prefix: dict[str, list[str]] = {}
    for number in range(n_keys):
        key = key_of(number)
        by_prefix.setdefault(key[:2], []).append(key)
    files = {}
    for prefix, keys in sorted(by_prefix.items()):
        keys.sort()
        n = len(keys)
        vectors = rng.standard_normal((n, DIMENSION), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        place = files_of(str(store / folder), prefix)
        files[prefix] = PrefixEntry(folder, n, write_prefix(place, rows(keys, rng), vectors))
    record = BaseRecord(1, 2, files)
    commit(store, record)
    return record


def rows(keys: list[str], rng: np.random.Generator) -> pa.Table:
    """Return everything but the vectors for some keys, as a night would have it."""
    n = len(keys)
    score = rng.uniform(-1, 1, n).round(6)
    return pa.table(
        {
            "content_key": keys,
            "lang_hint": ["en"] * n,
            "lang": ["en"] * n,
            "lang_confidence": np.ones(n),
            "n_chars": rng.integers(20, 2_000, n).astype(np.int32),
            "n_tokens": rng.integers(5, 500, n).astype(np.int32),
            "n_chunks": np.ones(n, np.int32),
            "coverage": np.ones(n),
            "sentiment": np.where(score > 0, "positive", "negative"),
            "sentiment_score": score,
            "sentiment_confidence": np.abs(score),
            "sentiment_model": ["sentiment-en"] * n,
            "topic_model_key": ["0123456789abcdef"] * n,
            "topic_id": rng.integers(0, 40, n),
            "topic_distance": rng.uniform(0, 1, n),
            "error_code": pa.nulls(n, pa.string()),
            "vector_row": np.arange(n, dtype=np.int32),
        }
    )


def drop_from_cache(folder: Path) -> None:
    """Write the files out and let the system forget their pages, so that they are read from the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


class Peak:
    """The largest resident memory of this process and all below it, in MiB, while the block runs."""

    def __enter__(self) -> "Peak":
        self.mib, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            self.mib = max(self.mib, resident_bytes(os.getpid()) / 2**20)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def measure(spark: SparkSession, root: Path, n_keys: int, n_wanted: int) -> dict[str, float]:
    """Time what a night asks of the store: which texts are known, and the results of those that are."""
    store = ScoreStore(spark, root, KEY)
    step = max(1, 2 * n_keys // n_wanted)
    numbers = [i * step for i in range(n_wanted // 2)] + [n_keys + i for i in range(n_wanted // 2)]
    wanted = spark.createDataFrame([(key_of(i), "en") for i in numbers], "content_key string, lang_hint string").cache()
    wanted.count()
    found: dict[str, float] = {}
    with Peak() as peak:
        started = time.perf_counter()
        found["known"] = store.settled(wanted).count()
        found["known_seconds"] = round(time.perf_counter() - started, 2)
        started = time.perf_counter()
        # every number of every vector is read
        total = F.aggregate("embedding", F.lit(0.0), lambda a, x: a + x * x)
        row = store.lookup(wanted).agg(F.count("*").alias("n"), F.sum(total).alias("norm")).first()
        found["lookup_seconds"] = round(time.perf_counter() - started, 2)
    assert row is not None
    found |= {"found": row["n"], "mean_norm": round(row["norm"] / row["n"], 6), "peak_mib": round(peak.mib)}
    return found


def main() -> None:
    """Build, measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the store is written; removed afterwards")
    parser.add_argument("--keys", type=int, default=5_000_000)
    parser.add_argument("--wanted", type=int, default=100_000)
    parser.add_argument("--memory", default="1g", help="heap of the JVM")
    parser.add_argument("--keep", action="store_true", help="leave the store there; a later run takes it")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    root: Path = args.folder.absolute()
    started = time.perf_counter()
    is_there = (root / "_store" / KEY / "_base" / "00000001.json").exists()
    if not is_there:
        build(root, args.keys)
    figures: dict[str, Any] = {
        "keys": args.keys,
        "wanted": args.wanted,
        "build_seconds": round(time.perf_counter() - started, 1),
    }
    spark = build_session("bench-store", {"spark.master": "local[2]", "spark.driver.memory": args.memory})
    drop_from_cache(root)
    figures["store_bytes"] = ScoreStore(spark, root, KEY).bytes()
    figures |= measure(spark, root, args.keys, args.wanted)
    spark.stop()
    if not args.keep:
        shutil.rmtree(root)
    figures |= {"machine": machine(), "versions": versions()}
    print(json.dumps(figures, indent=1))
    if args.out:
        write_json(args.out, figures)


if __name__ == "__main__":
    main()
