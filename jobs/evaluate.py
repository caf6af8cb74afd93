"""Evaluate the sentiment model on labelled Parquet: metrics per set, language and class, as a table and JSON.

    python jobs/evaluate.py --config conf/jobs/evaluate_en.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.evaluation import evaluate_sets, with_scores, write_evaluation
from pipeline.labelled import EvaluateConfig, read_labelled
from pipeline.models import sentiment_spec
from pipeline.report import evaluation_table
from pipeline.runtimes import resolve_runtime
from pipeline.session import build_session


def run(config: EvaluateConfig) -> None:
    """Score the sets, compare, write, report."""
    spec = sentiment_spec(config.model, config.language)
    spark = build_session("nightjar-evaluate", config.spark)
    try:
        spec = resolve_runtime(spark, spec, config.model, None)
        rows = evaluate_sets(with_scores(read_labelled(spark, config.sets), spec), config.sets)
    finally:
        spark.stop()
    table, json_file = write_evaluation(rows, spec, Path(config.output))
    print(evaluation_table(rows))
    print(f"wrote {table} and {json_file}")


if __name__ == "__main__":
    sys.exit(run_job(EvaluateConfig, run, __doc__ or ""))
