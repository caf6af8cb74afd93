"""One run of the nightly job: from the corpus' files to published tables. The steps, in order, are in `run_nights`."""

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import schemas
from pipeline.bridge import Bridge, bridge, changed_model, judged, to_rows
from pipeline.cascade import Cascade, decided, escalate, report_rows, summary, text_counts
from pipeline.config import NightlyConfig
from pipeline.corpus import read_corpus
from pipeline.documents import REASON, RUN_DATE, accepted, to_documents, to_rejects, to_texts, with_run_date
from pipeline.failpoints import failpoint
from pipeline.model_record import write_record
from pipeline.night_patterns import PatternRun, duplicates, stage_patterns, with_groups
from pipeline.patterns.dup_group_tables import DUP_GROUPS, Duplicates
from pipeline.placement import measured
from pipeline.preflight import Corpus, recheck_corpus
from pipeline.progress import Stage, Stages
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
from pipeline.scoring import (
    scored,
    store_name,
    to_scored_documents,
    topics_folder,
    unseen,
    with_nightly_topics,
    with_other,
    with_topics,
)
from pipeline.sentiment import to_doc_embeddings, to_doc_scores, to_sentiment_daily
from pipeline.session import Executors
from pipeline.stage_profile import stage_profile
from pipeline.store import ScoreStore
from pipeline.table import Table
from pipeline.topic_runs import (
    TopicPlace,
    in_sample,
    last_seen_before,
    recent_nights,
    recent_texts,
    refitted,
    sample_of,
)
from pipeline.topic_tables import to_topic_lineage, to_topics, to_topics_daily
from pipeline.topics import TopicModel, fit_topics, refit_due
from udfs.spec import ScoreSpec
from udfs.worker import Counters

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
    store, fresh = _score(spark, night, kept)
    full = _escalate(spark, night, kept, store, night.full_spec) if night.full_spec else None
    _bridge(spark, night, kept)
    _stage_documents(spark, night, documents, store, fresh, full)
    _stage_aggregates(spark, night, kept)
    _stage_patterns(spark, night, kept)
    _check(spark, night)
    recheck_corpus(night.corpus)
    _stage_run(spark, night)
    _publish(spark, night)


def _read(spark: SparkSession, night: Night) -> DataFrame:
    """Read the nights' rows and judge them; return them persisted. Fails before any model loads if a night is too bad."""
    with night.stages.stage("read") as stage:
        raw = read_corpus(spark, night.config.input, night.corpus, night.dates[0], night.dates[-1])
        rows = with_run_date(raw, night.dates[0], night.dates[-1])
        nights = rows.groupBy(RUN_DATE).count().collect()  # bounded: one row per night
        rows_in = {r[RUN_DATE]: r["count"] for r in nights}
        # on disk: a large night's texts, and below its vectors, would crowd a small heap; the page cache serves them as well
        documents = to_documents(rows, night.config.input).persist(StorageLevel.DISK_ONLY)
        judged = documents.groupBy(RUN_DATE, REASON).count().collect()  # bounded: nights x six reasons
        stage.rows = sum(rows_in.values())
    for day in night.dates:
        reasons = {r[REASON]: r["count"] for r in judged if r[RUN_DATE] == day and r[REASON] is not None}
        for reason, n in reasons.items():
            night.reject_reasons[reason] = night.reject_reasons.get(reason, 0) + n
        night.counts[day] = Counts(day, rows_in.get(day, 0), sum(reasons.values()))
        night.checks += check_contract(night.counts[day], night.config.quality)
    require(night.checks)
    return documents


def _score(spark: SparkSession, night: Night, kept: DataFrame) -> tuple[ScoreStore, list[Path]]:
    """Score what the store does not know. Returns the store and the folders this run wrote to it.

    Before there is a topic model, a bounded sample of the texts goes first and the model is fitted on it. Refits come after all
    texts are scored.
    """
    store = ScoreStore(spark, night.root, night.spec.model_key())
    with night.stages.stage("lookup") as stage:
        texts = to_texts(kept)
        pending = unseen(texts, store).persist(StorageLevel.MEMORY_AND_DISK)
        stage.rows = pending.count()
    place = TopicPlace(topics_folder(night.root), night.spec.space_key())
    night.topics = place.model(night.dates[-1])
    written: list[Path] = []
    if night.topics is None:
        is_first = in_sample("content_key", texts.count(), night.config.topics.sample_size)
        written += _score_part(night, store, pending.where(is_first), 0)
        _fit_topics(night, store, texts.where(is_first), place)
        written += _score_part(night, store, pending.where(~is_first), 1)
    else:
        written += _score_part(night, store, pending, 0)
    pending.unpersist()
    _refit_topics(spark, night, store, place)
    failpoint("after_score")
    return store, written


def _score_part(night: Night, store: ScoreStore, pending: DataFrame, part: int) -> list[Path]:
    spec = dataclasses.replace(night.spec, topics=night.topics.spec if night.topics else None)
    stage, written = _score_into(night, store, pending, spec, part, "score")
    night.texts_scored += stage.rows
    night.scoring_seconds += stage.seconds
    return written


