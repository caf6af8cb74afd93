"""The static tier file to file: Parquet of texts in, Parquet of results out, one engine per process, one process per core.

    python -m benchmarks.static_tier --data data/stream/reddit_posts --rows 200000 --out out/bench-static.json

Without Spark: what the engine itself can do. Every row is declared English, so no language is identified.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from udfs.results import RESULTS, TEXTS
from udfs.spec import ScoreSpec
from udfs.worker import configure_threads

CORES = 2


def prepare(data: Path, rows: int, folder: Path) -> list[Path]:
    """Write the first `rows` texts, one file per core; return the files."""
    names = sorted(data.rglob("*.parquet")) if data.is_dir() else [data]
    texts = pa.concat_tables([pq.read_table(name, columns=["text"]) for name in names]).slice(0, rows)
    keys = pa.array([f"{i:064x}" for i in range(len(texts))])
    columns = [keys, pa.array(["en"] * len(texts)), texts.column("text").cast(pa.string())]
    table = pa.table(columns, schema=TEXTS)
    files = []
    for i in range(CORES):
        part = table.slice(i * len(table) // CORES, (i + 1) * len(table) // CORES - i * len(table) // CORES)
        files.append(folder / f"texts-{i}.parquet")
        pq.write_table(part, files[-1], compression="zstd")
    return files


def score_file(spec: ScoreSpec, source: Path, target: Path) -> tuple[int, float, float]:
    """Score one file into another with a new engine; return rows, seconds and CPU seconds, without its loading."""
    from udfs.engine import Engine

    configure_threads()
    engine = Engine(spec)
    started, started_cpu = time.perf_counter(), time.process_time()

    def batches() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(source) as file:
            yield from file.iter_batches(10_000)

    rows = 0
    with pq.ParquetWriter(
        target, RESULTS, compression="zstd", use_dictionary=["lang_hint", "lang", "sentiment"]
    ) as out:
        for batch in engine.score(batches()):
            out.write_batch(batch)
            rows += batch.num_rows
    return rows, time.perf_counter() - started, time.process_time() - started_cpu


def main(argv: Sequence[str]) -> int:
    """Measure and report; the first turn warms up. CPU time is what a busy machine does not change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="Parquet file or folder with a column text")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--embedding", default="static-en")
    parser.add_argument("--sentiment", default="sentiment-en-static")
    parser.add_argument("--out", type=Path, default=Path("out/bench-static.json"))
    args = parser.parse_args(argv)
    os.environ["OMP_NUM_THREADS"] = "1"
    model = ModelConfig(embedding=args.embedding, sentiment=args.sentiment, device="cpu")
    spec = sentiment_spec(model, LanguageConfig())
    pool = ProcessPoolExecutor(CORES, mp_context=get_context("spawn"))
    with TemporaryDirectory() as temporary, pool:
        files = prepare(args.data, args.rows, Path(temporary))
        targets = [file.with_name(f"scores-{file.name}") for file in files]
        rates, cpu = [], []
        for turn in range(args.repeats + 1):
            done = list(pool.map(score_file, [spec] * CORES, files, targets))
            rows = sum(n for n, _, _ in done)
            rates.append(round(rows / max(seconds for _, seconds, _ in done)))
            cpu.append(round(sum(seconds for _, _, seconds in done) / rows * 1e6, 1))
            print(f"turn {turn}: {rows:,} rows, {rates[-1]:,} rows/s, {cpu[-1]} us of CPU per row", flush=True)
    packages = {name: version(name) for name in ("torch", "tokenizers", "pyarrow")}
    result = {"rows": rows, "cores": CORES, "rows_per_s": rates[1:], "cpu_us_per_row": cpu[1:], "versions": packages}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
