"""Find the published documents nearest in meaning to a text.

    python jobs/search.py --config conf/jobs/sample.yaml "the router does not start after the update"
    python jobs/search.py --config my.yaml --from 2026-10-01 --to 2026-10-25 --group "Heron Router" -k 20 "no signal"

`--config` is that of the nightly job. Exit codes: 0 done, 2 usage, nothing published or no usable text; 3 failed.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline.command import add_overrides, report
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.history import published_nights
from pipeline.progress import configure_logging
from pipeline.query import Answer
from pipeline.render import FORMATS
from pipeline.search import Query, query_spec, query_vector, search, with_quotes
from pipeline.session import build_session, check_java


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(prog="search.py", description="Find the documents nearest in meaning to a text.")
    parser.add_argument("--config", required=True, metavar="FILE", help="configuration of the nightly job")
    parser.add_argument(
        "--from", dest="first", type=_day, metavar="D", help="first night (default: the first published)"
    )
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="D", help="last night, included (default: the last one)"
    )
    parser.add_argument("--group", help="only documents of this group")
    parser.add_argument("--source", help="only documents of this source")
    parser.add_argument("--lang", help="only documents of this language; the text is taken to be in it too")
    parser.add_argument("-k", type=_positive, default=10, help="how many (default 10)")
    parser.add_argument(
        "--probes", type=_positive, metavar="N", help="approximate: look only at the N topics nearest to the text"
    )
    parser.add_argument("--no-quotes", action="store_true", help="do not read the corpus for the texts")
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="how the answer is printed")
    add_overrides(parser)
    parser.add_argument("text", help="what to look for")
    return parser.parse_args(argv)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; give 1 or more")
    return int(text)


def find(args: argparse.Namespace) -> Answer:
    """Embed the text, search, quote."""
    config = load_config(args.config, args.overrides)
    root = Path(config.output.root).absolute()
    nights = published_nights(root, args.first or date.min, args.last or date.max)
    if not nights:
        raise ConfigError(f"{root}: no night of this range is published there; run jobs/nightly.py first")
    query = Query(args.text, nights[0], nights[-1], args.k, args.group, args.source, args.lang, args.probes)
    spec = query_spec(root, nights[-1])
    vector = query_vector(spec, query.text, query.lang)
    check_java()
    spark = build_session("nightjar-search", config.spark, reads_corpus=not args.no_quotes)
    try:
        hits = search(spark, root, query, spec, vector)
        if not args.no_quotes:
            hits = with_quotes(spark, hits, config, nights)
        rows = hits.drop("content_key").collect()  # bounded: k rows
        return Answer(tuple(c for c in hits.columns if c != "content_key"), tuple(map(tuple, rows)), False)
    finally:
        spark.stop()


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    configure_logging()
    try:
        print(FORMATS[args.format](find(args)), end="", flush=True)
    except BaseException as error:
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
