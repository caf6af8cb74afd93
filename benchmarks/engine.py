"""The scoring stage against sentence-transformers in an iterator pandas UDF: Parquet to Parquet, same session, same cores.

    python -m benchmarks.engine --data folder/of/parquet --rows 10000 --repeats 3 --out out/bench-engine.json

Both contenders embed the same texts in float32 and cut them at the model's 256 tokens. The engine also runs the sentiment head.
They take turns (A B A B ...); the figure to quote is the median of the ratios pair by pair. Without --data the sample corpus is
made and used.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from pipeline.scoring import scored
from pipeline.session import build_session
from pipeline.text import content_key, normalised
from udfs.spec import ScoreSpec
from udfs.worker import Counters

CORES = 2


def sentence_transformers_embed(texts: DataFrame, spec: ScoreSpec) -> DataFrame:
    """What one would write first: an iterator pandas UDF, the model loaded once per task, one task per core."""
    from udfs.models.files import locate

    path = str(locate(spec.encoder.source))

    @F.pandas_udf("array<float>")
    def embed(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(path, device="cpu")
        for batch in batches:
            vectors = model.encode(batch.tolist(), batch_size=32, normalize_embeddings=True, show_progress_bar=False)
            yield pd.Series(list(vectors))

    return texts.repartition(CORES).select("content_key", embed("text").alias("embedding"))


def engine_embed(texts: DataFrame, spec: ScoreSpec) -> DataFrame:
    """The nightly job's own stage."""
    context = texts.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    return scored(texts, texts.count(), spec, counters)


Contender = Callable[[DataFrame, ScoreSpec], DataFrame]
CONTENDERS: dict[str, Contender] = {"engine": engine_embed, "sentence-transformers": sentence_transformers_embed}


def prepare(spark: SparkSession, data: Path, column: str, rows: int, target: Path) -> int:
    """Write `rows` distinct texts, picked by hash, to one Parquet file each core can split; return their number."""
    names = [str(p) for p in (sorted(data.rglob("*.parquet")) if data.is_dir() else [data])]
    raw = (
        spark.read.parquet(*names)
        .select(normalised(F.make_valid_utf8(F.col(column))).alias("text"))
        .where("text != ''")
    )
    keyed = raw.select(content_key(F.col("text")).alias("content_key"), F.lit("en").alias("lang_hint"), "text")
    picked = keyed.dropDuplicates(["content_key"]).orderBy("content_key").limit(rows)
    picked.repartition(CORES).write.mode("overwrite").parquet(str(target))
    return spark.read.parquet(str(target)).count()


def run(spark: SparkSession, name: str, source: Path, spec: ScoreSpec, target: Path) -> float:
    """Embed the texts of `source` into `target`; return seconds."""
    started = time.perf_counter()
    CONTENDERS[name](spark.read.parquet(str(source)), spec).write.mode("overwrite").parquet(str(target))
    return time.perf_counter() - started


def cosines(first: Path, second: Path) -> tuple[float, float]:
    """Return minimum and mean cosine of the vectors both wrote for the same text."""

    def read(path: Path) -> pa.Table:
        return pq.read_table(path, columns=["content_key", "embedding"]).sort_by("content_key")

    a, b = read(first), read(second)
    if a.column("content_key") != b.column("content_key"):
        raise AssertionError("the contenders did not embed the same texts")
    x, y = (np.array(t.column("embedding").to_pylist(), dtype=np.float64) for t in (a, b))
    values = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return float(values.min()), float(values.mean())


def measure(spark: SparkSession, source: Path, spec: ScoreSpec, repeats: int, folder: Path) -> dict[str, list[float]]:
    """Let the contenders take turns; the first turn of each is a warm-up on a hundredth of the texts."""
    few = folder / "few"
    spark.read.parquet(str(source)).limit(100).write.parquet(str(few))
    for name in CONTENDERS:
        run(spark, name, few, spec, folder / "warm")
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for turn in range(repeats):
        for name in CONTENDERS:
            seconds[name].append(run(spark, name, source, spec, folder / name))
            print(f"turn {turn + 1}: {name:<22} {seconds[name][-1]:7.1f} s", flush=True)
    return seconds


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="Parquet file or folder")
    parser.add_argument("--column", default="text", help="its text column")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/bench-engine.json"))
    args = parser.parse_args(argv)
    spec = replace(sentiment_spec(ModelConfig(device="cpu"), LanguageConfig()), max_chunks=1)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, column = args.data, args.column
        if data is None:
            from pipeline.sample.corpus import write_sample

            write_sample(folder / "sample")
            data, column = folder / "sample" / "corpus", "body"
        spark = build_session("nightjar-bench", {"spark.master": f"local[{CORES}]", "spark.driver.memory": "2g"})
        try:
            n = prepare(spark, data, column, args.rows, folder / "texts")
            seconds = measure(spark, folder / "texts", spec, args.repeats, folder)
        finally:
            spark.stop()
        low, mean = cosines(folder / "engine", folder / "sentence-transformers")
    result = summary(n, seconds, low, mean)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(
        f"{n:,} texts: engine {result['median_ratio']:.2f}x as fast as sentence-transformers "
        f"(pairs {', '.join(f'{r:.2f}' for r in result['ratios'])}); cosine min {low:.7f}, mean {mean:.7f}"
    )
    return 0


def summary(n: int, seconds: dict[str, list[float]], low: float, mean: float) -> dict[str, Any]:
    """Return everything a reader needs to judge the figure."""
    ratios = [b / a for a, b in zip(seconds["engine"], seconds["sentence-transformers"], strict=True)]
    packages = ("pyspark", "torch", "transformers", "sentence-transformers", "tokenizers", "pyarrow")
    return {
        "texts": n,
        "cores": CORES,
        "machine": platform.machine(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
        "seconds": {name: [round(s, 2) for s in values] for name, values in seconds.items()},
        "rows_per_s_median": {name: round(n / statistics.median(values), 1) for name, values in seconds.items()},
        "ratios": [round(r, 3) for r in ratios],
        "median_ratio": round(statistics.median(ratios), 3),
        "cosine_min": low,
        "cosine_mean": mean,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
