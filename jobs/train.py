"""Train a language model of our own from Parquet: corpus, tokenizer, shards, training, saved model.

    python jobs/train.py --config conf/jobs/train_lm_recurrent.yaml

Killed at any moment, the same command goes on where it was.
Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys

from pipeline.command import run_job
from pipeline.session import build_session
from pipeline.training.config import TrainConfig
from pipeline.training.export import export, figures
from pipeline.training.run import check_output, fit, prepare


def run(config: TrainConfig) -> None:
    """Prepare with Spark, train, save, report."""
    check_output(config)
    spark = build_session("nightjar-train", config.spark)
    try:
        data = prepare(spark, config)
        outcome = None if config.processes.is_this_one else fit(config, data)
    finally:
        spark.stop()
    outcome = outcome or fit(config, data)
    folder = export(config, data, outcome)
    for name, value in figures(config, data, outcome).items():
        print(f"{name:<20} {value:.4f}")
    print(f"saved {folder}; log, shards and loss.png are in {data.folder}")


if __name__ == "__main__":
    sys.exit(run_job(TrainConfig, run, __doc__ or ""))
