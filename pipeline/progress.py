"""Stages of a run: one line of progress each, timings for `run_stages`, structured logs. Never document text."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pyspark import SparkContext

logger = logging.getLogger(__name__)
_FIRST_LINE_SEC, _EVERY_SEC = 5.0, 10.0


@dataclass
class Stage:
    """One step of the run. `rows` is set by the step; `total_rows` where it is known beforehand."""

    name: str
    total_rows: int | None = None
    rows: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass
class Stages:
    """The stages of one run, in order."""

    context: SparkContext | None = None
    done: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(
        self, name: str, total_rows: int | None = None, rows_so_far: Callable[[], int] | None = None
    ) -> Iterator[Stage]:
        """Time a step; while it runs, log a line every ten seconds; when it ends, one more.

        Args:
            total_rows: rows the step will make, where known.
            rows_so_far: counts the rows made until now; without it the share of finished Spark tasks is shown.
        """
        stage = Stage(name, total_rows)
        started = time.monotonic()
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(stage, started, rows_so_far, stop), daemon=True)
        watcher.start()
        try:
            yield stage
        finally:
            stop.set()
            watcher.join()
            stage.seconds = time.monotonic() - started
        self.done.append(stage)
        rate = f", {stage.rows / stage.seconds:,.0f} rows/s" if stage.rows and stage.seconds >= 0.5 else ""
        logger.info(
            f"{name:<9} done{f': {stage.rows:,} rows' if stage.rows else ''} in {stage.seconds:.1f} s{rate}",
            extra={"stage": name, "event": "done", "rows": stage.rows, "seconds": round(stage.seconds, 3)},
        )

    def _watch(
        self, stage: Stage, started: float, rows_so_far: Callable[[], int] | None, stop: threading.Event
    ) -> None:
        wait = _FIRST_LINE_SEC
        while not stop.wait(wait):
            wait = _EVERY_SEC
            seconds = time.monotonic() - started
            if rows_so_far is not None and stage.total_rows:
                _log_rows(stage, min(rows_so_far(), stage.total_rows), seconds)
            else:
                finished, total = self._tasks()
                share = f"{finished} of {total} tasks, " if total else ""
                logger.info(
                    f"{stage.name:<9} {share}{seconds:.0f} s so far",
                    extra={"stage": stage.name, "event": "running", "tasks_done": finished, "tasks": total},
                )

    def _tasks(self) -> tuple[int, int]:
        """Return finished and all tasks of the Spark stages that run now."""
        if self.context is None:
            return 0, 0
        tracker = self.context.statusTracker()
        infos = [tracker.getStageInfo(stage_id) for stage_id in tracker.getActiveStageIds()]
        known = [info for info in infos if info is not None]
        return sum(i.numCompletedTasks for i in known), sum(i.numTasks for i in known)


def _log_rows(stage: Stage, rows: int, seconds: float) -> None:
    total = stage.total_rows or 0
    fields = {"stage": stage.name, "event": "running", "rows": rows, "total_rows": total}
    if rows == 0:
        logger.info(f"{stage.name:<9} 0 of {total:,} rows, {seconds:.0f} s so far, no estimate yet", extra=fields)
        return
    rate = rows / seconds
    left = (total - rows) / rate
    logger.info(
        f"{stage.name:<9} {rows:,} of {total:,} rows ({rows / total:.0%}), {rate:,.0f} rows/s, about {left:.0f} s left",
        extra={**fields, "seconds_left": round(left)},
    )


_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time (UTC), level, logger, message and the record's extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields = {k: v for k, v in vars(record).items() if k not in _STANDARD and k not in ("message", "asctime")}
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        body = {
            "time": when,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **fields,
        }
        return json.dumps(body, ensure_ascii=False, default=str)


def configure_logging() -> None:
    """Send this project's log to standard error as plain lines, UTC."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    for name in ("pipeline", "udfs", "jobs"):
        project = logging.getLogger(name)
        project.handlers = [handler]
        project.setLevel(logging.INFO)
        project.propagate = False


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Also write the project's log to `path`, as JSON lines, while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    project = logging.getLogger("pipeline")
    project.addHandler(handler)
    try:
        yield
    finally:
        project.removeHandler(handler)
        handler.close()
