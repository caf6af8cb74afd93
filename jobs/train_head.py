"""Train a head on the frozen encoder from labelled Parquet, sentiment or labels of your own, and report how good it is.

    python jobs/train_head.py --config conf/jobs/train_head_en.yaml
    python jobs/train_head.py --config conf/jobs/train_head_banking77.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.errors import ConfigError
from pipeline.head_config import HeadConfig
from pipeline.head_training import save_head
from pipeline.label_heads import train_label_head
from pipeline.label_report import label_report
from pipeline.label_rows import read_head_rows
from pipeline.model_lock import encoder_identity
from pipeline.models import head_base_spec
from pipeline.report import metrics_table
from pipeline.session import build_session


def run(config: HeadConfig) -> None:
    """Embed the sets, train, save, report."""
    spec = head_base_spec(config.model, config.task)
    output = Path(config.output)
    if output.exists():
        raise ConfigError(f"output: {output} exists; a head is never overwritten, give a new output")
    spark = build_session("nightjar-train-head", config.spark)
    try:
        rows = read_head_rows(spark, config, spec)
    finally:
        spark.stop()
    head = train_label_head(config, rows.classes, rows.train, rows.validation, rows.warnings)
    facts = {**head.facts(), "row_counts": rows.counts()}
    identity = encoder_identity(spec.encoder)
    training = {
        "rows": rows.by_set(),
        "hidden": config.hidden,
        "l2": head.trained.l2,
        "class_weight": config.class_weight,
        "seed": config.seed,
    }
    save_head(head.trained, output, config.name, config.languages, spec.encoder, identity, training, config.task, facts)
    print("\n".join(rows.description()))
    if rows.validation is not None:
        print(metrics_table(head.trained.validation))
    print(label_report(head))
    print(f"saved {output}")


if __name__ == "__main__":
    sys.exit(run_job(HeadConfig, run, __doc__ or ""))
