"""Fine-tune an encoder together with label heads, full or by low-rank pairs (LoRA), and report how good the heads are.

    python jobs/finetune.py --config conf/jobs/finetune_sentiment_en.yaml

Killed at any moment, the same command goes on where it was.
Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys

from pipeline.command import run_job
from pipeline.finetuning.calibration import save_best
from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.run import base_encoder, check_output, fit, prepare
from pipeline.report import metrics_table
from pipeline.session import build_session


def run(config: FineTuneConfig) -> None:
    """Prepare with Spark, train, calibrate, save, report."""
    base = base_encoder(config)
    check_output(config)
    spark = build_session("nightjar-finetune", config.spark)
    try:
        data = prepare(spark, config, base)
        outcome = None if config.processes.is_this_one else fit(config, data, base)
    finally:
        spark.stop()
    outcome = outcome or fit(config, data, base)
    for head in save_best(config, data, base, outcome):
        print(f"{head.name}, temperature {head.temperature:.3f}")
        print(metrics_table(head.validation))
    print(f"cosine to the base's embedding: {outcome.best['cosine']:.4f}")
    print(f"saved {config.output}; log, shards and loss.png are in {config.work_folder}")


if __name__ == "__main__":
    sys.exit(run_job(FineTuneConfig, run, __doc__ or ""))
