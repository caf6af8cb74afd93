"""One run of the nightly job: from the corpus' files to published tables. The steps, in order, are in `run_nights`."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import run_schemas, schemas
from pipeline.bridge import Bridge, to_rows
from pipeline.cascade import Cascade, decided, report_rows, summary, text_counts
from pipeline.chunks import tokens_per_chunk
from pipeline.config import NightlyConfig
from pipeline.corpus import read_corpus
from pipeline.documents import REASON, RUN_DATE, TEXT, accepted, to_documents, to_rejects, with_run_date
from pipeline.late import Mark, changed_nights, marks_of, with_late, write_marks
from pipeline.limits import Limits
from pipeline.model_record import write_record
from pipeline.night_aspects import SENTENCE_PART, scored_sentences, stage_aspects
from pipeline.night_labels import LabelHeads, stage_labels
from pipeline.night_patterns import PatternRun, duplicates, stage_movements, stage_patterns, with_groups
from pipeline.night_scoring import compare_models, escalated, score, score_into
from pipeline.patterns.dup_group_tables import DUP_GROUPS, Duplicates
from pipeline.placement import predicted_tokens
from pipeline.preflight import Corpus, recheck_corpus
from pipeline.progress import Stages
from pipeline.publish import TableAudit, audit, publish, read_staged, stage_table
from pipeline.quality import Check, Counts, check_contract, check_results, require
from pipeline.run_counts import night_counts
from pipeline.run_tables import (
    RunFacts,
    to_cascade_report,
    to_model_bridge,
    to_models,
    to_quality_checks,
    to_run_stages,
    to_runs,
    with_common,
)
from pipeline.scoring import to_scored_documents, with_nightly_topics, with_other, with_topics
from pipeline.sentiment import to_doc_embeddings, to_doc_scores, to_sentiment_daily
from pipeline.session import Executors
from pipeline.stage_profile import stage_profile
from pipeline.store import ScoreStore
from pipeline.table import Table
from pipeline.topic_runs import last_seen_before
from pipeline.topic_tables import to_topic_lineage, to_topics, to_topics_daily
from pipeline.topics import TopicModel
from udfs.spec import ScoreSpec

logger = logging.getLogger(__name__)


@dataclass
class Night:
    """What one run knows; filled as it goes and written to `run_results.json` whatever happens.

    `full_spec` is the full model of the cascade, None where there is no cascade. `topics` is the topic model of the last night,
    `nightly_topics` has that of each night.
    """

    config: NightlyConfig
    corpus: Corpus
    spec: ScoreSpec
    dates: Sequence[date]
    run_id: str
    started_at: datetime
    root: Path
    full_spec: ScoreSpec | None = None
    label_heads: LabelHeads = ()
    stages: Stages = field(default_factory=Stages)
    counts: dict[date, Counts] = field(default_factory=dict)
    reject_reasons: dict[str, int] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    audits: list[TableAudit] = field(default_factory=list)
    topics: TopicModel | None = None
    nightly_topics: dict[date, TopicModel] = field(default_factory=dict)
    cascade: Cascade | None = None
    cascade_report: list[dict[str, Any]] = field(default_factory=list)
    bridge: Bridge | None = None
    marks: dict[date, Mark] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    retry_errors: bool = False
    chunk_tokens: int = 1
    rows_left: int = 0
    texts_scored: int = 0
    scoring_seconds: float = 0.0
    model_loads: int = 0
    executors: Executors | None = None

    @property
    def deciding_spec(self) -> ScoreSpec:
        """The model a series of sentiment belongs to: the full model of a cascade, else the only one."""
        return self.full_spec or self.spec

    @property
    def bridge_rows(self) -> list[dict[str, Any]]:
        """The rows of `model_bridge`: on the first night that has documents; none where the model is the old one."""
        days = [c.run_date for c in self.counts.values() if c.rows_in > c.rows_rejected]
        return to_rows(self.bridge, min(days, default=self.dates[0]))


def run_nights(spark: SparkSession, night: Night) -> None:
    """Read, score, aggregate, check and publish the run's nights.

    Raises:
        ConfigError: the session cannot give what `scoring` asks for.
        DataError: the corpus or the results failed a check; nothing was published.
        PublishError: publishing failed; every table's nights are whole, old or new.
    """
    stage_profile(night.config.scoring, spark)  # fails before anything is read
    documents = _read(spark, night)
    kept = accepted(documents)
    store, fresh = score(spark, night, kept)
    full = escalated(spark, night, kept, store, night.full_spec) if night.full_spec else None
    compare_models(spark, night, kept)
    _stage_documents(spark, night, documents, store, fresh, full)
    _stage_labels(spark, night)
    _stage_aggregates(spark, night, kept)
    _stage_patterns(spark, night, kept)
    _stage_aspects(spark, night, kept)
    with night.stages.stage("movements") as stage:
        stage.rows = stage_movements(spark, pattern_run(night))
    _check(spark, night)
    recheck_corpus(night.corpus)
    _stage_run(spark, night)
    _publish(spark, night)


def _read(spark: SparkSession, night: Night) -> DataFrame:
    """Read the nights' rows and judge them; return them persisted. Fails before any model loads if a night is too bad."""
    with night.stages.stage("read") as stage:
        earliest = night.dates[0] - timedelta(days=night.config.input.lookback_days)
        raw = read_corpus(spark, night.config.input, night.corpus, earliest, night.dates[-1])
        rows = with_run_date(raw, earliest, night.dates[-1], night.corpus.may_lack_times)
        night.marks = marks_of(rows)
        _add_late(night, earliest)
        rows = rows.where(F.col(RUN_DATE).isin(list(night.dates)))
        rows_in = {day: night.marks[day].rows for day in night.dates if day in night.marks}
        # on disk: a large night's texts, and below its vectors, would crowd a small heap; the page cache serves them as well
        documents = to_documents(rows, night.config.input).persist(StorageLevel.DISK_ONLY)
        tokens = F.sum(F.coalesce(predicted_tokens(F.col(TEXT), night.spec), F.lit(0))).alias("tokens")
        sums = documents.groupBy(RUN_DATE, REASON).agg(F.count("*").alias("count"), tokens)
        judged = sums.collect()  # bounded: nights x six reasons
        stage.rows = sum(rows_in.values())
        night.chunk_tokens = tokens_per_chunk(sum(r["tokens"] for r in judged), night.config.scoring.tokens_per_task)
    for day in night.dates:
        reasons = {r[REASON]: r["count"] for r in judged if r[RUN_DATE] == day and r[REASON] is not None}
        for reason, n in reasons.items():
            night.reject_reasons[reason] = night.reject_reasons.get(reason, 0) + n
        night.counts[day] = Counts(day, rows_in.get(day, 0), sum(reasons.values()))
        night.checks += check_contract(night.counts[day], night.config.quality)
    require(night.checks)
    return documents


