"""How even the tasks of the scoring stage are in real tokens: texts placed by predicted tokens against a hash of their key.

    python -m benchmarks.placement --data data/stream/reddit_posts/train-2011.parquet --rows 20000 --out out/bench-placement.json

The placement predicts from characters and bytes; what is compared here is counted by the encoder's tokenizer: the heaviest task
over the mean, which is what a stage waits for.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.config import LanguageConfig, ModelConfig, ScoringConfig
from pipeline.models import sentiment_spec
from pipeline.placement import deal, measured, placed, predicted_tokens
from pipeline.session import build_session
from pipeline.text import content_key, normalised
from udfs.models.encoder import load_encoder
from udfs.spec import ScoreSpec


def evenness(tasks: DataFrame, spec: ScoreSpec) -> dict[str, float]:
    """Return the heaviest partition over the mean, in real and predicted tokens, and how the two correlate over texts."""
    text, predicted = F.left("text", F.lit(spec.max_chars)), predicted_tokens(F.col("text"), spec)
    columns = [F.spark_partition_id().alias("task"), text.alias("text"), predicted.alias("predicted")]
    rows = tasks.select(*columns).toPandas()  # bounded: --rows texts
    tokenizer = load_encoder(spec.encoder, "cpu").tokenizer
    chunks = tokenizer.chunks(rows["text"].to_list(), spec.encoder.max_tokens, spec.max_chunks)
    real = np.bincount(chunks.text, weights=chunks.lengths, minlength=len(rows))
    ratios = {}
    for name, tokens in (("real", real), ("predicted", rows["predicted"].to_numpy())):
        cost = np.bincount(rows["task"], weights=tokens)
        ratios[name] = round(float(cost.max() / cost.mean()), 4)
    return {**ratios, "correlation": round(float(np.corrcoef(real, rows["predicted"])[0, 1]), 3)}


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Parquet file")
    parser.add_argument("--column", default="text", help="its text column")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--tokens-per-task", type=int, default=ScoringConfig().tokens_per_task)
    parser.add_argument("--out", type=Path, default=Path("out/bench-placement.json"))
    args = parser.parse_args(argv)
    spec = sentiment_spec(ModelConfig(device="cpu"), LanguageConfig())
    spark = build_session("nightjar-bench", {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "4"})
    try:
        raw = spark.read.parquet(str(args.data)).select(normalised(F.make_valid_utf8(args.column)).alias("text"))
        keyed = raw.where("text != ''").select(content_key(F.col("text")).alias("content_key"), "text")
        texts = keyed.dropDuplicates(["content_key"]).orderBy("content_key").limit(args.rows)
        texts = texts.withColumn("lang_hint", F.lit("en")).persist()
        load = measured(texts, spec)
        tasks, _ = deal(load, args.tokens_per_task)
        by_cost = evenness(placed(texts, load, args.tokens_per_task), spec)
        by_hash = evenness(texts.repartition(tasks, "content_key", "lang_hint"), spec)
    finally:
        spark.stop()
    result = {
        "texts": load.rows,
        "predicted_tokens": int(load.tokens.sum()),
        "tasks": tasks,
        "heaviest_over_mean": {"placed": by_cost, "hashed": by_hash},
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
