"""Runs nights on a file system that is full; driven by test_disk_full.py, in a mount namespace of its own.

    unshare --user --map-root-user --mount python disk_full.py FOLDER PLACE     prints one JSON object

PLACE is `output` or `spark`: which of the two, output root or spark.local.dir, lies on the small file system.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_nights import DAYS, nightly, results, rows, write

from pipeline.read_tables import open_duckdb

N = 1_500
NIGHT = ["--run-date", str(DAYS[0])]


def mount(folder: Path, size: str) -> None:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the file system but for `leave` bytes."""
    free = int(
        subprocess.run(["df", "--output=avail", "-B1", folder], capture_output=True, text=True).stdout.split()[1]
    )
    (folder / "filler").write_bytes(bytes(max(0, free - leave)))
    return folder / "filler"


def documents(folder: Path) -> int:
    with open_duckdb(folder / "out") as db:
        (n,) = db.execute("SELECT count(*) FROM doc_scores").fetchone() or (0,)
    return int(n)


def tried(folder: Path, place: str) -> dict[str, Any]:
    """Publish a night; try again with more rows while there is no room; look; under `output` make room and try once more."""
    small = folder / ("out" if place == "output" else "local")
    mount(small, "400m")
    settings = [f"spark.local.dir={small}"] if place == "spark" else []
    write(folder / "corpus" / "1.parquet", rows(DAYS[0], 20))
    codes, log = nightly(folder, [NIGHT], settings)
    assert codes == [0], log[-4000:]
    write(folder / "corpus" / "1.parquet", rows(DAYS[0], N))
    filler = fill(small, 400_000)
    codes, log = nightly(folder, [NIGHT], settings)
    lines = [line for line in log.splitlines() if " failed: " in line]
    found = {"codes": codes, "message": lines, "traceback": "Traceback (most recent call last)" in log}
    found |= {"log": log[-6000:], "documents": documents(folder), "tables": [r["status"] for r in results(folder)]}
    if place == "spark":
        return found
    filler.unlink()
    codes, log = nightly(folder, [NIGHT], settings)
    return found | {"then": codes, "documents_then": documents(folder), "log_then": log[-3000:]}


if __name__ == "__main__":
    print(json.dumps(tried(Path(sys.argv[1]), sys.argv[2])))
