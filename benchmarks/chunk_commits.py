"""What committing scored work in chunks costs: the same texts into the score store by one Spark job and chunk by chunk.

    python -m benchmarks.chunk_commits --data data/stream/reddit_posts/train-2011.parquet --rows 3000 --turns 3

Turns alternate in one session; the models are loaded before the first. `--chunks` cuts more finely than the job would.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.chunks import Chunk, cut, score_chunks, tokens_per_chunk
from pipeline.config import LanguageConfig, ModelConfig, ScoringConfig
from pipeline.limits import Limits
from pipeline.models import sentiment_spec
from pipeline.placement import Load, measured
from pipeline.scoring import scored
from pipeline.session import build_session
from pipeline.store import ScoreStore
from pipeline.text import content_key, normalised
from udfs.spec import ScoreSpec
from udfs.worker import Counters


def turn(texts: DataFrame, load: Load, spec: ScoreSpec, tokens: int, folder: Path) -> tuple[float, int]:
    """Score all texts in chunks of `tokens` predicted tokens; return seconds and the number of chunks."""
    context = texts.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    store, chunks = ScoreStore(texts.sparkSession, folder, "bench"), cut(load, tokens)

    def write(chunk: Chunk, _: bool) -> Path:
        results = scored(texts.where(chunk.holds()), chunk.load, spec, counters)
        return store.write(results, f"{chunk.number:04}")

    started = time.monotonic()
    score_chunks(context, folder.name, chunks, write, Limits())
    return time.monotonic() - started, len(chunks)


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Parquet file")
    parser.add_argument("--column", default="text", help="its text column")
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--embedding", default="all-MiniLM-L6-v2")
    parser.add_argument("--sentiment", default="sentiment-en")
    parser.add_argument("--tokens-per-task", type=int, default=ScoringConfig().tokens_per_task)
    parser.add_argument("--chunks", type=int, help="cut in so many, instead of as the job does")
    args = parser.parse_args(argv)
    config = ModelConfig(embedding=args.embedding, sentiment=args.sentiment, device="cpu")
    spec = sentiment_spec(config, LanguageConfig())
    spark = build_session("nightjar-bench", {"spark.master": "local[2]", "spark.sql.shuffle.partitions": "4"})
    seconds: dict[str, list[float]] = {"one job": [], "chunks": []}
    try:
        raw = spark.read.parquet(str(args.data)).select(normalised(F.make_valid_utf8(args.column)).alias("text"))
        keyed = raw.where("text != ''").select(content_key(F.col("text")).alias("content_key"), "text")
        texts = keyed.dropDuplicates(["content_key"]).orderBy("content_key").limit(args.rows)
        texts = texts.withColumn("lang_hint", F.lit("en")).persist()
        load = measured(texts, spec)
        total = int(load.tokens.sum())
        size = total // args.chunks + 1 if args.chunks else tokens_per_chunk(total, args.tokens_per_task)
        with TemporaryDirectory() as folder:
            turn(texts.limit(64), measured(texts.limit(64), spec), spec, total, Path(folder, "warm"))
            for n in range(args.turns):
                seconds["one job"].append(turn(texts, load, spec, total, Path(folder, f"one-{n}"))[0])
                spent, chunks = turn(texts, load, spec, size, Path(folder, f"chunks-{n}"))
                seconds["chunks"].append(spent)
    finally:
        spark.stop()
    ratios = [b / a for a, b in zip(seconds["one job"], seconds["chunks"], strict=True)]
    rounded = {name: [round(s, 2) for s in values] for name, values in seconds.items()}
    result = {"texts": load.rows, "predicted_tokens": total, "chunks": chunks, "seconds": rounded}
    print(json.dumps(result | {"ratios": [round(x, 3) for x in ratios], "median": round(statistics.median(ratios), 3)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
