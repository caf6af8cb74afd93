"""The cascade: a cheap model scores every text, the full model decides the sentiment of those it is not sure of.

The full model also scores a random sample of the run's texts. On that audit the threshold is chosen (`pipeline.thresholds`), so
that the labels of all texts agree with the full model's as often as the configuration asks.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.config import CascadeConfig
from pipeline.documents import RUN_DATE
from pipeline.scoring import unseen
from pipeline.store import KEYS, ScoreStore
from pipeline.thresholds import Choice, choose_threshold

SENTIMENT = ("sentiment", "sentiment_score", "sentiment_confidence", "sentiment_model")
"""The columns the full model decides. Vector and topic stay the cheap model's for all texts: one space."""


@dataclass(frozen=True)
class Cascade:
    """A run's cascade once its threshold is chosen.

    Attributes:
        audit_cut: a text is in the audit sample where its `audit_rank` is at most this; None where there were no texts.
    """

    base_key: str
    full_key: str
    config: CascadeConfig
    audit_cut: int | None
    choice: Choice

    def key(self) -> str:
        """Return the fingerprint (16 hex digits) of models and settings: what a series of sentiment belongs to."""
        settings = self.config.model_dump(include={"min_agreement", "confidence", "audit_size", "seed"})
        text = json.dumps([self.base_key, self.full_key, settings], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def is_escalated(self) -> Column:
        """Return whether the cheap model scored a text but is not sure of it; after a fallback it is sure of none."""
        unsure = F.lit(True) if self.choice.threshold is None else F.col("sentiment_confidence") < self.choice.threshold
        return is_scored() & unsure

    def is_due(self) -> Column:
        """Return whether the full model has to score a text: escalated, or in the audit sample."""
        return self.is_escalated() | is_audited(self.audit_cut, self.config.seed)


def is_scored() -> Column:
    """Return whether a result has a sentiment."""
    return F.col("error_code").isNull() & F.col("sentiment").isNotNull()


def audit_rank(seed: int) -> Column:
    """Return a text's place in a random order: its key and the seed decide alone, so a rerun draws the same sample."""
    return F.xxhash64(F.lit(seed), *KEYS)


def audit_cut(results: DataFrame, config: CascadeConfig) -> int | None:
    """Return the rank up to which scored texts are in the audit sample of `audit_size`; None where none was scored."""
    ranks = results.where(is_scored()).select(audit_rank(config.seed).alias("rank"))
    row = ranks.orderBy("rank").limit(config.audit_size).agg(F.max("rank").alias("cut")).first()
    return row["cut"] if row else None


def is_audited(cut: int | None, seed: int) -> Column:
    """Return whether a text is in the audit sample."""
    return is_scored() & (audit_rank(seed) <= F.lit(cut)) if cut is not None else F.lit(False)


def escalate(
    base: ScoreStore,
    full: ScoreStore,
    texts: DataFrame,
    config: CascadeConfig,
    score: Callable[[DataFrame, int], None],
) -> Cascade:
    """Let the full model score the audit sample and, below the threshold chosen on it, the texts that are left to it.

    Args:
        base: holds the cheap model's results of all `texts`.
        full: receives the full model's; what it has is not scored again.
        texts: distinct texts of the run (content_key, lang_hint, text).
        score: scores texts into `full`; called for the sample (0) and for what is escalated (1).
    """

    def score_due(due: DataFrame, part: int) -> None:
        wanted = texts.join(due.select(*KEYS), on=list(KEYS), how="left_semi")
        pending = unseen(wanted, full).persist(StorageLevel.MEMORY_AND_DISK)
        score(pending, part)
        pending.unpersist()

    columns = (*KEYS, "sentiment", "sentiment_confidence", "error_code")
    results = base.lookup(texts).select(*columns).persist(StorageLevel.MEMORY_AND_DISK)
    cut = audit_cut(results, config)
    score_due(results.where(is_audited(cut, config.seed)), 0)
    choice = choose(results, full.lookup(texts), cut, config)
    cascade = Cascade(base.model_key, full.model_key, config, cut, choice)
    score_due(results.where(cascade.is_escalated()), 1)
    results.unpersist()
    return cascade


def choose(base: DataFrame, full: DataFrame, cut: int | None, config: CascadeConfig) -> Choice:
    """Choose the threshold on the audited texts that the full model could score.

    Args:
        base: results of the cheap model, one row per text of the run.
        full: results of the full model, one row per text, at least for the audit sample.
    """
    theirs = full.where(is_scored()).select(*KEYS, F.col("sentiment").alias("full_sentiment"))
    # one row per key on both sides
    audited = base.where(is_audited(cut, config.seed)).join(theirs, on=list(KEYS), how="inner")
    agrees = (F.col("sentiment") == F.col("full_sentiment")).alias("agrees")
    sample = audited.select("sentiment_confidence", agrees).toPandas()  # bounded: cascade.audit_size rows
    return choose_threshold(
        sample["sentiment_confidence"].to_numpy(float),
        sample["agrees"].to_numpy(bool),
        config.min_agreement,
        config.confidence,
    )


def decided(base: DataFrame, full: DataFrame, cascade: Cascade) -> DataFrame:
    """Give every text its published sentiment: the full model's where it was due and could score the text, else the cheap one's.

    Args:
        base: results of the cheap model, one row per text.
        full: results of the full model, one row per text; those that are not due are ignored.

    Returns:
        `base` with the sentiment columns decided, and `sentiment_model_key`, `is_escalated`, `is_full_error`.
    """
    theirs = full.where(is_scored()).select(*KEYS, F.struct(*SENTIMENT).alias("full"))
    # at most one row per key on the right
    joined = base.join(theirs, on=list(KEYS), how="left")
    is_due, has_full = cascade.is_due(), F.col("full").isNotNull()
    takes = is_due & has_full
    columns = {name: F.when(takes, F.col("full")[name]).otherwise(F.col(name)) for name in SENTIMENT}
    marks = {
        "sentiment_model_key": F.when(takes, cascade.full_key).otherwise(cascade.base_key),
        "is_escalated": cascade.is_escalated(),
        "is_full_error": is_due & ~has_full,
    }
    return joined.withColumns(columns | marks).drop("full")


def text_counts(documents: DataFrame) -> DataFrame:
    """Count the distinct scored texts of each night: all, escalated, and those the full model failed on."""
    texts = documents.where(F.col("is_canonical") & is_scored())
    return texts.groupBy(RUN_DATE).agg(
        F.count("*").alias("n_texts"),
        F.count_if("is_escalated").alias("n_escalated"),
        F.count_if("is_full_error").alias("n_full_errors"),
    )


def report_rows(
    cascade: Cascade, counts: Mapping[date, Mapping[str, int]], dates: Sequence[date]
) -> list[dict[str, Any]]:
    """Return the rows of `cascade_report`, one per night; a night without texts counts 0."""
    found = {name: value for name, value in asdict(cascade.choice).items() if name != "n"}
    run = found | {
        "cascade_key": cascade.key(),
        "base_model_key": cascade.base_key,
        "full_model_key": cascade.full_key,
        "min_agreement": cascade.config.min_agreement,
        "confidence": cascade.config.confidence,
        "n_audit": cascade.choice.n,
        "is_fallback": cascade.choice.threshold is None,
    }
    nothing = {"n_texts": 0, "n_escalated": 0, "n_full_errors": 0}
    rows = [{**run, **nothing, **counts.get(day, {}), "run_date": day} for day in dates]
    return [row | {"share_escalated": row["n_escalated"] / row["n_texts"] if row["n_texts"] else None} for row in rows]


def summary(cascade: Cascade, rows: Sequence[Mapping[str, Any]]) -> str:
    """Say in one line what the cascade did, given the rows of `cascade_report`."""
    choice, target = cascade.choice, cascade.config.min_agreement
    n, n_escalated = (sum(row[name] for row in rows) for name in ("n_texts", "n_escalated"))
    found = (
        f"{choice.n:,} audited texts do not show an agreement of {target}: the full model decides"
        if choice.threshold is None
        else f"threshold {choice.threshold}, agreement {choice.agreement:.4f} (at least {choice.agreement_low:.4f})"
    )
    return f"{found}; {n_escalated:,} of {n:,} texts escalated"
