"""Write the sample corpus of docs/sample.md: made-up customer messages of 21 days, with planted truth.

    python jobs/make_sample.py --out out/sample

Exit codes: 0 done, 2 usage, or the folder cannot be written.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.sample.corpus import write_sample


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; argparse exits with 2 on a usage error."""
    parser = argparse.ArgumentParser(prog="make_sample.py", description="Write the sample corpus.")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="writes DIR/corpus and DIR/truth.parquet"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Write the corpus; return the exit code."""
    folder = parse(argv).out
    try:
        written = write_sample(folder)
    except OSError as error:
        print(f"make_sample.py: {error}", file=sys.stderr)
        return 2
    print(f"{written.messages:,} messages of {written.days} days in {written.files} files under {folder / 'corpus'}")
    print(
        f"{written.rejected} of them are malformed on purpose; the truth about the others is in {folder / 'truth.parquet'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
