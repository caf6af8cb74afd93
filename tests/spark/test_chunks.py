"""Chunks on Spark: two at once, cancelled at a limit, tried again in isolation where a worker died."""

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pipeline.chunks import Chunk, cut, score_chunks
from pipeline.limits import Limits
from pipeline.placement import Load


def chunks(n: int) -> list[Chunk]:
    """Chunks of one bucket of ten texts each."""
    return cut(Load(np.full(n, 10, np.int64), np.arange(n), np.full(n, 40, np.int64)), 40)


def sleep(seconds: float, spark: SparkSession) -> None:
    """A Spark job of one task that takes so long."""

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            time.sleep(seconds)
            yield batch

    spark.range(0, 1, 1, 1).mapInArrow(work, "id long").collect()


def test_all_chunks_are_written_two_at_a_time(spark: SparkSession) -> None:
    at_once: list[int] = []
    running: set[int] = set()

    def write(chunk: Chunk, is_isolated: bool) -> Path:
        running.add(chunk.number)
        at_once.append(len(running))
        sleep(0.2, spark)
        running.remove(chunk.number)
        assert not is_isolated
        return Path(str(chunk.number))

    limits = Limits()
    outcome = score_chunks(spark.sparkContext, "all", chunks(6), write, limits)
    assert sorted(p.name for p in outcome.written) == [str(n) for n in range(6)]
    assert (outcome.rows, outcome.rows_left) == (60, 0)
    assert max(at_once) == 2
    assert limits.spent_seconds > 0


def test_what_goes_on_when_the_limit_comes_is_cancelled(spark: SparkSession) -> None:
    def write(chunk: Chunk, _: bool) -> Path:
        sleep(0.1 if chunk.number == 0 else 60, spark)
        return Path(str(chunk.number))

    started = time.monotonic()
    limits = Limits(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=6))
    outcome = score_chunks(spark.sparkContext, "limited", chunks(5), write, limits)
    assert time.monotonic() - started < 30
    assert (outcome.written, outcome.rows, outcome.rows_left) == ([Path("0")], 10, 40)


def test_a_chunk_that_would_end_too_late_is_not_begun(spark: SparkSession) -> None:
    begun: list[int] = []

    def write(chunk: Chunk, _: bool) -> Path:
        begun.append(chunk.number)
        time.sleep(2)
        return Path(str(chunk.number))

    limits = Limits(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3))
    outcome = score_chunks(spark.sparkContext, "late", chunks(9), write, limits)
    assert sorted(begun) == [0, 1], "of the next, at ten texts in a second, two would end a second too late"
    assert (outcome.rows, outcome.rows_left) == (20, 70)


def test_a_chunk_whose_worker_died_is_tried_again_alone_and_other_errors_are_raised(spark: SparkSession) -> None:
    def die(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import os

        os._exit(1)
        yield from batches

    tried: list[tuple[int, bool]] = []

    def write(chunk: Chunk, is_isolated: bool) -> Path:
        tried.append((chunk.number, is_isolated))
        if chunk.number == 1 and not is_isolated:
            spark.range(0, 1, 1, 1).mapInArrow(die, "id long").collect()
        return Path(str(chunk.number))

    outcome = score_chunks(spark.sparkContext, "lost", chunks(3), write, Limits())
    assert tried[-1] == (1, True)
    assert sorted(tried[:-1]) == [(0, False), (1, False), (2, False)]
    assert (len(outcome.written), outcome.rows, outcome.rows_left) == (3, 30, 0)

    def fail(chunk: Chunk, _: bool) -> Path:
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        score_chunks(spark.sparkContext, "fails", chunks(3), fail, Limits())
