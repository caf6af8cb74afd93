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
        outcome, lost = _score_all(context, group, chunks, write, limits)
        for chunk in sorted(lost, key=lambda c: c.number):
            logger.warning(
                f"score     a worker died or hung in chunk {chunk.number}; its {chunk.load.rows:,} texts go one by one"
            )
            outcome.written.append(write(chunk, True))
            outcome.rows += chunk.load.rows
    finally:
        limits.stop()
    return outcome


def _score_all(
    context: SparkContext, group: str, chunks: Sequence[Chunk], write: Write, limits: Limits
) -> tuple[Outcome, list[Chunk]]:
    outcome, lost, waiting = Outcome(), list[Chunk](), list(chunks)
    spent = limits.spent_seconds

    def run(chunk: Chunk) -> Path:
        context.setJobGroup(group, f"chunk {chunk.number} of {len(chunks)}")
        return write(chunk, False)

    with ThreadPoolExecutor(_AT_ONCE, "chunk") as pool:
        flying: dict[Future[Path], Chunk] = {}
        try:
            while waiting or flying:
                while (
                    waiting and len(flying) < _AT_ONCE and not _is_too_late(waiting[0], flying, outcome, limits, spent)
                ):
                    chunk = waiting.pop(0)
                    flying[pool.submit(run, chunk)] = chunk
                if not flying:
                    break
                done, _ = wait(flying, limits.seconds_left(), FIRST_COMPLETED)
                if not done:
                    _cancel(context, group, flying)
                    waiting += _unfinished(flying, outcome)
                    break
                for future in done:
                    _settle(future, flying.pop(future), outcome, lost)
                if len(lost) == _ALL_LOST and not outcome.written:
                    # perhaps no text can be scored here at all: one chunk shows it, before all others are tried in vain
                    wait(flying)
                    first = lost.pop(0)
                    outcome.written.append(write(first, True))
                    outcome.rows += first.load.rows
        except BaseException:
            _cancel(context, group, flying)
            raise
    outcome.rows_left = sum(chunk.load.rows for chunk in waiting)
    if outcome.rows_left:
        outcome.rows_left += sum(chunk.load.rows for chunk in lost)
        lost = []
    return outcome, lost


def _settle(future: "Future[Path]", chunk: Chunk, outcome: Outcome, lost: list[Chunk]) -> None:
    """Count a chunk that is done, or note it as lost; any other error is raised."""
    error = future.exception()
    if error is not None:
        if not is_worker_lost(error):
            raise error
        lost.append(chunk)
        return
    outcome.written.append(future.result())
    outcome.rows += chunk.load.rows
    failpoint(f"after_chunk_{len(outcome.written)}")


def _cancel(context: SparkContext, group: str, flying: "dict[Future[Path], Chunk]") -> None:
    """Cancel chunks and wait for their end; again and again, because a chunk may be between two Spark jobs."""
    going = set(flying)
    while going:
        context.cancelJobGroup(group)
        going = wait(going, 1.0).not_done


def _unfinished(flying: "dict[Future[Path], Chunk]", outcome: Outcome) -> list[Chunk]:
    """Return the chunks that were cancelled; count those that finished all the same."""
    left = []
    for future, chunk in flying.items():
        if future.exception() is None:
            _settle(future, chunk, outcome, [])
        else:
            left.append(chunk)
    return left


def _is_too_late(
    chunk: Chunk, flying: "dict[Future[Path], Chunk]", outcome: Outcome, limits: Limits, spent: float
) -> bool:
    """Return whether a chunk would, at the rate until now, end after the limit; without a rate it is tried."""
    left = limits.seconds_left()
    if left is None:
        return False
    if not outcome.rows or left <= 0:
        return left <= 0
    rate = outcome.rows / max(limits.seconds() - spent, 1e-9)
    ahead = chunk.load.rows + sum(other.load.rows for other in flying.values())
    return ahead / rate > left
