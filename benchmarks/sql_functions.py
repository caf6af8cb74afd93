"""What `SELECT ai_analyze_sentiment(text)` costs over the nightly scoring stage, on the same texts, models and cores, in turns.

    python -m benchmarks.sql_functions --rows 20000 --repeats 3 --out out/sql.json \\
        --data data/sentiment/airline_tweets data/topics/ag_news data/topics/huffpost_news data/intent/banking77
    python -m benchmarks.sql_functions … --embedding static-en --sentiment sentiment-en-static    # the cheapest models

One session on two cores. The nightly stage places the texts, scores them and writes the score store; the SELECT reads the same
texts from files as many as a table would have, with an empty cache and no store, and writes nowhere. The models of both are
loaded before the clock starts. No language is declared, so that both identify it. `again` is the same SELECT with its cache
filled.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.corpora import add_arguments, prepare
from benchmarks.summary import machine, pair_ratios, versions, write_json
from benchmarks.turns import spark_properties
from benchmarks.turns.engine import score
from pipeline.config import NightModelConfig
from pipeline.session import build_session
from pipeline.sql import Registered, SqlConfig, register
from pipeline.sql.config import CacheConfig
from udfs.spec import ScoreSpec

WARM_ROWS = 500
QUERY = "SELECT content_key, ai_analyze_sentiment(text) AS sentiment FROM bench_texts"


def registered(spark: SparkSession, model: NightModelConfig, cache: Path) -> Registered:
    """Register the functions with the night's models and the cache in a folder."""
    return register(spark, SqlConfig(model=model, cache=CacheConfig(folder=str(cache))))


def undeclared(texts: DataFrame) -> DataFrame:
    """Take the declared language away: both sides identify it, as a SELECT always does."""
    return texts.withColumn("lang_hint", F.lit(""))


def select(spark: SparkSession) -> None:
    """Run the query over all texts."""
    spark.sql(QUERY).write.format("noop").mode("overwrite").save()


def seconds(action: Callable[[], Any]) -> float:
    """Return how long an action takes."""
    started = time.monotonic()
    action()
    return time.monotonic() - started


def measure(
    spark: SparkSession, texts: DataFrame, model: NightModelConfig, folder: Path, repeats: int
) -> dict[str, Any]:
    """Let both take turns; return seconds, and the ratio of SELECT to stage as the median of the pairs."""
    few = texts.limit(WARM_ROWS)
    few.createOrReplaceTempView("bench_texts")
    spec: ScoreSpec = registered(spark, model, folder / "warm-sql").spec.models[0].scoring
    select(spark)
    score(few, spec, folder / "warm")
    texts.createOrReplaceTempView("bench_texts")
    found: dict[str, list[float]] = {"stage": [], "select": [], "again": []}
    for turn in range(repeats):
        found["stage"].append(seconds(lambda turn=turn: score(texts, spec, folder / f"night-{turn}")))
        functions = registered(spark, model, folder / f"cache-{turn}")
        found["select"].append(seconds(lambda: select(spark)))
        scored = sum(n for (_, name), n in functions.scored().items() if name.startswith("ai_"))
        found["again"].append(seconds(lambda: select(spark)))
    return {
        "scored": scored,
        "seconds": {name: [round(s, 2) for s in values] for name, values in found.items()},
        "select_over_stage": round(statistics.median(pair_ratios(found["select"], found["stage"])), 3),
    }


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--embedding", help="encoder of both; by default the night's")
    parser.add_argument("--sentiment", help="head of both; by default the night's")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    named = {key: getattr(args, key) for key in ("embedding", "sentiment") if getattr(args, key)}
    model = NightModelConfig.model_validate({"device": "cpu", **named})
    spark = build_session("nightjar-bench-sql", {**spark_properties(), "spark.sql.shuffle.partitions": "8"})
    try:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            n = prepare(args.data, args.rows, folder / "texts", args.column)
            undeclared(spark.read.parquet(str(folder / "texts"))).repartition(8).write.parquet(str(folder / "table"))
            result = {"machine": machine(), "versions": versions(), "texts": n, "model": model.embedding}
            result |= measure(spark, spark.read.parquet(str(folder / "table")), model, folder, args.repeats)
    finally:
        spark.stop()
    if args.out:
        write_json(args.out, result)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
