"""Our engine in Spark: the nightly job's own stage and store. It also runs the sentiment head and writes its columns."""

import argparse
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from benchmarks.models import add_model_arguments, config_of, spec_of
from benchmarks.turns import Turn, parse, spark_properties
from pipeline.placement import measured
from pipeline.runtimes import resolve_runtime
from pipeline.scoring import scored
from pipeline.session import build_session
from pipeline.store import ScoreStore
from udfs.spec import ScoreSpec
from udfs.worker import Counters

WARM_ROWS = 2_048


def score(texts: DataFrame, spec: ScoreSpec, root: Path) -> None:
    """Score and store all texts under `root`."""
    context = texts.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    store = ScoreStore(texts.sparkSession, root, spec.model_key())
    store.write(scored(texts, measured(texts, spec), spec, counters), "bench")


def run(spark: SparkSession, turn: Turn, args: argparse.Namespace) -> None:
    """Take the turn. With `--warm` the models are loaded before the clock starts: only the steady state counts.

    The outcome of the runtimes' self-test is kept beside the vectors, as an output root keeps it from night to night.
    """
    texts = spark.read.parquet(str(turn.texts))
    kept, config = turn.out.with_name("runtimes"), config_of(args, args.mode)
    if args.warm:
        score(texts.limit(WARM_ROWS), resolve_runtime(spark, spec_of(args, args.mode), config, kept), turn.out / "warm")
    with turn.timed() as facts:
        spec = resolve_runtime(spark, spec_of(args, args.mode), config, kept)
        score(texts, spec, turn.out / "all")
        facts |= {"runtime": spec.runtime.name, "precision": spec.runtime.precision}


def main() -> None:
    """Build the session, take the turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument("--mode", default="exact")
    parser.add_argument("--warm", action="store_true", help="load the models before the clock starts")
    turn, args = parse(parser)
    spark = build_session("nightjar-bench-engine", spark_properties())
    try:
        run(spark, turn, args)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
