"""Scoring in chunks: each is a Spark job whose results the score store has, whole, once it ends. A killed run loses no more.

Chunks are cut from the texts alone, in the order of their buckets, at a size that does not depend on what is scored already:
a run that goes on where another was killed makes the chunks that one had left, task by task, and so computes the same bits.
"""

import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import Column

from pipeline.failpoints import failpoint
from pipeline.failures import is_worker_lost
from pipeline.limits import Limits
from pipeline.placement import Load, bucket_of

logger = logging.getLogger(__name__)

CHUNKS = 48
"""A large night is cut in about so many: a run killed in one has lost at most two of them, four percent."""
_TASKS_PER_CHUNK = 1 / 8
_AT_ONCE, _ALL_LOST = 2, 3
"""Spark starts the tasks of the second where the first leaves cores idle at its end."""

Write = Callable[["Chunk", bool], Path]
"""Scores a chunk into the store; with True every text in a child process that may die."""


@dataclass(frozen=True)
class Chunk:
    """The texts of the buckets `first` to `last`, both included; `number` counts from 0."""

    number: int
    first: int
    last: int
    load: Load

    def holds(self) -> Column:
        """Return whether a text (content_key, lang_hint) is in the chunk."""
        return bucket_of().between(self.first, self.last)


@dataclass
class Outcome:
    """What became of a list of chunks: folders written, texts in them, texts left because a limit was reached."""

    written: list[Path] = field(default_factory=list)
    rows: int = 0
    rows_left: int = 0


def tokens_per_chunk(total_tokens: int, tokens_per_task: int) -> int:
    """Return the predicted tokens of a chunk.

    Args:
        total_tokens: predicted for all rows of the run's nights, scored or not, so that a run that goes on cuts alike.
        tokens_per_task: below an eighth of a task a job of its own costs more than it saves.
    """
    return max(1, math.ceil(tokens_per_task * _TASKS_PER_CHUNK), math.ceil(total_tokens / CHUNKS))


def cut(load: Load, tokens: int) -> list[Chunk]:
    """Cut a load in chunks of at least `tokens` predicted tokens, the last one perhaps of fewer."""
    chunks: list[Chunk] = []
    start = held = 0
    for i, cost in enumerate(load.tokens.tolist()):
        held += cost
        if held >= tokens or i == len(load.tokens) - 1:
            part = load.part(start, i + 1)
            chunks.append(Chunk(len(chunks), int(part.buckets[0]), int(part.buckets[-1]), part))
            start, held = i + 1, 0
    return chunks


def score_chunks(context: SparkContext, group: str, chunks: Sequence[Chunk], write: Write, limits: Limits) -> Outcome:
    """Score chunks, two at a time, until all are done or a limit is reached.

    A chunk is not begun where the ones before let expect that it would end after the limit; one that is going on when the limit
    comes is cancelled, and its texts are left. A chunk whose worker died or hung is scored again at the end, each text at the
    mercy of a child process.

    Args:
        group: names the Spark jobs, for cancelling them.
    """
    limits.start()
    try:
        return _Scoring(context, group, write, limits).all(chunks)
    finally:
        limits.stop()


class _Scoring:
    """The state of one list of chunks: what flies, what was lost, and the outcome."""

    def __init__(self, context: SparkContext, group: str, write: Write, limits: Limits) -> None:
        self._context, self._group, self._write, self._limits = context, group, write, limits
        self._spent_before = limits.spent_seconds
        self._outcome = Outcome()
        self._flying: dict[Future[Path], Chunk] = {}
        self._lost: list[Chunk] = []

    def all(self, chunks: Sequence[Chunk]) -> Outcome:
        """Score them all, or as many as the limit allows."""
        waiting = list(chunks)
        with ThreadPoolExecutor(_AT_ONCE, "chunk") as pool:
            try:
                while waiting or self._flying:
                    while waiting and len(self._flying) < _AT_ONCE and not self._is_too_late(waiting[0]):
                        chunk = waiting.pop(0)
                        self._flying[pool.submit(self._run, chunk)] = chunk
                    if not self._flying or not self._wait():
                        break
            finally:
                self._cancel()  # what flies here was overtaken by the limit or by an error
        waiting += self._unfinished()
        for chunk in sorted(self._lost, key=lambda c: c.number):
            if waiting or self._limits.seconds_left() == 0.0:
                waiting.append(chunk)
            else:
                self._isolate(chunk)
        self._outcome.rows_left = sum(chunk.load.rows for chunk in waiting)
        return self._outcome

    def _run(self, chunk: Chunk) -> Path:
        self._context.setJobGroup(self._group, f"chunk {chunk.number}")
        return self._write(chunk, False)

    def _wait(self) -> bool:
        """Wait until a chunk is done, and settle it; return False where the limit comes first."""
        done, _ = wait(self._flying, self._limits.seconds_left(), FIRST_COMPLETED)
        for future in done:
            self._settle(future, self._flying.pop(future))
        if len(self._lost) >= _ALL_LOST and not self._outcome.written:
            # perhaps no text can be scored here at all: one chunk shows it, before all others are tried in vain
            wait(self._flying)
            self._isolate(self._lost.pop(0))
        return bool(done)

    def _settle(self, future: "Future[Path]", chunk: Chunk) -> None:
        """Count a chunk that is done, or note it as lost; any other error is raised."""
        error = future.exception()
        if error is None:
            self._count(future.result(), chunk)
        elif is_worker_lost(error):
            self._lost.append(chunk)
        else:
            raise error

    def _isolate(self, chunk: Chunk) -> None:
        logger.warning(
            f"score     a worker died or hung in chunk {chunk.number}; its {chunk.load.rows:,} texts go one by one"
        )
        self._count(self._write(chunk, True), chunk)

    def _count(self, path: Path, chunk: Chunk) -> None:
        self._outcome.written.append(path)
        self._outcome.rows += chunk.load.rows
        failpoint(f"after_chunk_{len(self._outcome.written)}")

    def _cancel(self) -> None:
        """Cancel what flies and wait for its end; again and again, because a chunk may be between two Spark jobs."""
        going = set(self._flying)
        while going:
            self._context.cancelJobGroup(self._group)
            going = wait(going, 1.0).not_done

    def _unfinished(self) -> list[Chunk]:
        """Return the chunks that were cancelled; count those that finished all the same."""
        left = []
        for future, chunk in self._flying.items():
            if future.exception() is None:
                self._count(future.result(), chunk)
            else:
                left.append(chunk)
        return left

    def _is_too_late(self, chunk: Chunk) -> bool:
        """Return whether a chunk would, at the rate until now, end after the limit; without a rate it is tried."""
        left = self._limits.seconds_left()
        if left is None:
            return False
        if not self._outcome.rows or left <= 0:
            return left <= 0
        rate = self._outcome.rows / max(self._limits.seconds() - self._spent_before, 1e-9)
        ahead = chunk.load.rows + sum(other.load.rows for other in self._flying.values())
        return ahead / rate > left
