"""How a column of vectors is best laid out between Python, Spark and Parquet: `array<float>` against `binary`.

    python -m benchmarks.vectors --rows 100000 --dims 384 256 --repeats 3 --out out/bench-vectors.json

The worker makes unit vectors in no time, so that what is measured is the way of a vector through Spark:

- `transfer`: out of the worker through Arrow into Spark's rows, nowhere further
- `store`: the same, written to Parquet as the score store is
- `publish`: read from the store and written as `array<float>`, as `doc_embeddings` is; from `binary` that takes a Python worker

The layouts take turns, and sessions with pipelined transfer (`spark.python.udf.pipelined.enabled`) with sessions without it.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.session import build_session

CORES = 2
TASKS = 8
PIPELINED = "spark.python.udf.pipelined.enabled"
STEPS = ("transfer", "store", "publish")
LAYOUTS = {"array": "array<float>", "binary": "binary"}
MapInArrow = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def make_vectors(dim: int, layout: str) -> MapInArrow:
    """Return the worker's function: (content_key, text) in, (content_key, embedding) out, flat buffers in both layouts."""

    def vectors(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        unit = np.random.default_rng(7).standard_normal((16_384, dim)).astype(np.float32)
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        for batch in batches:
            n = batch.num_rows
            flat = pa.py_buffer(unit[:n].reshape(-1))
            width = dim if layout == "array" else 4 * dim
            offsets = pa.py_buffer(np.arange(n + 1, dtype=np.int32) * width)
            if layout == "array":
                values = pa.Array.from_buffers(pa.float32(), n * dim, [None, flat])
                column = pa.Array.from_buffers(pa.list_(pa.float32()), n, [None, offsets], children=[values])
            else:
                column = pa.Array.from_buffers(pa.binary(), n, [None, offsets, flat])
            yield pa.RecordBatch.from_arrays([batch.column(0), column], ["content_key", "embedding"])

    return vectors


def to_lists(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Reinterpret binary vectors (float32, little endian, no nulls) as lists, without a copy."""
    for batch in batches:
        column = batch.column(1)
        _, offsets, data = column.buffers()
        starts = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1] // 4
        floats = pa.Array.from_buffers(pa.float32(), data.size // 4, [None, data])
        lists = pa.ListArray.from_arrays(pa.array(starts), floats)
        yield pa.RecordBatch.from_arrays([batch.column(0), lists], ["content_key", "embedding"])


def write(frame: DataFrame, path: Path | None) -> None:
    """Write to Parquet as the score store and the tables do; without a path run the frame and keep nothing."""
    if path is None:
        frame.write.format("noop").mode("overwrite").save()
        return
    plain = frame.write.mode("overwrite").option("parquet.enable.dictionary#embedding.list.element", "false")
    plain.option("parquet.enable.dictionary#embedding", "false").parquet(str(path))


def step(spark: SparkSession, name: str, dim: int, layout: str, folder: Path) -> None:
    """Run one step of one layout; `publish` reads what `store` wrote."""
    schema = f"content_key string, embedding {LAYOUTS[layout]}"
    store = folder / f"store-{layout}-{dim}"
    if name == "publish":
        frame = spark.read.schema(schema).parquet(str(store))
        if layout == "binary":
            frame = frame.mapInArrow(to_lists, "content_key string, embedding array<float>")
        write(frame, folder / f"table-{layout}-{dim}")
    else:
        made = spark.read.parquet(str(folder / "texts")).mapInArrow(make_vectors(dim, layout), schema)
        write(made, store if name == "store" else None)


def size_mb(folder: Path) -> float:
    """Return the size of a folder's Parquet files in MB (10^6 bytes)."""
    return round(sum(p.stat().st_size for p in folder.glob("*.parquet")) / 1e6, 1)


class Turn(NamedTuple):
    """What one turn took: wall time, and processor time of Spark and its workers, which other programs disturb less."""

    seconds: float
    cpu_seconds: float


def cpu_seconds(spark: SparkSession) -> float:
    """Return the processor time so far of the JVM, its Python workers and their ended children (Linux)."""
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    stats: dict[int, list[str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # a process that has ended meanwhile
            stats[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    tree, found = [gateway.proc.pid], 0.0
    while tree:
        pid = tree.pop()
        found += sum(map(int, stats[pid][11:15]))
        tree += [child for child, fields in stats.items() if int(fields[1]) == pid]
    return found / os.sysconf("SC_CLK_TCK")


def measure(dims: Sequence[int], rows: int, repeats: int, folder: Path) -> dict[str, list[Turn]]:
    """Return every turn by case. Pipelined transfer is a property of a session, so each turn has one of each kind."""
    turns: dict[str, list[Turn]] = {}
    for _ in range(repeats):
        for mode, pipelined in (("pipelined", "true"), ("plain", "false")):
            spark = build_session("nightjar-bench", {"spark.master": f"local[{CORES}]", PIPELINED: pipelined})
            try:
                warm_up(spark, dims[0], rows, folder)
                for dim, name, layout in product(dims, STEPS, LAYOUTS):
                    started, cpu = time.perf_counter(), cpu_seconds(spark)
                    step(spark, name, dim, layout, folder)
                    turn = Turn(round(time.perf_counter() - started, 3), round(cpu_seconds(spark) - cpu, 3))
                    turns.setdefault(f"{dim} {name} {layout} {mode}", []).append(turn)
            finally:
                spark.stop()
    return turns


def warm_up(spark: SparkSession, dim: int, rows: int, folder: Path) -> None:
    """Write the input where it is missing; start the workers and compile what both layouts run."""
    if not (folder / "texts").exists():
        keys = spark.range(0, rows, 1, TASKS).select(F.sha2(F.col("id").cast("string"), 256).alias("content_key"))
        keys.withColumn("text", F.repeat("content_key", F.lit(2))).write.parquet(str(folder / "texts"))
    for name, layout in product(STEPS, LAYOUTS):
        step(spark, name, dim, layout, folder)


def summary(turns: Sequence[Turn], rows: int) -> dict[str, Any]:
    """Return the turns of a case and what follows from their medians."""
    wall, cpu = (statistics.median(values) for values in zip(*turns, strict=True))
    return {
        "seconds": [t.seconds for t in turns],
        "cpu_seconds": [t.cpu_seconds for t in turns],
        "rows_per_s": round(rows / wall),
        "cpu_us_per_row": round(cpu / rows * 1e6, 1),
    }


def main(argv: Sequence[str]) -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dims", type=int, nargs="+", default=[384, 256])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/bench-vectors.json"))
    args = parser.parse_args(argv)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        turns = measure(args.dims, args.rows, args.repeats, folder)
        sizes = {p.name: size_mb(p) for p in sorted(folder.iterdir()) if p.name != "texts"}
    cases = {case: summary(values, args.rows) for case, values in turns.items()}
    result = {
        "rows": args.rows,
        "cores": CORES,
        "machine": platform.machine(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("pyspark", "pyarrow")}},
        "cases": cases,
        "size_mb": sizes,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for case, found in cases.items():
        print(
            f"{case:<36} {found['rows_per_s']:>9,} rows/s {found['cpu_us_per_row']:>7.1f} us of CPU per row   "
            + ", ".join(f"{turn.seconds:.2f}" for turn in turns[case])
        )
    print(f"MB: {sizes}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
