"""How fast each part of the engine is alone, on the texts of a file: tokeniser, encoder, whole engine, Arrow, Parquet."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.engine import Engine
from udfs.models.batches import plan_batches
from udfs.models.encoder import Encoder
from udfs.models.tokenise import Chunks

BATCH_ROWS = 10_000
"""Rows of an Arrow batch: Spark's default."""


@dataclass(frozen=True)
class Rate:
    """What was done in how many seconds of the wall's clock and of CPU time, by so many threads."""

    texts: int
    tokens: int
    seconds: float
    cpu_seconds: float
    threads: int

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second."""
        return self.tokens / self.seconds

    @property
    def cpu_share(self) -> float:
        """CPU time per second and thread: well below 1 the machine was busy with something else, or waited for a GPU."""
        return self.cpu_seconds / self.seconds / self.threads

    @property
    def unhindered_tokens_per_s(self) -> float:
        """Tokens per CPU second where one thread did all the work, else per second."""
        return self.tokens / (self.cpu_seconds if self.threads == 1 else self.seconds)

    def facts(self) -> dict[str, float]:
        """Return the figures of a report."""
        return {
            "texts_per_s": round(self.texts / self.seconds, 1),
            "tokens_per_s": round(self.tokens_per_s, 1),
            "cpu_share": round(self.cpu_share, 2),
        }


def batches(table: pa.Table) -> list[pa.RecordBatch]:
    """Cut texts as Spark would hand them over."""
    return table.to_batches(max_chunksize=BATCH_ROWS)


def encoder_of(engine: Engine) -> Encoder:
    """Return the encoder an engine has loaded, to measure it alone."""
    return engine._embedder.encoder


def chunks_of(engine: Engine, texts: list[str]) -> Chunks:
    """Tokenise texts as the engine does."""
    encoder = encoder_of(engine)
    return encoder.tokenizer.chunks(texts, encoder.spec.max_tokens, engine._spec.max_chunks)


def tokenise_rate(engine: Engine, texts: list[str]) -> Rate:
    """Measure the tokeniser with the copy of ids to flat arrays and the cut into chunks, on one core."""
    with _clock(1) as clock:
        chunks = chunks_of(engine, texts)
    return clock(len(texts), int(chunks.lengths.sum()))


def encoder_rate(engine: Engine, chunks: Chunks, n_texts: int, threads: int) -> Rate:
    """Measure the encoder alone: micro-batches of tokenised chunks in, pooled vectors in host memory out."""
    encoder, plan = encoder_of(engine), plan_batches(chunks.lengths, engine._embedder.token_budget)
    with _clock(threads) as clock:
        for batch in plan:
            encoder.pooled(chunks, batch)
    return clock(n_texts, int(chunks.lengths.sum()))


def engine_rate(engine: Engine, table: pa.Table, tokens: int, threads: int) -> tuple[Rate, pa.Table]:
    """Measure the whole engine on Arrow batches in memory; return also what it said."""
    with _clock(threads) as clock:
        result = pa.Table.from_batches(list(engine.score(batches(table))))
    return clock(table.num_rows, tokens), result


def file_to_file_rate(engine: Engine, source: Path, target: Path, tokens: int, threads: int) -> Rate:
    """Measure the engine from a Parquet file of texts to a Parquet file of all its results."""
    with _clock(threads) as clock:
        table = pq.read_table(source)
        _write(pa.Table.from_batches(list(engine.score(batches(table)))), target)
    return clock(table.num_rows, tokens)


def arrow_rates(texts: pa.Table, results: pa.Table) -> dict[str, float]:
    """Return rows/s of Arrow streams and Parquet files in memory and back: texts, results, and three layouts of a vector."""
    rates = {f"arrow_{way}_texts": rate for way, rate in _ipc(texts).items()}
    rates |= {f"arrow_{way}_results": rate for way, rate in _ipc(results).items()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        for name, table in {"texts": texts, "results": results, **_layouts(results)}.items():
            rates[f"parquet_write_{name}"] = _rows_per_s(table, lambda t=table: _write(t, path))
            rates[f"parquet_read_{name}"] = _rows_per_s(table, lambda: pq.read_table(path))
    return {name: round(rate, 1) for name, rate in rates.items()}


def _layouts(results: pa.Table) -> dict[str, pa.Table]:
    """Return the vectors of results alone as list<float>, as a list of fixed size, and as bytes."""
    vectors = results.column("embedding").combine_chunks().drop_null()
    dim = len(vectors[0])
    flat = vectors.flatten()
    raw = flat.to_numpy(zero_copy_only=False).tobytes()
    offsets = pa.array(np.arange(len(vectors) + 1, dtype=np.int32) * dim * 4)
    as_bytes = pa.Array.from_buffers(pa.binary(), len(vectors), [None, offsets.buffers()[1], pa.py_buffer(raw)])
    columns = {"list": vectors, "fixed_size_list": pa.FixedSizeListArray.from_arrays(flat, dim), "binary": as_bytes}
    return {f"vectors_{name}": pa.table({"embedding": column}) for name, column in columns.items()}


def _write(table: pa.Table, path: Path) -> None:
    """Write as the score store does: zstd, no dictionary for the floats of a vector."""
    plain = [f.name for f in table.schema if f.name != "embedding"]
    pq.write_table(table, path, compression="zstd", use_dictionary=plain)


def _ipc(table: pa.Table) -> dict[str, float]:
    sink = io.BytesIO()

    def write() -> None:
        sink.seek(0)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=BATCH_ROWS)

    def read() -> None:
        pa.ipc.open_stream(pa.py_buffer(sink.getvalue())).read_all()

    return {"write": _rows_per_s(table, write), "read": _rows_per_s(table, read)}


def _rows_per_s(table: pa.Table, work: Callable[[], Any]) -> float:
    """Return rows per second of the best of three calls."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return table.num_rows / best


@contextmanager
def _clock(threads: int) -> Iterator[Callable[[int, int], Rate]]:
    """Time the block; what it yields makes the rate once the block is over."""
    wall, cpu = time.perf_counter(), time.process_time()
    spent: list[float] = []

    def rate(texts: int, tokens: int) -> Rate:
        return Rate(texts, tokens, *spent, threads)

    yield rate
    spent += [time.perf_counter() - wall, time.process_time() - cpu]