def _add_late(night: Night, earliest: date) -> None:
    """Add the nights of the lookback window that must be published anew."""
    changed, unknown = changed_nights(night.root, earliest, night.dates[0], night.marks)
    if unknown:
        logger.warning(
            f"warning   {len(unknown)} night(s) of the lookback window from {unknown[0]} on were published by an older version: "
            "whether their rows changed is not known; publish them again with --from and --to"
        )
    night.dates = with_late(night.root, night.dates, changed)
    if changed:
        logger.info(
            f"late      rows changed of {', '.join(map(str, changed))}; published anew from {night.dates[0]} on"
        )


def _stage_documents(
    spark: SparkSession,
    night: Night,
    documents: DataFrame,
    store: ScoreStore,
    written: list[Path],
    full: DataFrame | None,
) -> None:
    kept = accepted(documents)
    groups = _duplicates(spark, night, kept)
    with night.stages.stage("documents") as stage:
        results = with_topics(store.lookup(kept), night.topics.spec if night.topics else None)
        model_key = night.spec.model_key()
        if night.cascade and full is not None:
            results = decided(results, full, night.cascade)
        else:
            results = results.withColumn("sentiment_model_key", F.lit(model_key))
        joined = to_scored_documents(kept, results, store.read(only=written))
        with_own = with_other(with_nightly_topics(joined, night.nightly_topics, night.dates[-1]), night.nightly_topics)
        together = with_groups(with_own, groups).persist(StorageLevel.DISK_ONLY)
        _stage(night, to_doc_scores(together, model_key), schemas.DOC_SCORES)
        _stage(night, to_doc_embeddings(together, model_key), schemas.DOC_EMBEDDINGS)
        _stage(night, to_rejects(documents), schemas.REJECTS)
        if night.cascade:
            _report_cascade(night, night.cascade, together)
        together.unpersist()
        stage.rows = sum(c.rows_in for c in night.counts.values())


def _stage_labels(spark: SparkSession, night: Night) -> None:
    def staged(table: Table) -> DataFrame:
        return read_staged(spark, table, night.root, night.run_id)

    def stage_one(frame: DataFrame, table: Table) -> None:
        _stage(night, frame, table)

    with night.stages.stage("labels") as stage:
        vectors, scores = staged(schemas.DOC_EMBEDDINGS), staged(schemas.DOC_SCORES)
        stage.rows = stage_labels(spark, night.label_heads, vectors, scores, stage_one, staged)


def _duplicates(spark: SparkSession, night: Night, kept: DataFrame) -> Duplicates | None:
    with night.stages.stage("groups") as stage:
        run = pattern_run(night)
        found = duplicates(spark, run, kept)
        groups = found.groups if found else spark.createDataFrame([], DUP_GROUPS.struct())
        run.stage(groups, DUP_GROUPS)
        stage.rows = read_staged(spark, DUP_GROUPS, night.root, night.run_id).count()
    return found


def _stage_patterns(spark: SparkSession, night: Night, kept: DataFrame) -> None:
    with night.stages.stage("patterns") as stage:
        doc_scores = read_staged(spark, schemas.DOC_SCORES, night.root, night.run_id)
        stage.rows = stage_patterns(spark, pattern_run(night), kept, doc_scores)


