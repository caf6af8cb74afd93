"""Ask the published tables one question in SQL.

    python jobs/sql.py --root out/warehouse "SELECT * FROM sentiment_daily ORDER BY event_date LIMIT 10"
    python jobs/sql.py --root out/warehouse --engine spark --format csv "SELECT count(*) FROM nightjar.doc_scores"
    python jobs/sql.py --root out/warehouse --functions "SELECT ai_classify(text, array('billing', 'other')) FROM ..."

With --functions Spark answers, and its SQL can call the AI functions (docs/sql_functions.md).

Exit codes: 0 done, 2 usage, a query that is wrong or not allowed, or nothing published there; 3 the query failed.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import NightjarError
from pipeline.query import Answer, ask_duckdb, ask_spark, check_query, spark_session
from pipeline.read_tables import open_duckdb
from pipeline.render import FORMATS
from pipeline.sql import register
from pipeline.sql.defaults import config_for


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(prog="sql.py", description="Ask the published tables one question in SQL.")
    parser.add_argument("--root", required=True, type=Path, metavar="DIR", help="output.root of the nightly job")
    parser.add_argument(
        "--engine", choices=("duckdb", "spark"), default="duckdb", help="who answers; both give the same values"
    )
    parser.add_argument("--functions", action="store_true", help="let Spark answer, with the AI functions")
    parser.add_argument(
        "--functions-config",
        type=Path,
        metavar="YAML",
        help="their models, label sets, store and cache; implies --functions",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="how the answer is printed")
    parser.add_argument(
        "--limit", type=_positive, default=1000, metavar="N", help="print at most N rows (default 1000)"
    )
    parser.add_argument("query", metavar="SQL", help="one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN statement")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows; give 1 or more")
    return int(text)


def ask(args: argparse.Namespace) -> Answer:
    """Let the chosen engine answer."""
    sql = check_query(args.query)
    if args.functions or args.functions_config:
        config = config_for(args.root, args.functions_config)
        with spark_session(args.root, config.spark) as spark:
            register(spark, config)
            return ask_spark(spark, sql, args.limit)
    if args.engine == "spark":
        with spark_session(args.root) as spark:
            return ask_spark(spark, sql, args.limit)
    with open_duckdb(args.root) as connection:
        return ask_duckdb(connection, sql, args.limit)


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    try:
        answer = ask(args)
    except NightjarError as error:
        print(f"sql.py: {error}", file=sys.stderr)
        return error.exit_code
    try:
        print(FORMATS[args.format](answer), end="", flush=True)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if answer.cut and args.format != "table":
        print(f"sql.py: only the first {args.limit} rows; there are more, --limit shows them", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
