"""Runs the scoring stage with a GPU profile on executors that are told of one GPU; prints what tasks saw as JSON."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.config import LanguageConfig, ModelConfig, ScoringConfig
from pipeline.models import sentiment_spec
from pipeline.placement import measured
from pipeline.scoring import scored
from pipeline.session import build_session
from pipeline.stage_profile import stage_profile
from udfs.worker import Counters

SCORING = ScoringConfig(gpu_amount_per_task=0.5, task_cpus=2, tokens_per_task=1_024)


def look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Say what Spark gave to the task, and what the worker makes of it."""
    import os

    import torch
    from pyspark import TaskContext

    from udfs.models.encoder import choose_device
    from udfs.worker import configure_threads, device_of_task

    for _ in batches:
        pass
    task = TaskContext.get()
    gpu = task.resources().get("gpu")
    configure_threads()
    seen = {
        "addresses": gpu.addresses if gpu else [],
        "cpus": task.cpus(),
        "threads": torch.get_num_threads(),
        "pool": int(os.environ["RAYON_NUM_THREADS"]),
        "device": device_of_task("auto"),
        "computes_on": choose_device(device_of_task("auto")).type,
        "cuda": torch.cuda.is_available(),
    }
    yield pa.RecordBatch.from_pydict({"seen": [json.dumps(seen)]})


def main(script: str, warehouse: Path) -> None:
    """Start a master with one worker of two cores and one GPU, run stages with and without the profile."""
    spark = build_session(
        "nightjar-gpu-stage",
        {
            "spark.master": "local-cluster[1,2,1024]",
            "spark.sql.warehouse.dir": str(warehouse),
            "spark.worker.resource.gpu.amount": "1",
            "spark.worker.resource.gpu.discoveryScript": script,
            "spark.executor.resource.gpu.amount": "1",
            "spark.executor.memory": "1g",
            "spark.sql.shuffle.partitions": "2",
        },
    )
    profile = stage_profile(SCORING, spark)
    one = spark.range(0, 1, 1, 1)
    inside = json.loads(one.mapInArrow(look, "seen string", profile=profile).collect()[0][0])
    outside = json.loads(one.mapInArrow(look, "seen string").collect()[0][0])
    rows = [(f"k{i}", "en", f"message number {i} is a good one") for i in range(300)]
    texts = spark.createDataFrame(rows, "content_key string, lang_hint string, text string")
    spec, context = sentiment_spec(ModelConfig(), LanguageConfig()), spark.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    results = scored(texts, measured(texts, spec), spec, counters, SCORING)
    labels = [r.sentiment for r in results.select("sentiment").collect()]
    print(json.dumps({"inside": inside, "outside": outside, "labels": len(labels), "null": labels.count(None)}))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
