"""One turn of one contender, each in a process and, for the peers, an environment of its own.

A turn reads `texts.parquet`, embeds every text and writes Parquet with at least (content_key, embedding). Its clock starts once a
Spark session runs, and before any model library is imported: imports, loading the model, reading, embedding and writing count for
everyone; the start of the interpreter and of Spark's JVM count for no one.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CORES = 2
ENCODE_BATCH = 32
"""Texts per batch of sentence-transformers: its default."""
PACKAGES = ("pyspark", "torch", "transformers", "sentence-transformers", "tokenizers", "pyarrow", "daft")


@dataclass(frozen=True)
class Turn:
    """What a turn is told: the texts (a Parquet file), the folder of the encoder, where to write vectors and the report."""

    texts: Path
    model: Path
    out: Path
    report: Path

    @contextmanager
    def timed(self) -> Iterator[dict[str, str]]:
        """Time the block, then write the report: seconds, versions, and what the block put into the dictionary it is given."""
        facts: dict[str, str] = {}
        started = time.perf_counter()
        yield facts
        result = {"seconds": time.perf_counter() - started, "versions": versions(), **facts}
        self.report.write_text(json.dumps(result), encoding="utf-8")


def parse(parser: argparse.ArgumentParser) -> tuple[Turn, argparse.Namespace]:
    """Parse the arguments every turn has, and those `parser` has besides."""
    for name in ("texts", "model", "out", "report"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    return Turn(args.texts, args.model, args.out, args.report), args


def spark_properties() -> dict[str, str]:
    """Return what every contender's Spark session is given: two cores, two gigabytes."""
    return {"spark.master": f"local[{CORES}]", "spark.driver.memory": "2g"}


def versions() -> dict[str, str]:
    """Return the versions of the packages in this environment."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