def _stage_aspects(spark: SparkSession, night: Night, kept: DataFrame) -> None:
    """Score the sentences that mention an aspect as documents are scored: what the store has is not scored again."""

    def score(store: ScoreStore, pending: DataFrame, model: ScoreSpec) -> None:
        score_into(night, store, pending, model, SENTENCE_PART, "sentences")

    def judge(sentences: DataFrame) -> DataFrame:
        base = dataclasses.replace(night.spec, topics=night.topics.spec if night.topics else None)
        return scored_sentences(spark, night.root, sentences, base, night.full_spec, night.cascade, score)

    doc_scores = read_staged(spark, schemas.DOC_SCORES, night.root, night.run_id)
    cascade_key = night.cascade.key() if night.cascade else None
    stage_aspects(spark, pattern_run(night), kept, doc_scores, judge, night.stages, cascade_key)


def pattern_run(night: Night) -> PatternRun:
    """Return what the pattern stages need of a run."""

    def complete(frame: DataFrame) -> DataFrame:
        return with_common(frame, night.run_id, night.started_at)

    key = night.deciding_spec.model_key()
    return PatternRun(night.root, night.run_id, night.dates, night.config.patterns_read(), key, complete)


def _report_cascade(night: Night, cascade: Cascade, documents: DataFrame) -> None:
    rows = [row.asDict() for row in text_counts(documents).collect()]  # bounded: one row per night
    night.cascade_report = report_rows(cascade, {row.pop(RUN_DATE): row for row in rows}, night.dates)
    logger.info(f"cascade   {summary(cascade, night.cascade_report)}", extra={"event": "cascade"})


def _stage_aggregates(spark: SparkSession, night: Night, kept: DataFrame) -> None:
    """Aggregate what was staged, not what was computed: the tables agree with each other by construction."""
    model_key, cascade_key = night.spec.model_key(), night.cascade.key() if night.cascade else None
    with night.stages.stage("tables") as stage:
        doc_scores = read_staged(spark, schemas.DOC_SCORES, night.root, night.run_id).persist(
            StorageLevel.MEMORY_AND_DISK
        )
        daily = to_sentiment_daily(doc_scores, cascade_key)
        _stage(night, daily, schemas.SENTIMENT_DAILY)
        models, seen = night.nightly_topics, last_seen_before(spark, night.root, night.dates[0])
        _stage(night, to_topics(doc_scores, kept, models, model_key, seen), schemas.TOPICS)
        _stage(night, to_topics_daily(doc_scores, models, model_key, cascade_key), schemas.TOPICS_DAILY)
        _stage(night, to_topic_lineage(spark, models, model_key), schemas.TOPIC_LINEAGE)
        _count(night, doc_scores)
        doc_scores.unpersist()
        stage.rows = len(night.dates)


def _count(night: Night, doc_scores: DataFrame) -> None:
    """Fill the counts of each night from the staged documents."""
    rows = night_counts(doc_scores)
    for row in rows.collect():  # bounded: one row per night
        values = row.asDict()
        night.counts[values.pop(RUN_DATE)] = dataclasses.replace(night.counts[row[RUN_DATE]], **values)


def _check(spark: SparkSession, night: Night) -> None:
    for counts in night.counts.values():
        night.checks += check_results(counts, night.config.quality)
    require(night.checks)


def _stage_run(spark: SparkSession, night: Night) -> None:
    facts = RunFacts.of(night)
    with night.stages.stage("runs") as stage:
        _stage(night, to_quality_checks(spark, night.checks), run_schemas.QUALITY_CHECKS)
        _stage(night, to_models(spark, facts), run_schemas.MODELS)
        _stage(night, to_cascade_report(spark, night.cascade_report), run_schemas.CASCADE_REPORT)
        _stage(night, to_model_bridge(spark, night.bridge_rows), run_schemas.MODEL_BRIDGE)
        _stage(night, to_run_stages(spark, facts, night.stages.done), run_schemas.RUN_STAGES)
        _stage(night, to_runs(spark, facts, list(night.counts.values())), run_schemas.RUNS)
        write_record(night.root, night.run_id, night.deciding_spec)
        write_marks(night.root, night.run_id, night.dates, night.marks)
        stage.rows = len(night.dates)


def _publish(spark: SparkSession, night: Night) -> None:
    with night.stages.stage("audit") as stage:
        for table in schemas.TABLES:
            night.audits += audit(spark, table, night.root, night.run_id, night.dates)
        stage.rows = sum(a.rows for a in night.audits)
    with night.stages.stage("publish") as stage:
        output = night.config.output
        publish(spark, night.root, output.catalog, night.run_id, night.audits, iceberg=output.iceberg)
        stage.rows = len(night.audits)


def _stage(night: Night, frame: DataFrame, table: Table) -> None:
    common = with_common(frame, night.run_id, night.started_at)
    stage_table(common, table, night.root, night.run_id, night.dates)
