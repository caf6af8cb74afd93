"""Write one night as a page of HTML: what moved, why, the evidence, and how the run went. The page needs no network.

    python jobs/report.py --root out/warehouse --run-date 2026-10-14 --out out/report.html

Exit codes: 0 done, 2 usage or a night that is not published, 3 failed.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pipeline.command import report
from pipeline.night_report.page import render
from pipeline.night_report.queries import ask
from pipeline.progress import configure_logging
from pipeline.read_tables import open_duckdb


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(prog="report.py", description="Write one night as a page of HTML.")
    parser.add_argument("--root", required=True, type=Path, metavar="DIR", help="output.root of the nightly job")
    parser.add_argument("--run-date", required=True, type=_day, metavar="D", help="the night")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the page; it is overwritten")
    return parser.parse_args(argv)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as YYYY-MM-DD") from None


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    args = parse(argv)
    configure_logging()
    try:
        with open_duckdb(args.root) as connection:
            page = render(ask(connection, args.run_date))
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(page, encoding="utf-8")
    except BaseException as error:
        return report(error)
    print(f"wrote {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
