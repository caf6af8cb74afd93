"""`nightly.py --plan`: what a night would score, how long that takes and what GPU hours it costs, before any of it is spent."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.chunks import tokens_per_chunk
from pipeline.config import NightlyConfig
from pipeline.corpus import read_corpus
from pipeline.documents import REASON, RUN_DATE, TEXT, accepted, to_documents, with_run_date
from pipeline.estimate import Estimate, Rate, Timing, estimate, rate_of
from pipeline.manifest import write_whole
from pipeline.placement import predicted_tokens
from pipeline.preflight import Corpus
from pipeline.scoring import unseen
from pipeline.store import KEYS, ScoreStore
from udfs.calibration import PREDICTED, TIMINGS_SCHEMA, make_calibrate
from udfs.spec import ScoreSpec

logger = logging.getLogger(__name__)

CONFIDENCE = 0.9
_SAMPLE, _PARTS = 20_000, 1_000_000
_CALIBRATION_SECONDS = 15.0


@dataclass(frozen=True)
class Counted:
    """What the nights hold, all exact. Tokens are predicted from characters; `unseen` texts are not in the score store."""

    rows_in: int
    rows_rejected: int
    distinct_texts: int
    unseen_texts: int
    unseen_tokens: int
    all_tokens: int


@dataclass(frozen=True)
class PastRun:
    """The scoring of an earlier run with the same model."""

    run_id: str
    texts: int
    seconds: float
    other_seconds: float

    @property
    def texts_per_second(self) -> float:
        """Texts a second, all executors together."""
        return self.texts / self.seconds


@dataclass(frozen=True)
class Plan:
    """What is known before a run. `rate` and `estimate` are None where there is nothing to score."""

    model_key: str
    dates: tuple[date, ...]
    counted: Counted
    slots: int
    chunks: int
    gpus: float
    sample_texts: int
    load_seconds: float
    chunk_seconds: float
    rate: Rate | None
    estimate: Estimate | None
    past: tuple[PastRun, ...]
    warnings: tuple[str, ...] = ()


def make_plan(
    spark: SparkSession,
    config: NightlyConfig,
    corpus: Corpus,
    spec: ScoreSpec,
    dates: Sequence[date],
    root: Path,
    gpus: float,
    *,
    retry_errors: bool = False,
) -> Plan:
    """Count what the nights hold and time the models on a sample of what is to be scored. Writes nothing.

    Raises:
        ConfigError, DataError: as a run would.
    """
    raw = read_corpus(spark, config.input, corpus, dates[0], dates[-1])
    rows = with_run_date(raw, dates[0], dates[-1], corpus.may_lack_times).where(F.col(RUN_DATE).isin(list(dates)))
    documents = to_documents(rows, config.input).withColumn(PREDICTED, predicted_tokens(F.col(TEXT), spec))
    totals = documents.agg(
        F.count("*").alias("n"), F.count(REASON).alias("rejected"), F.sum(PREDICTED).alias("tokens")
    ).first()
    assert totals is not None
    kept = documents.where(F.col(REASON).isNull())
    texts = kept.groupBy(*KEYS).agg(F.first(PREDICTED).alias(PREDICTED)).persist(StorageLevel.MEMORY_AND_DISK)
    store = ScoreStore(spark, root, spec.model_key())
    pending = unseen(texts, store, retry_errors=retry_errors).persist(StorageLevel.MEMORY_AND_DISK)
    sums = pending.agg(F.count("*").alias("n"), F.coalesce(F.sum(PREDICTED), F.lit(0)).alias("tokens")).first()
    assert sums is not None
    counted = Counted(
        totals["n"], totals["rejected"], texts.count(), sums["n"], int(sums["tokens"]), int(totals["tokens"] or 0)
    )
    scoring = config.scoring
    per_chunk = tokens_per_chunk(counted.all_tokens, scoring.tokens_per_task)
    chunks = -(-counted.unseen_tokens // per_chunk)
    slots = max(1, spark.sparkContext.defaultParallelism // (scoring.task_cpus or 1))
    sample = _sample(accepted(documents), pending, counted.unseen_texts, spec)
    timings, load_seconds, job_seconds = calibrated(sample, spec, slots) if counted.unseen_texts else ([], 0.0, 0.0)
    rate = rate_of(timings, CONFIDENCE)
    found = estimate(counted.unseen_tokens, rate, slots, load_seconds, job_seconds, chunks, gpus) if rate else None
    texts.unpersist()
    pending.unpersist()
    warnings = ("the full model of the cascade is not in the estimate",) if config.cascade.enabled else ()
    return Plan(
        spec.model_key(), tuple(dates), counted, slots, chunks, gpus, sum(t.texts for t in timings), load_seconds, job_seconds,
        rate, found, past_runs(root, spec.model_key()), warnings,
    )  # fmt: skip


def _sample(documents: DataFrame, pending: DataFrame, n: int, spec: ScoreSpec) -> DataFrame:
    """Return about `_SAMPLE` of the texts to score, in an order that says nothing of them, with their predicted tokens."""
    share = min(1.0, _SAMPLE / max(n, 1))
    chosen = pending.where(F.pmod(F.xxhash64(F.lit(CONFIDENCE), *KEYS), F.lit(_PARTS)) < int(_PARTS * share))
    texts = documents.join(F.broadcast(chosen.select(*KEYS)), on=list(KEYS), how="left_semi")
    distinct = texts.groupBy(*KEYS).agg(F.first(TEXT).alias(TEXT))
    return distinct.withColumn(PREDICTED, predicted_tokens(F.col(TEXT), spec))


def calibrated(sample: DataFrame, spec: ScoreSpec, slots: int) -> tuple[list[Timing], float, float]:
    """Score a sample on all slots at once for some seconds.

    Returns:
        The slices' timings, the seconds of the slowest model load, and what the Spark job took besides its longest task.
    """
    spread = sample.repartition(slots, F.xxhash64(F.lit("slot"), *KEYS)).persist(StorageLevel.MEMORY_AND_DISK)
    spread.count()
    started = time.monotonic()
    timed = spread.mapInArrow(make_calibrate(spec, _CALIBRATION_SECONDS), TIMINGS_SCHEMA)
    found = timed.withColumn("slot", F.spark_partition_id()).collect()  # bounded: some rows a second and slot
    wall = time.monotonic() - started
    spread.unpersist()
    tasks: dict[int, float] = {}
    for row in found:
        tasks[row.slot] = tasks.get(row.slot, 0.0) + row.seconds
    timings = [Timing(r.texts, r.predicted_tokens, r.tokens, r.seconds) for r in found if not r.is_load]
    loads = [r.seconds for r in found if r.is_load]
    return timings, max(loads, default=0.0), max(0.0, wall - max(tasks.values(), default=0.0))


def past_runs(root: Path, model_key: str, most: int = 20) -> tuple[PastRun, ...]:
    """Return the latest runs that scored with a model, oldest first, by their `run_results.json`."""
    found = []
    for path in sorted((root / "_runs").glob("*/run_results.json"))[-200:]:
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            stages = body["stages"] if body.get("model_key") == model_key else []
            scored = [s for s in stages if s["name"] == "score" and s["rows"] and s["seconds"] > 0]
            other = sum(s["seconds"] for s in stages if s["name"] != "score") if body["status"] == "success" else 0.0
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a run that was killed while it wrote, or another version's
        if scored:
            seconds = sum(s["seconds"] for s in scored)
            found.append(PastRun(body["run_id"], sum(s["rows"] for s in scored), seconds, other))
    return tuple(found[-most:])


def as_rows(plan: Plan) -> list[tuple[str, str]]:
    """Return what to show of a plan: name and value."""
    c = plan.counted
    nights = f"{plan.dates[0]} to {plan.dates[-1]}" if len(plan.dates) > 1 else str(plan.dates[0])
    rows = [
        ("nights", nights),
        ("rows", f"{c.rows_in:,}, of which {c.rows_rejected:,} rejected"),
        ("distinct texts", f"{c.distinct_texts:,} (exact)"),
        ("not in the score store", f"{c.unseen_texts:,} (exact), in {plan.chunks} chunks"),
    ]
    if plan.estimate is None or plan.rate is None:
        rows.append(("scoring", "nothing to score"))
    else:
        e, r = plan.estimate, plan.rate
        rows += [
            ("tokens to read", f"{e.tokens:,}, by the sample"),
            ("sample", f"{plan.sample_texts:,} texts in {r.n_slices} slices on {plan.slots} tasks at once"),
            (
                "scoring",
                f"{_duration(e.seconds)} ({CONFIDENCE:.0%}: {_duration(e.seconds_low)} to {_duration(e.seconds_high)})",
            ),
            ("GPU hours", f"{e.gpu_hours:.2f} ({e.gpu_hours_low:.2f} to {e.gpu_hours_high:.2f}) on {plan.gpus:g} GPUs"),
        ]
    if plan.past:
        rates = sorted(run.texts_per_second for run in plan.past)
        text = f"{len(rates)} run(s) with this model, {rates[0]:,.0f} to {rates[-1]:,.0f} texts/s"
        if c.unseen_texts:
            text += f": {_duration(c.unseen_texts / rates[-1])} to {_duration(c.unseen_texts / rates[0])}"
        rows.append(("by past runs", text))
        whole = [run.other_seconds for run in plan.past if run.other_seconds]
        if whole:
            rows.append(("besides scoring", f"{_duration(min(whole))} to {_duration(max(whole))} in past runs"))
    return rows + [("note", text) for text in plan.warnings]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan as JSON."""
    body: dict[str, Any] = {"format": 1, "confidence": CONFIDENCE, **asdict(plan)}
    write_whole(path, json.dumps(body, ensure_ascii=False, indent=2, default=str) + "\n")
