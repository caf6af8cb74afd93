"""Evaluate models side by side on labelled Parquet, and their vectors on pairs of texts; store the figures, print the table.

    python jobs/evaluate.py --config conf/jobs/evaluate_en.yaml
    python jobs/evaluate.py --config conf/jobs/evaluate_en.yaml --set 'only=[static]'

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.evaluation_config import EvaluateConfig
from pipeline.evaluation_results import merged, read_results, write_results
from pipeline.evaluation_run import evaluate_all
from pipeline.report import evaluation_table
from pipeline.results_doc import results_tables
from pipeline.session import build_session


def run(config: EvaluateConfig) -> None:
    """Evaluate, join with what is stored, write, report."""
    place = Path(config.results)
    stored = read_results(place) if place.exists() else None
    spark = build_session("nightjar-evaluate", config.spark)
    try:
        new = evaluate_all(spark, config)
    finally:
        spark.stop()
    results = merged(stored, new, [m.name for m in config.models])
    write_results(results, place)
    print(evaluation_table(new["cells"]))
    print(results_tables(results))
    print(f"wrote {place}")


if __name__ == "__main__":
    sys.exit(run_job(EvaluateConfig, run, __doc__ or ""))
