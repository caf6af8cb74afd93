"""Record a model's files and their sha256 in a lock file, so that a run takes exactly these files or fails.

    python jobs/lock_model.py --name bge-small --source /srv/models/bge-small --lock conf/models.lock.json --languages en

The entry's name is then a value for `model.embedding` or `model.sentiment`, with `model.lock` naming the file.
Exit codes: 0 done, 2 usage or an unsafe model.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.command import report
from pipeline.model_lock import lock_entry
from pipeline.progress import configure_logging


def main(argv: Sequence[str]) -> int:
    """Run the job; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the entry")
    parser.add_argument("--source", required=True, help="folder, or package:<import name>[/<folder>]")
    parser.add_argument("--lock", required=True, type=Path, metavar="FILE", help="JSON file, made or extended")
    parser.add_argument("--revision", default="local", help="revision of an encoder's weights")
    parser.add_argument(
        "--languages", nargs="+", default=["en"], metavar="LANG", help="what an encoder covers; * for all"
    )
    args = parser.parse_args(argv)
    configure_logging()
    try:
        entry = lock_entry(args.name, args.source, args.revision, tuple(args.languages))
        entries = json.loads(args.lock.read_text(encoding="utf-8")) if args.lock.exists() else {}
        text = json.dumps({**entries, args.name: entry}, indent=1, sort_keys=True)
        args.lock.write_text(text + "\n", encoding="utf-8")
    except Exception as error:
        return report(error)
    print(f"{args.name}: {len(entry['files'])} files locked in {args.lock}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
