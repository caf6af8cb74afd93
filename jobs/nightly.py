"""Score the nights of a corpus and publish their tables.

    spark-submit jobs/nightly.py --config conf/jobs/nightly.yaml --run-date 2026-10-05
    python jobs/nightly.py --config conf/jobs/nightly.yaml --from 2026-10-05 --to 2026-10-25 --set output.root=/srv/nightjar
    python jobs/nightly.py --config conf/jobs/nightly.yaml --run-date 2026-10-05 --plan
    python jobs/nightly.py --config conf/jobs/nightly.yaml --run-date 2026-10-05 --deadline 05:30 --max-gpu-hours 4

Exit codes: 0 done, 1 the data failed a check (nothing published), 2 usage or configuration, 3 the run failed, 4 stopped at
--deadline or --max-gpu-hours (nothing published, what was scored is kept); docs/exit_codes.md has them all.
"""

import argparse
import logging
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.command import add_overrides, report
from pipeline.config import NightlyConfig, load_config
from pipeline.errors import NightjarError
from pipeline.failures import explain, stack
from pipeline.iceberg.target import check_reachable
from pipeline.limits import Limits, held_gpus, parse_deadline
from pipeline.manifest import RunLock, new_run_id
from pipeline.models import resolve_full_model, resolve_models
from pipeline.night import Night, run_nights
from pipeline.night_labels import resolve_label_heads
from pipeline.output_root import refuse_links
from pipeline.plan import as_rows, make_plan, write_plan
from pipeline.preflight import check_writable, inspect_corpus
from pipeline.progress import configure_logging, log_file
from pipeline.run_results import write_preflight_failure, write_run_results
from pipeline.runtimes import resolve_runtime
from pipeline.session import build_session, check_executors, check_java

logger = logging.getLogger("pipeline.nightly")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(
        prog="nightly.py", description="Score the nights of a corpus and publish their tables."
    )
    parser.add_argument("--config", required=True, metavar="FILE", help="YAML file, see conf/jobs/nightly.yaml")
    parser.add_argument("--run-date", type=_day, metavar="D", help="the night to publish: documents of that UTC day")
    parser.add_argument("--from", dest="first", type=_day, metavar="D", help="first of several nights")
    parser.add_argument("--to", dest="last", type=_day, metavar="D", help="last of several nights, included")
    parser.add_argument("--plan", action="store_true", help="predict time and GPU hours; score and publish nothing")
    parser.add_argument("--deadline", type=_deadline, metavar="T", help="stop scoring at HH:MM (UTC) or an ISO time")
    parser.add_argument("--max-gpu-hours", type=_hours, metavar="X", help="stop scoring after X hours of a GPU")
    parser.add_argument("--wait", type=_minutes, default=0.0, metavar="MIN", help="wait so long for another run to end")
    parser.add_argument("--retry-errors", action="store_true", help="score again texts that killed or hung a worker")
    add_overrides(parser)
    args = parser.parse_args(argv)
    if args.run_date and not (args.first or args.last):
        args.first = args.last = args.run_date
    elif args.run_date or not (args.first and args.last):
        parser.error("give the nights to publish: either --run-date D, or --from D and --to D")
    if args.last < args.first:
        parser.error(f"--to {args.last} is before --from {args.first}")
    return args


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if len(text) == 10 else date.fromisoformat("not a date")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def _deadline(text: str) -> datetime:
    try:
        return parse_deadline(text, datetime.now(UTC))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _hours(text: str) -> float:
    hours = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
    if not hours:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours above 0")
    return hours


