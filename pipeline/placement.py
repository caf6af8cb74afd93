"""Placing texts in tasks of nearly equal predicted cost, from the data alone: no cluster and no order of rows changes it.

A text's key puts it in one of `BUCKETS` buckets. One aggregation sums the predicted tokens of each bucket; the driver deals the
buckets to tasks, the heaviest first, each to the task that has least so far; texts follow their bucket.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.documents import CONTENT_KEY, LANG_HINT, TEXT, TEXT_CHARS
from udfs.spec import ScoreSpec

BUCKETS = 65_536
MAX_OVER_MEAN = 1.3
"""No task has more than this times the mean predicted cost, unless it holds a single bucket: in effect, one long text."""
_MAX_TASKS = BUCKETS // 8
_MIN_TASKS, _MIN_TOKENS_PER_TASK = 16, 8_192
"""A small night is cut in up to `_MIN_TASKS` tasks so that every core gets some, but not below the worth of a task."""
_TOKENS_PER_TEXT = 4
"""What a text costs besides its own tokens: two special ones, and its row."""
_BUCKET, _TASK = "bucket", "task"


@dataclass(frozen=True)
class Load:
    """The texts to score: of every bucket that holds any, how many and their predicted tokens (arrays of equal length)."""

    texts: NDArray[np.int64]
    buckets: NDArray[np.int64]
    tokens: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """The number of texts."""
        return int(self.texts.sum())

    def part(self, start: int, stop: int) -> "Load":
        """Return the load of the entries `start` to `stop` (not included)."""
        return Load(self.texts[start:stop], self.buckets[start:stop], self.tokens[start:stop])


def predicted_tokens(text: Column, spec: ScoreSpec) -> Column:
    """Return the tokens the model will read of a text, predicted from its characters and bytes, as a whole number.

    A character of one byte (Latin) counts 1/4, one of three bytes (Chinese, Japanese, Korean) 1, those between in proportion;
    what exceeds `max_chars` or `max_chunks` is not read and not counted.
    """
    n_chars = F.length(text)
    wide = (F.octet_length(text) - n_chars) / 2
    share_read = F.least(F.lit(1.0), F.lit(spec.max_chars) / F.greatest(n_chars, F.lit(1)))
    tokens = F.least((n_chars / 4 + wide * 0.75) * share_read, F.lit(float(spec.max_chunks * spec.encoder.max_tokens)))
    return F.ceil(tokens + _TOKENS_PER_TEXT)


def measured(texts: DataFrame, spec: ScoreSpec) -> Load:
    """Count the texts (content_key, lang_hint, text) and predict their cost in one pass."""
    cost = predicted_tokens(F.col(TEXT), spec).alias("tokens")
    sums = (
        texts.select(bucket_of().alias(_BUCKET), cost)
        .groupBy(_BUCKET)
        .agg(F.count("*").alias("n"), F.sum("tokens").alias("tokens"))
    )
    found = sums.toPandas().sort_values(_BUCKET)  # bounded: BUCKETS rows of three numbers
    return Load(*(found[name].to_numpy(np.int64) for name in ("n", _BUCKET, "tokens")))


def deal(load: Load, tokens_per_task: int) -> tuple[int, NDArray[np.int64]]:
    """Return the number of tasks and the task of each of the load's buckets.

    Where the wanted number of tasks cannot be filled evenly, as with seventeen equal texts for sixteen, there are fewer.
    """
    tasks = n_tasks(load, tokens_per_task)
    order = np.lexsort((load.buckets, -load.tokens))
    while True:
        dealt = np.empty(len(order), np.int64)
        dealt[order] = _lightest_first(load.tokens[order].tolist(), tasks)
        if tasks == 1 or _is_even(load.tokens, dealt, tasks):
            return tasks, dealt
        tasks -= max(1, tasks // 8)


def n_tasks(load: Load, tokens_per_task: int) -> int:
    """Return the wanted number of scoring tasks; the predicted tokens decide alone."""
    total = int(load.tokens.sum())
    few = min(_MIN_TASKS, math.ceil(total / _MIN_TOKENS_PER_TASK))
    return max(1, min(max(few, math.ceil(total / tokens_per_task)), len(load.buckets), _MAX_TASKS))


def placed(texts: DataFrame, load: Load, tokens_per_task: int) -> DataFrame:
    """Return the texts (content_key, lang_hint, text, and text_chars where it is known), one partition per task, by key."""
    tasks, dealt = deal(load, tokens_per_task)
    columns = [name for name in (CONTENT_KEY, LANG_HINT, TEXT, TEXT_CHARS) if name in texts.columns]
    plan = texts.sparkSession.createDataFrame(pd.DataFrame({_BUCKET: load.buckets, _TASK: dealt}))
    keyed = texts.select(*columns, bucket_of().alias(_BUCKET))
    # one row per bucket in the plan; a left join, so that no text could be lost to it
    with_task = keyed.join(F.broadcast(plan), on=_BUCKET, how="left")
    spread = with_task.repartitionById(tasks, F.col(_TASK).cast("int")).select(*columns)
    return spread.sortWithinPartitions(CONTENT_KEY, LANG_HINT)


def bucket_of() -> Column:
    """Return the bucket of a text: its key alone decides."""
    return F.pmod(F.xxhash64(CONTENT_KEY, LANG_HINT), F.lit(BUCKETS))


def _lightest_first(tokens: list[int], tasks: int) -> list[int]:
    """Give each of the (descending) costs to the task that has least so far; of equal ones to the first."""
    heap = [(0, task) for task in range(tasks)]
    given = []
    for cost in tokens:
        load, task = heap[0]
        given.append(task)
        heapq.heapreplace(heap, (load + cost, task))
    return given


def _is_even(tokens: NDArray[np.int64], dealt: NDArray[np.int64], tasks: int) -> bool:
    """Return whether every task with several buckets keeps `MAX_OVER_MEAN`."""
    cost = np.bincount(dealt, weights=tokens, minlength=tasks)
    several = np.bincount(dealt, minlength=tasks) > 1
    return bool((cost[several] <= MAX_OVER_MEAN * cost.mean()).all())
