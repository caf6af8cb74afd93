"""The tables about the run itself: `runs`, `run_stages`, `models`, `cascade_report`, `model_bridge`, `quality_checks`.

All are small and made on the driver.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline import __version__, run_schemas
from pipeline.models import head_row, model_rows, topic_row
from pipeline.progress import Stage
from pipeline.quality import Check, Counts
from pipeline.store_base import tree_bytes
from pipeline.table import RUN_DATE, Table

if TYPE_CHECKING:
    from pipeline.night import Night


@dataclass(frozen=True)
class RunFacts:
    """What every row about a run repeats; `topics` is each night's row of its topic model."""

    dates: tuple[date, ...]
    model_key: str
    models: tuple[dict[str, Any], ...]
    run: dict[str, Any]
    topics: dict[date, dict[str, Any]]

    @classmethod
    def of(cls, night: "Night") -> "RunFacts":
        """Collect the facts of a run whose tables are complete."""
        rate = night.texts_scored / night.scoring_seconds if night.scoring_seconds else None
        run = {
            "status": "success",
            "started_at": night.started_at,
            "ended_at": datetime.now(UTC),
            "n_dates": len(night.dates),
            "rows_corpus": night.corpus.rows,
            "model_loads": night.model_loads,
            "docs_per_s": round(rate, 1) if rate else None,
            "store_bytes": tree_bytes(night.root / "_store" / night.spec.model_key()),
            "model_key": night.spec.model_key(),
            "config_hash": night.config.fingerprint(),
            "git_sha": git_sha(),
            "input_files": len(night.corpus.files),
            "warnings": list(night.corpus.warnings),
        }
        key, models = night.spec.model_key(), model_rows(night.spec)
        if night.full_spec:
            models += model_rows(night.full_spec)
        models += [head_row(key, task, head) for task, head in night.label_heads]
        topics = {day: topic_row(key, model) for day, model in night.nightly_topics.items()}
        return cls(tuple(night.dates), key, tuple(models), run, topics)


def git_sha() -> str | None:
    """Return the commit of the checkout the code runs from, or None."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def with_common(frame: DataFrame, run_id: str, started_at: datetime) -> DataFrame:
    """Add the columns that every table has."""
    created = F.lit(started_at.astimezone(UTC)).cast("timestamp")
    values = {"run_id": F.lit(run_id), "pipeline_version": F.lit(__version__), "created_at": created}
    return frame.withColumns(values)


def to_runs(spark: SparkSession, facts: RunFacts, counts: Sequence[Counts]) -> DataFrame:
    """Return one row per night."""
    rows = []
    for night in counts:
        start = datetime.combine(night.run_date, time(), UTC)
        interval = {"interval_start": start, "interval_end": start + timedelta(days=1)}
        numbers: dict[str, Any] = {name: getattr(night, name) for name in Counts.__dataclass_fields__}
        topics = facts.topics.get(night.run_date)
        n_texts = night.rows_from_cache + night.rows_scored
        numbers["store_hit_rate"] = round(night.rows_from_cache / n_texts, 6) if n_texts else None
        rows.append({**facts.run, "topic_model_key": topics["revision"] if topics else None, **interval, **numbers})
    return _frame(spark, run_schemas.RUNS, rows)


STAGES = (
    "session", "read", "lookup", "score", "topics", "cascade", "bridge", "groups", "documents", "labels", "tables", "patterns",
    "aspects", "sentences", "movements",
)  # fmt: skip
"""Every run has a row for each, in this order, also for a stage that had nothing to do. Later stages (runs, audit, publish)
end after the table is written; `run_results.json` has them."""


def to_run_stages(spark: SparkSession, facts: RunFacts, stages: Sequence[Stage]) -> DataFrame:
    """Return one row per night and stage; stages of one name (scoring in two parts) are added up."""
    rows = []
    for position, name in enumerate(STAGES, start=1):
        parts = [stage for stage in stages if stage.name == name]
        rows.append(
            {
                "stage": name,
                "position": position,
                "status": "success",
                "rows": sum(p.rows for p in parts),
                "tokens": sum(p.tokens for p in parts),
                "seconds": round(sum((p.seconds for p in parts), 0.0), 3),
                "n_dates": len(facts.dates),
            }
        )
    return _per_night(spark, run_schemas.RUN_STAGES, facts, rows)


def to_models(spark: SparkSession, facts: RunFacts) -> DataFrame:
    """Return one row per night and model."""
    topics = [{**row, "run_date": day} for day, row in facts.topics.items()]
    rows = [{**row, "run_date": day} for day in facts.dates for row in facts.models]
    return _frame(spark, run_schemas.MODELS, rows + topics)


def to_cascade_report(spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
    """Return one row per night (see `pipeline.cascade.report_rows`); none without a cascade."""
    return _frame(spark, run_schemas.CASCADE_REPORT, rows)


def to_model_bridge(spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
    """Return the rows of a change of model (see `pipeline.bridge.to_rows`); none without one."""
    return _frame(spark, run_schemas.MODEL_BRIDGE, rows)


def to_quality_checks(spark: SparkSession, checks: Sequence[Check]) -> DataFrame:
    """Return one row per check."""
    rows = [
        {
            "run_date": c.run_date,
            "check_name": c.check_name,
            "table_name": c.table_name,
            "severity": "error",
            "observed": float(c.observed),
            "threshold": float(c.threshold),
            "passed": c.passed,
        }
        for c in checks
    ]
    return _frame(spark, run_schemas.QUALITY_CHECKS, rows)


def _per_night(spark: SparkSession, table: Table, facts: RunFacts, rows: Sequence[dict[str, Any]]) -> DataFrame:
    return _frame(spark, table, [{**row, "run_date": day} for day in facts.dates for row in rows])


def _frame(spark: SparkSession, table: Table, rows: Sequence[dict[str, Any]]) -> DataFrame:
    columns = [*table.columns, RUN_DATE]
    struct = T.StructType([T.StructField(c.name, c.dtype) for c in columns])
    return spark.createDataFrame([tuple(row[c.name] for c in columns) for row in rows], struct).coalesce(1)
