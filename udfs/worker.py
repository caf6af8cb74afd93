"""The scoring stage as Spark runs it: the spec travels, the model stays in the worker process."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from udfs.isolation import Patience, score_isolated
from udfs.quiet import without_texts
from udfs.spec import Device, ScoreSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Counters:
    """Spark accumulators of a stage: rows and tokens scored, times a process loaded the models."""

    rows: Any
    tokens: Any
    model_loads: Any


_loaded: dict[ScoreSpec, Any] = {}


def make_score(spec: ScoreSpec, counters: Counters) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: batches of `udfs.results.TEXTS` in, of `udfs.results.RESULTS` out."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return
        engine, is_new = engine_of_process(spec)
        counters.model_loads.add(int(is_new))

        def count(rows: int, tokens: int) -> None:
            counters.rows.add(rows)
            counters.tokens.add(tokens)

        yield from engine.score(_chain(first, batches), count)

    return without_texts(score)


def make_score_isolated(
    spec: ScoreSpec, counters: Counters, patience: Patience
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the same function as `make_score`, but a text that kills the process, or makes it hang, gets an error code."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return
        _loaded.clear()  # the child needs the memory

        def count(rows: int, tokens: int) -> None:
            counters.rows.add(rows)
            counters.tokens.add(tokens)

        here = replace(spec, device=device_of_task(spec.device))
        yield from score_isolated(here, _chain(first, batches), patience, count)

    return without_texts(score)


RUNTIME_SCHEMA = "outcome string"


def make_choose_runtime(
    spec: ScoreSpec, name: str, precision: str, known: str | None
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` that chooses the runtime of `spec`'s encoder on the executor it runs on.

    Args:
        name: of the runtime, or `auto`; `precision` likewise.
        known: an earlier outcome, which stands as long as the device and what there is to choose from are the same.

    The one row out is JSON: `device`, `available`, `trials` and `chosen` (null if nothing available fits), or `problem`.
    """

    def choose(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        configure_threads()
        from udfs.selftest import choose_runtime

        here = replace(spec, device=device_of_task(spec.device))
        yield pa.RecordBatch.from_pydict({"outcome": [choose_runtime(here, name, precision, known)]})

    return choose


DEVICE_SCHEMA = "device string"


def make_device(device: Device) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow` that says, in one row, what a worker computes on: `cpu` or `cuda`."""

    def answer(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            pass
        from udfs.models.encoder import choose_device

        yield pa.RecordBatch.from_pydict({"device": [choose_device(device_of_task(device)).type]})

    return answer


def engine_of_process(spec: ScoreSpec) -> tuple[Any, bool]:
    """Return this process' engine for `spec`, and whether it was loaded by this call. One engine is kept."""
    known = _loaded.get(spec)
    if known is not None:
        return known, False
    configure_threads()
    from udfs.engine import Engine

    _loaded.clear()
    started = time.monotonic()
    _loaded[spec] = Engine(replace(spec, device=device_of_task(spec.device)))
    logger.info("models loaded in %.1f s in process %d", time.monotonic() - started, os.getpid())
    return _loaded[spec], True


def device_of_task(device: Device) -> Device:
    """Return the device Spark gave to this task, where it gives out GPUs and the configuration leaves the choice.

    Where CUDA is absent all the same, the configuration's word stands: `auto` computes on the CPU, `cuda` fails.
    """
    from pyspark import TaskContext

    task = TaskContext.get()
    addresses = task.resources()["gpu"].addresses if task and device != "cpu" and "gpu" in task.resources() else []
    if not addresses:
        return device
    import torch

    return f"cuda:{addresses[0]}" if torch.cuda.is_available() else device


def configure_threads() -> None:
    """Let this process use as many threads as its task has cores; Spark says how many through OMP_NUM_THREADS.

    The tokenizer's and identifier's own pool would otherwise take every core in every worker. A stage may give its tasks more
    cores than the others (`scoring.task_cpus`), so what the executor's environment says of that pool does not count.
    """
    cores = int(os.environ.get("OMP_NUM_THREADS") or 1)
    os.environ["RAYON_NUM_THREADS"] = str(cores)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false" if cores == 1 else "true")
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.set_num_threads(cores)
    pa.set_cpu_count(cores)


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
