"""Timing the engine on a sample of texts, where and as it will run: for predicting how long scoring takes."""

import time
from collections.abc import Callable, Iterator

import pyarrow as pa

from udfs.quiet import without_texts
from udfs.spec import ScoreSpec
from udfs.worker import engine_of_process

PREDICTED = "predicted_tokens"
TIMINGS_SCHEMA = "texts long, predicted_tokens long, tokens long, seconds double, is_load boolean"
_TIMINGS = pa.schema(
    [
        ("texts", pa.int64()),
        (PREDICTED, pa.int64()),
        ("tokens", pa.int64()),
        ("seconds", pa.float64()),
        ("is_load", pa.bool_()),
    ]
)
_FIRST_SLICE, _SLICE_SECONDS = 64, 1.0


def make_calibrate(
    spec: ScoreSpec, budget_seconds: float
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: `udfs.results.TEXTS` and `predicted_tokens` in, timings out; the scores are dropped.

    A task scores its texts slice by slice until `budget_seconds` are over. Slices double until one takes a second. The first
    row of a task says how long loading the models took; its first slice warms up and is not told.
    """

    def calibrate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(batches)  # a share of the sample, which is small
        if held:
            yield from _timed(spec, pa.Table.from_batches(held), budget_seconds)

    return without_texts(calibrate)


def _timed(spec: ScoreSpec, texts: pa.Table, budget_seconds: float) -> Iterator[pa.RecordBatch]:
    started = time.perf_counter()
    engine, _ = engine_of_process(spec)
    loaded = time.perf_counter()
    rows = [(0, 0, 0, loaded - started, True)]
    start, size = 0, _FIRST_SLICE
    while start < texts.num_rows and time.perf_counter() - loaded < budget_seconds:
        piece = texts.slice(start, size)
        counted: list[int] = []
        began = time.perf_counter()
        for _ in engine.score(piece.to_batches(), lambda _, tokens, counted=counted: counted.append(tokens)):
            pass
        seconds = time.perf_counter() - began
        if start or piece.num_rows == texts.num_rows:
            predicted = sum(piece.column(PREDICTED).to_pylist())
            rows.append((piece.num_rows, predicted, sum(counted), seconds, False))
        start += piece.num_rows
        size = size * 2 if seconds < _SLICE_SECONDS else size
    columns = zip(*rows, strict=True)
    yield pa.RecordBatch.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, _TIMINGS, strict=True)], schema=_TIMINGS
    )
