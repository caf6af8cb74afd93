"""Scoring at the mercy of a child process: texts that kill it, or make it hang, are found by bisection and get an error code.

Used for chunks in which a worker died. The worker that Spark talks to loads no model and survives.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import pyarrow as pa

from udfs.results import RESULTS, chars_of
from udfs.spec import ScoreSpec
from udfs.windows import windows

logger = logging.getLogger(__name__)

CRASH, HANG = "WORKER_CRASH", "WORKER_HANG"
_ROWS = 256
"""Texts to give the child at once: eight halvings find the one that kills it."""
_LEAST_SECONDS = 60.0
_CHARS_PER_TOKEN = 4
_UNDECIDED = "und"


class CrashBudgetError(RuntimeError):
    """So many texts kill the worker that the texts are not to blame."""


@dataclass(frozen=True)
class Patience:
    """How long a child may say nothing, and how many texts of a task may be lost before the task gives up.

    Attributes:
        task_seconds: for a whole task of `task_tokens` predicted tokens; a part of it has its share, but at least a minute, or
            `task_seconds` where that is less.
        lost_texts: more of them in one task fail it.
    """

    task_seconds: float
    task_tokens: int
    lost_texts: int = 20

    def seconds(self, texts: pa.Table) -> float:
        """Return how long a child may take for some texts."""
        tokens = texts.column("text").nbytes / _CHARS_PER_TOKEN
        share = min(1.0, float(tokens) / self.task_tokens)
        return max(min(_LEAST_SECONDS, self.task_seconds), self.task_seconds * share)


class Child:
    """A process with an engine; started when it is needed, and again after it died."""

    def __init__(self, spec: ScoreSpec, patience: Patience) -> None:
        self._spec = spec
        self._patience = patience
        self._process: Any = None
        self._pipe: Any = None

    def score(self, texts: pa.Table) -> pa.Table | str:
        """Return the results of some texts, or why the child has none: `WORKER_CRASH`, `WORKER_HANG` or `MODEL`.

        Raises:
            RuntimeError: the child does not even load the models.
        """
        self._start()
        try:
            self._pipe.send_bytes(_to_bytes(texts))
            if not self._pipe.poll(self._patience.seconds(texts)):
                return self._lost(HANG)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError):
            return self._lost(CRASH)
        return _from_bytes(answer) if answer else self._lost("MODEL")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process = None

    def _start(self) -> None:
        if self._process is not None:
            return
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._spec, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        try:
            is_ready = self._pipe.poll(max(300.0, self._patience.task_seconds)) and not self._pipe.recv_bytes()
        except (EOFError, OSError):
            is_ready = False
        if not is_ready:
            self.close()
            raise CrashBudgetError("a worker dies or hangs while it loads the models, before it sees a text")

    def _lost(self, code: str) -> str:
        self.close()
        return code


def score_isolated(
    spec: ScoreSpec, batches: Iterable[pa.RecordBatch], patience: Patience, count: Callable[[int, int], None]
) -> Iterator[pa.RecordBatch]:
    """Score batches of `udfs.results.TEXTS`; yield batches of `udfs.results.RESULTS`, same rows in the same order.

    Args:
        count: told the rows and tokens of each part.

    Raises:
        CrashBudgetError: more than `patience.lost_texts` texts are lost, or the models cannot be loaded.
    """
    child, lost = Child(spec, patience), 0
    try:
        for window in windows(batches, _ROWS, spec.window_bytes):
            todo = [window]
            while todo:
                texts = todo.pop()
                found = child.score(texts)
                if isinstance(found, str) and texts.num_rows > 1:
                    half = texts.num_rows // 2
                    todo += [texts.slice(half), texts.slice(0, half)]
                    continue
                if isinstance(found, str):
                    lost += 1
                    if lost > patience.lost_texts:
                        raise CrashBudgetError(
                            f"more than {patience.lost_texts} texts of a task kill the worker ({found})"
                        )
                    found = _error_row(texts, found)
                count(found.num_rows, int(sum(n or 0 for n in found.column("n_tokens").to_pylist())))
                yield from found.to_batches()
    finally:
        child.close()


def _error_row(texts: pa.Table, code: str) -> pa.Table:
    """Return the result of one text that no process survives."""
    hint = texts.column("lang_hint")[0].as_py()
    known = {
        "content_key": texts.column("content_key")[0].as_py(),
        "lang_hint": hint,
        "lang": hint or _UNDECIDED,
        "lang_confidence": 1.0 if hint else 0.0,
        "n_chars": chars_of(texts)[0],
        "coverage": 0.0,
        "error_code": code,
    }
    return pa.table({field.name: pa.array([known.get(field.name)], field.type) for field in RESULTS}, schema=RESULTS)


def _serve(pipe: Any, spec: ScoreSpec, parent: int) -> None:
    """Load an engine and answer: bytes of texts in, bytes of results out; none where the engine raised, and then end."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from udfs.worker import configure_threads

    configure_threads()
    from udfs.engine import Engine

    engine = Engine(spec)
    pipe.send_bytes(b"")
    while True:
        try:
            texts = _from_bytes(pipe.recv_bytes())
        except EOFError:
            return
        try:
            results = pa.Table.from_batches(list(engine.score(texts.to_batches())), RESULTS)
        except Exception as error:
            logger.warning("the engine failed on %d texts: %s", texts.num_rows, type(error).__name__)
            pipe.send_bytes(b"")
            return
        pipe.send_bytes(_to_bytes(results))


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, however that ended."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _from_bytes(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()
