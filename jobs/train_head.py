"""Train a sentiment head on the frozen encoder from labelled Parquet, and report how good it is on validation parts.

    python jobs/train_head.py --config conf/jobs/train_head_en.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame

from pipeline.command import run_job
from pipeline.errors import ConfigError
from pipeline.evaluation import with_scores
from pipeline.head_training import Labelled, make_labelled, save_head, train_head
from pipeline.labelled import LABEL, SET_NAME, LabelledSet, TrainHeadConfig, read_labelled
from pipeline.model_lock import encoder_identity
from pipeline.models import embedding_spec
from pipeline.report import metrics_table
from pipeline.schemas import SENTIMENTS
from pipeline.session import build_session


def run(config: TrainHeadConfig) -> None:
    """Embed the sets, train, save, report."""
    spec = embedding_spec(config.model)
    output = Path(config.output)
    if output.exists():
        raise ConfigError(f"output: {output} exists; a head is never overwritten, give a new output")
    spark = build_session("nightjar-train-head", config.spark)
    try:

        def embed(sets: Sequence[LabelledSet]) -> Labelled:
            return _collect(with_scores(read_labelled(spark, sets), spec), config.max_rows)

        train, validation = embed(config.train), embed(config.validation)
    finally:
        spark.stop()
    trained = train_head(train, validation, SENTIMENTS, config.hidden, config.l2, config.seed)
    training = {
        "rows": {name: int((train.sets == name).sum()) for name in sorted(set(train.sets))},
        "hidden": config.hidden,
        "l2": trained.l2,
        "seed": config.seed,
    }
    save_head(trained, output, config.name, config.languages, spec.encoder, encoder_identity(spec.encoder), training)
    print(metrics_table(trained.validation))
    print(f"saved {output}")


def _collect(rows: DataFrame, max_rows: int) -> Labelled:
    """Bring embedded rows to the driver: bounded by `max_rows`, in an order that does not depend on the cluster."""
    scored = rows.where("embedding is not null").select("content_key", SET_NAME, LABEL, "embedding")
    frame = scored.orderBy("content_key", SET_NAME, LABEL).limit(max_rows).toPandas()  # bounded: max_rows rows
    vectors = np.stack(frame["embedding"].to_list()).astype(np.float32)
    return make_labelled(vectors, list(frame[LABEL]), list(frame[SET_NAME]), SENTIMENTS)


if __name__ == "__main__":
    sys.exit(run_job(TrainHeadConfig, run, __doc__ or ""))