def _minutes(text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes, 0 or more")
    return float(text)


def run(config: NightlyConfig, dates: Sequence[date], limits: Limits, retry_errors: bool, wait_sec: float) -> None:
    """Check everything that can be checked without Spark, then run the nights in a session of their own."""
    started_at = datetime.now(UTC)
    root = Path(config.output.root).absolute()
    run_id = new_run_id(started_at)
    check_writable(root)
    refuse_links(root)
    with RunLock(root, run_id, wait_sec):
        try:
            corpus = inspect_corpus(config.input)
            spec = resolve_models(config)
            full_spec = resolve_full_model(config, spec)
            label_heads = resolve_label_heads(config, spec)
            check_reachable(root, config.output.iceberg)
            check_java()
        except BaseException as caught:
            error = explain(caught)
            write_preflight_failure(root, run_id, config, dates, started_at, error)
            raise error from caught
        night = Night(config, corpus, spec, dates, run_id, started_at, root, full_spec, label_heads)
        night.limits, night.retry_errors = limits, retry_errors
        with log_file(root / "_runs" / night.run_id / "log.jsonl"):
            failure: NightjarError | None = None
            try:
                _run_in_session(night)
            except BaseException as caught:
                failure = explain(caught)
                logger.info(
                    f"the run failed; its stack is in {night.root}/_runs/{night.run_id}/log.jsonl",
                    extra={"event": "stack", "stack": stack(caught)},
                )
                raise failure from caught
            finally:
                results = write_run_results(night, failure)
                logger.info(f"results   {results}", extra={"event": "results"})
        _log_summary(night)


def plan(config: NightlyConfig, dates: Sequence[date], retry_errors: bool) -> None:
    """Print what a run would score and how long that takes; write it to `_plans` under the output root."""
    started_at, root = datetime.now(UTC), Path(config.output.root).absolute()
    check_writable(root)
    refuse_links(root)
    corpus = inspect_corpus(config.input)
    spec = resolve_models(config)
    resolve_label_heads(config, spec)
    check_java()
    # no catalog: a plan may be made while a run is going on
    spark = build_session("nightjar-plan", config.spark, reads_corpus=True)
    try:
        executors = check_executors(spark)
        spec = resolve_runtime(spark, spec, config.model, root)
        gpus = held_gpus(spark, spec.device, executors.count)
        made = make_plan(spark, config, corpus, spec, dates, root, gpus, retry_errors=retry_errors)
    finally:
        spark.stop()
    path = root / "_plans" / f"{new_run_id(started_at)}.json"
    write_plan(made, path)
    rows = [*as_rows(made), ("written to", str(path))]
    print("\n".join(f"{name:<24}{value}" for name, value in rows))


def _run_in_session(night: Night) -> None:
    nights = f"{night.dates[0]} to {night.dates[-1]}" if len(night.dates) > 1 else f"{night.dates[0]}"
    logger.info(
        f"run       {night.run_id}: {nights}, {len(night.corpus.files)} files, {night.corpus.rows:,} rows in them"
    )
    for warning in night.corpus.warnings:
        logger.warning(f"warning   {warning}")
    with night.stages.stage("session"):
        spark = build_session("nightjar-nightly", night.config.spark, night.root / "_catalog", reads_corpus=True)
        night.stages.context = spark.sparkContext
        try:
            night.executors = check_executors(spark)
        except BaseException:
            spark.stop()
            raise
    try:
        night.spec = resolve_runtime(spark, night.spec, night.config.model, night.root)
        if night.full_spec:
            night.full_spec = resolve_runtime(spark, night.full_spec, night.config.model, night.root)
        night.limits.gpus = held_gpus(spark, night.spec.device, night.executors.count)
        night.limits.require_gpus()
        run_nights(spark, night)
    finally:
        spark.stop()


def _log_summary(night: Night) -> None:
    total = {
        name: sum(getattr(c, name) for c in night.counts.values())
        for name in vars(next(iter(night.counts.values())))
        if name != "run_date"
    }
    seconds = (datetime.now(UTC) - night.started_at).total_seconds()
    rows: dict[str, int] = {}
    for audit in night.audits:
        rows[audit.table] = rows.get(audit.table, 0) + audit.rows
    logger.info(
        f"published {len(night.dates)} night(s) under {night.root} in {seconds:.0f} s",
        extra={"event": "published", **total},
    )
    logger.info(
        f"rows      {total['rows_in']:,} = {total['rows_scored']:,} scored + {total['rows_from_cache']:,} from the store + "
        f"{total['rows_dup']:,} duplicates + {total['rows_unsupported']:,} in other languages + {total['rows_error']:,} errors + "
        f"{total['rows_rejected']:,} rejected"
    )
    logger.info(f"tables    {', '.join(f'{table} {n:,}' for table, n in rows.items())}")


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    configure_logging()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # a scheduler's word to stop: an orderly end, as with Ctrl-C
    try:
        config = load_config(args.config, args.overrides)
        dates = [args.first + timedelta(days=n) for n in range((args.last - args.first).days + 1)]
        if args.plan:
            plan(config, dates, args.retry_errors)
            return 0
        run(config, dates, Limits(args.deadline, args.max_gpu_hours), args.retry_errors, 60 * args.wait)
    except BaseException as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