def _score_into(
    night: Night, store: ScoreStore, pending: DataFrame, spec: ScoreSpec, part: int, name: str
) -> tuple[Stage, list[Path]]:
    """Score texts into a store as the stage `name`; nothing is written where there are none."""
    store.describe(spec.key_parts())
    load = measured(pending, spec)
    if load.rows == 0:
        return Stage(name), []
    context = pending.sparkSession.sparkContext
    counters = Counters(rows=context.accumulator(0), tokens=context.accumulator(0), model_loads=context.accumulator(0))
    with night.stages.stage(name, total_rows=load.rows, rows_so_far=lambda: counters.rows.value) as stage:
        results = scored(pending, load, spec, counters, night.config.scoring)
        path = store.write(results, store_name(night.run_id, part))
        stage.rows, stage.tokens = load.rows, counters.tokens.value
    night.model_loads += counters.model_loads.value
    return stage, [path]


def _escalate(spark: SparkSession, night: Night, kept: DataFrame, store: ScoreStore, spec: ScoreSpec) -> DataFrame:
    """Let the full model score what the cascade gives it. Returns its results of the run's texts, one row per text."""
    full, texts = ScoreStore(spark, night.root, spec.model_key()), to_texts(kept)

    def score(pending: DataFrame, part: int) -> None:
        _score_into(night, full, pending, spec, part, "cascade")

    night.cascade = escalate(store, full, texts, night.config.cascade, score)
    failpoint("after_cascade")
    return full.lookup(texts)


def _bridge(spark: SparkSession, night: Night, kept: DataFrame) -> None:
    """Compare the model with that of the last night published before this run, where it is another.

    Raises:
        DataError: see `pipeline.bridge.judged`.
    """
    spec, config = night.deciding_spec, night.config.model_change
    old = changed_model(night.root, spec, night.dates[0])
    if old is None:
        return

    def score(store: ScoreStore, pending: DataFrame, model: ScoreSpec, part: int) -> None:
        _score_into(night, store, pending, model, part, "bridge")

    stores = tuple(ScoreStore(spark, night.root, key) for key in (old.key, spec.model_key()))
    night.bridge = bridge(old, spec, (stores[0], stores[1]), to_texts(kept), config, score)
    for line in judged(night.bridge, config):
        logger.warning(f"bridge    {line}", extra={"event": "bridge"})


def _fit_topics(night: Night, store: ScoreStore, texts: DataFrame, place: TopicPlace) -> None:
    """Fit the first topic model on the scored texts of the sample, at most `topics.sample_size` of them."""
    config = night.config.topics
    with night.stages.stage("topics") as stage:
        sample, _ = sample_of(texts, store, config.sample_size)
        stage.rows = len(sample.texts)
        if stage.rows < config.min_texts:
            logger.info(f"topics    not fitted: {stage.rows} scored texts, topics.min_texts is {config.min_texts}")
            return
        night.topics = fit_topics(place.folder, place.name, night.dates[0], sample, config, night.dates[-1])


def _refit_topics(spark: SparkSession, night: Night, store: ScoreStore, place: TopicPlace) -> None:
    """Find each night's topic model; where a night is due for a new one, fit it on the recent nights of the corpus."""
    config = night.config.topics
    for day in night.dates:
        model = place.model(day)
        if model is None:
            return
        if refit_due(place.folder, place.name, model, day, config):
            with night.stages.stage("topics") as stage:
                nights = recent_nights(night.root, night.dates, day, config.history_nights)
                texts = recent_texts(spark, night.config.input, night.corpus, nights, config.sample_size)
                model = refitted(place, model, store, texts, day, config)
                stage.rows = model.n_sample if model.valid_from == day else 0
        night.nightly_topics[day] = model
    night.topics = night.nightly_topics[night.dates[-1]]


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


def pattern_run(night: Night) -> PatternRun:
    """Return what the pattern stages need of a run."""

    def complete(frame: DataFrame) -> DataFrame:
        return with_common(frame, night.run_id, night.started_at)

    key = night.deciding_spec.model_key()
    return PatternRun(night.root, night.run_id, night.dates, night.config.patterns, key, complete)


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
        _stage(night, to_quality_checks(spark, night.checks), schemas.QUALITY_CHECKS)
        _stage(night, to_models(spark, facts), schemas.MODELS)
        _stage(night, to_cascade_report(spark, night.cascade_report), schemas.CASCADE_REPORT)
        _stage(night, to_model_bridge(spark, night.bridge_rows), schemas.MODEL_BRIDGE)
        _stage(night, to_run_stages(spark, facts, night.stages.done), schemas.RUN_STAGES)
        _stage(night, to_runs(spark, facts, list(night.counts.values())), schemas.RUNS)
        write_record(night.root, night.run_id, night.deciding_spec)
        stage.rows = len(night.dates)


def _publish(spark: SparkSession, night: Night) -> None:
    with night.stages.stage("audit") as stage:
        for table in schemas.TABLES:
            night.audits += audit(spark, table, night.root, night.run_id, night.dates)
        stage.rows = sum(a.rows for a in night.audits)
    with night.stages.stage("publish") as stage:
        publish(spark, night.root, night.config.output.catalog, night.run_id, night.audits)
        stage.rows = len(night.audits)


def _stage(night: Night, frame: DataFrame, table: Table) -> None:
    common = with_common(frame, night.run_id, night.started_at)
    stage_table(common, table, night.root, night.run_id, night.dates)
