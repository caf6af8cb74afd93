"""Operate on published tables and the score store; `--config` is that of the nightly job. docs/publishing.md explains each.

    python jobs/tables.py publish  --config my.yaml --run-id 20261005T031500Z-1a2b3c4d
    python jobs/tables.py rollback --config my.yaml --date 2026-10-05 --run-id 20261004T031500Z-0f0e0d0c
    python jobs/tables.py gc       --config my.yaml [--keep 2] [--older-than 7] [--delete]
    python jobs/tables.py forget   --config my.yaml --id a-17 --id a-18 [--group "Heron Router"] [--without-texts]
    python jobs/tables.py explain-key   --config my.yaml --id a-17
    python jobs/tables.py compact-store --config my.yaml
    python jobs/tables.py publish-iceberg --config my.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 failed: every night of every table is whole, run again.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.command import add_overrides, report
from pipeline.config import NightlyConfig, load_config
from pipeline.errors import ConfigError
from pipeline.manifest import RunLock
from pipeline.models import resolve_models
from pipeline.operations.compaction import compact, model_keys
from pipeline.operations.explaining import explain, key_of_text, keys_of_document
from pipeline.operations.forgetting import forget
from pipeline.operations.forgotten import Subject
from pipeline.operations.garbage import Retention, delete, find_garbage
from pipeline.operations.runs import publish_run, publish_to_iceberg, rollback
from pipeline.output_root import refuse_links
from pipeline.progress import configure_logging
from pipeline.runtimes import resolve_runtime
from pipeline.session import build_session, check_java


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(
        prog="tables.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--config", required=True, metavar="FILE", help="configuration of the nightly job")
        add_overrides(added)
        return added

    added = command("publish", "publish a run that was staged and not published, for example because it was killed")
    added.add_argument("--run-id", required=True)
    added = command("rollback", "let all tables show an earlier run on a night")
    added.add_argument("--run-id", required=True)
    added.add_argument("--date", required=True, type=_day, help="the night")
    added = command("gc", "list what no reader can come to need; with --delete, remove it")
    added.add_argument(
        "--keep", type=_count, default=2, metavar="N", help="runs of a night kept, the shown one included"
    )
    added.add_argument("--older-than", type=_count, default=7, metavar="DAYS", help="grace for queries that still read")
    added.add_argument("--delete", action="store_true", help="remove what is listed")
    added = command("forget", "remove documents from every table, the score store and older runs; writes a receipt")
    added.add_argument("--id", action="append", default=[], help="a document's id; may be repeated")
    added.add_argument("--group", action="append", default=[], help="a group, all documents of it; may be repeated")
    added.add_argument("--without-texts", action="store_true", help="the corpus is gone: phrases are not counted again")
    added = command("explain-key", "say why a text is, or would be, scored again")
    which = added.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", help="a document's id")
    which.add_argument("--text", help="a text")
    added.add_argument("--lang", help="declared language of --text")
    command("compact-store", "fold the score store's many folders into few files that are searched by key")
    command("publish-iceberg", "let the Iceberg tables show every published night: after output.iceberg was set")
    args = parser.parse_args(argv)
    if args.command == "forget" and not (args.id or args.group):
        parser.error("forget: give --id or --group")
    return args


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; give 0 or more")
    return int(text)


def run(spark: SparkSession, root: Path, config: NightlyConfig, args: argparse.Namespace) -> None:
    """Do what was asked and print what was done."""
    match args.command:
        case "publish":
            audits = publish_run(spark, root, config.output.catalog, args.run_id, iceberg=config.output.iceberg)
            nights = sorted({str(a.run_date) for a in audits})
            print(f"published {args.run_id}: {', '.join(nights)}, {sum(a.rows for a in audits):,} rows")
        case "rollback":
            manifest = rollback(spark, root, args.date, args.run_id, config.output.iceberg)
            print(f"{args.date} shows {args.run_id} again: {sum(n.rows for n in manifest.nights):,} rows")
        case "gc":
            _gc(spark, root, config, args)
        case "forget":
            subject = Subject(tuple(args.id), tuple(args.group))
            path, receipt = forget(spark, root, config, subject, with_texts=not args.without_texts)
            print(f"forgot {receipt.documents:,} documents; receipt {path}")
            if receipt.in_corpus:
                print(
                    f"warning: the corpus still holds {receipt.in_corpus:,} of them; remove them, or a rerun brings them back"
                )
        case "explain-key":
            _explain(spark, root, config, args)
        case "compact-store":
            for key in model_keys(root):
                done = compact(spark, root, key)
                print(f"{key}: {done.folders} folders folded in, {done.rows:,} rows, {done.bytes:,} bytes compacted")
        case "publish-iceberg":
            if config.output.iceberg is None:
                raise ConfigError("output.iceberg: not set; docs/iceberg.md says how")
            print(f"Iceberg shows {len(publish_to_iceberg(root, config.output.iceberg)):,} nights")


def _gc(spark: SparkSession, root: Path, config: NightlyConfig, args: argparse.Namespace) -> None:
    retention = Retention(args.keep, timedelta(days=args.older_than))
    output = config.output
    garbage = find_garbage(spark, root, output.catalog, retention, iceberg=output.iceberg)
    for item in garbage:
        print(f"{item.kind:8} {item.bytes:>15,}  {item.since:%Y-%m-%d}  {item.path}")
    if args.delete:
        delete(root, garbage, output.iceberg)
    total = sum(item.bytes for item in garbage)
    print(f"{len(garbage)} items, {total:,} bytes {'removed' if args.delete else 'could go; --delete removes them'}")


def _explain(spark: SparkSession, root: Path, config: NightlyConfig, args: argparse.Namespace) -> None:
    spec = resolve_runtime(spark, resolve_models(config), config.model, root)
    notes: list[str] = []
    if args.id is None:
        keys = [key_of_text(spark, args.text, args.lang)]
    else:
        keys, notes = keys_of_document(spark, root, config, args.id)
    if not (keys or notes):
        raise ConfigError(f"--id {args.id!r}: neither the corpus nor a published night has this document")
    lines = [line for key in keys for line in explain(spark, root, spec, key)]
    print("\n".join([*notes, *lines]))


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    configure_logging()
    try:
        config = load_config(args.config, args.overrides)
        root = Path(config.output.root).absolute()
        if not root.is_dir():
            raise ConfigError(f"output.root: {root}: no such folder; give that of the nightly job")
        refuse_links(root)
        check_java()
        with RunLock(root, f"tables {args.command}"):
            spark = build_session("nightjar-tables", config.spark, root / "_catalog", reads_corpus=True)
            try:
                run(spark, root, config, args)
            finally:
                spark.stop()
    except BaseException as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
