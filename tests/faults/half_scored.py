"""Scores texts into a store, a line in a log for every batch that leaves the model; driven by test_half_scored.py.

half_scored.py ROOT N_TEXTS TOKENS_PER_TASK
"""

import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from pyspark.sql import SparkSession

from pipeline.config import LanguageConfig, ModelConfig, ScoringConfig
from pipeline.models import sentiment_spec
from pipeline.placement import measured
from pipeline.scoring import scored, unseen
from pipeline.session import build_session
from pipeline.store import STORED, ScoreStore
from udfs.worker import Counters

_PAUSE_SEC = 0.2
"""Between a task's rows leaving the model and the task's end, so that a kill often meets a task that is all but done."""


def score(spark: SparkSession, root: Path, n_texts: int, tokens_per_task: int) -> None:
    spec = sentiment_spec(
        ModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu"), LanguageConfig()
    )
    store, log = ScoreStore(spark, root, spec.model_key()), root / "log"
    log.mkdir(parents=True, exist_ok=True)

    def logged(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            with (log / uuid.uuid4().hex).open("w") as file:
                file.write(str(batch.num_rows))
                file.flush()
                os.fsync(file.fileno())
            yield batch
        time.sleep(_PAUSE_SEC)

    texts = spark.range(n_texts).selectExpr(
        "sha2(cast(id as string), 256) content_key", "'en' lang_hint",
        "concat('message number ', id, ' says that the delivery was late and the box was empty') text",
    )  # fmt: skip
    pending = unseen(texts, store).cache()
    load, scoring = measured(pending, spec), ScoringConfig(tokens_per_task=tokens_per_task)
    if load.rows:
        context = spark.sparkContext
        counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
        results = scored(pending, load, spec, counters, scoring).mapInArrow(logged, STORED)
        store.write(results, f"run-{time.time_ns()}")
    print(store.lookup(texts).where("error_code is null").count())


if __name__ == "__main__":
    session = build_session("half-scored", QUICK)
    score(session, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    session.stop()
