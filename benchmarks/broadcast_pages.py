"""What small broadcast tables take of a session's heap, by page size: joins whose frames are held, in sessions of their own.

32 MB is what Spark takes by itself for a heap of 2 GB and two cores.

    python -m benchmarks.broadcast_pages
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from pyspark.sql import functions as F

from benchmarks.summary import machine, versions
from pipeline.session import build_session

TABLES = (10, 20, 30)


def live_mib(page: str) -> list[int]:
    """Return the live heap in MiB after each number of `TABLES`."""
    local = {"spark.master": "local[2]", "spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "4"}
    spark = build_session("broadcast-pages", local | {"spark.buffer.pageSize": page})
    jvm: Any = spark.sparkContext._jvm
    runtime = jvm.java.lang.Runtime.getRuntime()
    large = spark.range(1000).select(F.concat(F.lit("k"), F.col("id").cast("string")).alias("k"))
    held, found = [], []
    for i in range(TABLES[-1]):
        small = spark.createDataFrame([("k1", i), ("k2", i)], "k string, v int")
        held.append(large.join(F.broadcast(small), "k"))
        held[-1].collect()  # bounded: two rows
        if i + 1 in TABLES:
            jvm.java.lang.System.gc()
            found.append(round((runtime.totalMemory() - runtime.freeMemory()) / 2**20))
    return found


def main() -> None:
    """Measure in a process each, so that no session finds the heap of another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", help="measure this page size in this process")
    page = parser.parse_args().page
    if page is not None:
        print(json.dumps(live_mib(page)))
        return
    result: dict[str, Any] = {"machine": machine(), "versions": versions(), "tables": TABLES}
    for size in ("32m", "2m"):
        line = [sys.executable, "-m", "benchmarks.broadcast_pages", "--page", size]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        result[size] = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
