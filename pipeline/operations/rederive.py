"""Making published nights anew without some documents: from their remaining rows, by the functions that made them, as a new run.

No model is loaded: scores, vectors and topics of the remaining documents stay as they were published.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline import run_schemas, schemas
from pipeline.config import NightlyConfig
from pipeline.documents import DUP_GROUP_ID, RUN_DATE
from pipeline.errors import PublishError
from pipeline.history import read_history
from pipeline.label_tables import DOC_LABELS, LABELS_DAILY
from pipeline.model_record import record_path
from pipeline.night_labels import to_labels_daily
from pipeline.night_patterns import (
    PatternRun,
    duplicates,
    stage_cells,
    stage_movements,
    stage_patterns,
    with_groups,
)
from pipeline.operations.forgotten import Subject
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY, ASPECT_DAILY, DOC_ASPECTS
from pipeline.patterns.aspects import to_aspect_cells, to_aspect_daily
from pipeline.patterns.dup_group_tables import DUP_GROUPS, Duplicates
from pipeline.patterns.keyphrase_tables import PHRASE_COUNTS
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.run_counts import night_counts
from pipeline.run_tables import with_common
from pipeline.scoring import topics_folder
from pipeline.sentiment import to_sentiment_daily
from pipeline.staging import read_staged, stage_table
from pipeline.table import EVIDENCE, Table
from pipeline.topic_runs import last_seen_before
from pipeline.topic_tables import to_topics, to_topics_daily
from pipeline.topics import TopicModel

_BY_NUMBERS = (CELLS_DAILY, ANOMALIES, TREND_DRIVERS, TRENDS)
"""Pattern tables that are made from `doc_scores` and other tables, without a text."""


@dataclass(frozen=True)
class Rederived:
    """A run to be made from published nights of one earlier run.

    Attributes:
        source: the run the nights show now.
        forgotten: run_date, doc_id of what is left out, each once.
        texts: run_date, doc_id, text, ... of the remaining documents; None where the corpus is not to be had: then tables of
            phrases are taken over but for quotes of forgotten documents, and duplicate groups with a forgotten member dissolved.
    """

    root: Path
    run_id: str
    source: str
    dates: Sequence[date]
    started_at: datetime
    config: NightlyConfig
    subject: Subject
    forgotten: DataFrame
    texts: DataFrame | None

    def published(self, spark: SparkSession, table: Table) -> DataFrame:
        """Return a table's rows of the nights as they are published now."""
        return read_history(spark, self.root, table, self.dates)

    def stage(self, frame: DataFrame, table: Table) -> None:
        """Write a table's nights where no reader looks."""
        stage_table(with_common(frame, self.run_id, self.started_at), table, self.root, self.run_id, self.dates)

    def staged(self, spark: SparkSession, table: Table) -> DataFrame:
        """Read a table back."""
        return read_staged(spark, table, self.root, self.run_id)


def stage_rederived(spark: SparkSession, run: Rederived) -> None:
    """Stage every table of the nights.

    Raises:
        PublishError: the topic model of a night is not there any more.
    """
    models = _topic_models(spark, run)
    found = _stage_documents(spark, run)
    done = {schemas.DOC_SCORES.name, schemas.DOC_EMBEDDINGS.name, schemas.REJECTS.name, DUP_GROUPS.name}
    done |= _stage_aggregates(spark, run, models)
    done |= _stage_patterns(spark, run, found)
    done |= _stage_aspects(spark, run)
    done |= _stage_labels(spark, run)
    stage_movements(spark, _pattern_run(spark, run))
    for table in schemas.TABLES:
        if table.name not in done and table is not run_schemas.RUNS:
            run.stage(_pruned(run, run.published(spark, table), table), table)
    run.stage(_runs(spark, run), run_schemas.RUNS)
    if record_path(run.root, run.source).exists():
        shutil.copyfile(record_path(run.root, run.source), record_path(run.root, run.run_id))


def _stage_documents(spark: SparkSession, run: Rederived) -> Duplicates | None:
    """Stage documents, vectors, rejected rows and duplicate groups."""
    remaining = _with_canonical(_without(run, run.published(spark, schemas.DOC_SCORES)))
    found = None
    if run.texts is not None:
        found = duplicates(spark, _pattern_run(spark, run), run.texts)
        groups = found.groups if found else spark.createDataFrame([], DUP_GROUPS.struct())
        run.stage(groups, DUP_GROUPS)
        run.stage(with_groups(remaining.drop(DUP_GROUP_ID), found), schemas.DOC_SCORES)
    else:
        broken = _broken_groups(spark, run)
        whole = run.published(spark, DUP_GROUPS).join(broken, [RUN_DATE, DUP_GROUP_ID], "left_anti")
        run.stage(_pruned(run, whole, DUP_GROUPS), DUP_GROUPS)
        marked = remaining.join(broken.withColumn("is_broken", F.lit(True)), [RUN_DATE, DUP_GROUP_ID], "left")
        kept = F.when(F.col("is_broken").isNull(), F.col(DUP_GROUP_ID))
        run.stage(marked.withColumn(DUP_GROUP_ID, kept), schemas.DOC_SCORES)
    run.stage(_without(run, run.published(spark, schemas.DOC_EMBEDDINGS)), schemas.DOC_EMBEDDINGS)
    run.stage(run.published(spark, schemas.REJECTS).where(~run.subject.is_meant()), schemas.REJECTS)
    return found


def _stage_aggregates(spark: SparkSession, run: Rederived, models: Mapping[date, TopicModel]) -> set[str]:
    doc_scores = run.staged(spark, schemas.DOC_SCORES)
    first = run.published(spark, run_schemas.RUNS).select("model_key").first()
    report = run.published(spark, run_schemas.CASCADE_REPORT).select("cascade_key").first()
    model_key, cascade_key = first["model_key"] if first else "", report["cascade_key"] if report else None
    run.stage(to_sentiment_daily(doc_scores, cascade_key), schemas.SENTIMENT_DAILY)
    seen = last_seen_before(spark, run.root, run.dates[0])
    texts = (
        run.texts if run.texts is not None else spark.createDataFrame([], "run_date date, doc_id string, text string")
    )
    topics = to_topics(doc_scores, texts, models, model_key, seen)
    if run.texts is None:
        quotes = _pruned(run, run.published(spark, schemas.TOPICS), schemas.TOPICS)
        # one row per night and topic on both sides
        topics = topics.drop("evidence").join(quotes.select(RUN_DATE, "topic_id", "evidence"), [RUN_DATE, "topic_id"])
    run.stage(topics, schemas.TOPICS)
    run.stage(to_topics_daily(doc_scores, models, model_key, cascade_key), schemas.TOPICS_DAILY)
    return {schemas.SENTIMENT_DAILY.name, schemas.TOPICS.name, schemas.TOPICS_DAILY.name}


def _stage_patterns(spark: SparkSession, run: Rederived, found: Duplicates | None) -> set[str]:
    doc_scores, patterns = run.staged(spark, schemas.DOC_SCORES), _pattern_run(spark, run)
    if run.texts is not None:
        stage_patterns(spark, patterns, run.texts, doc_scores)
        return {table.name for table in schemas.PATTERN_TABLES}
    if not run.config.patterns.enabled:
        return set()
    run.stage(run.published(spark, PHRASE_COUNTS), PHRASE_COUNTS)
    stage_cells(patterns, doc_scores)
    return {PHRASE_COUNTS.name, *(table.name for table in _BY_NUMBERS)}


def _stage_aspects(spark: SparkSession, run: Rederived) -> set[str]:
    """Stage the aspects of the remaining documents as they were judged, and count them again."""
    doc_scores = run.staged(spark, schemas.DOC_SCORES).select(
        RUN_DATE, "doc_id", "event_ts", "source", "group_key", "topic_id", "content_key", DUP_GROUP_ID
    )
    report = run.published(spark, ASPECT_DAILY).select("cascade_key").first()
    remaining = _without(run, run.published(spark, DOC_ASPECTS))
    run.stage(remaining, DOC_ASPECTS)
    # (run_date, doc_id) identifies a document on the right
    joined = remaining.join(doc_scores, [RUN_DATE, "doc_id"], "inner")
    run.stage(to_aspect_daily(joined, report["cascade_key"] if report else None), ASPECT_DAILY)
    looked_for = run.published(spark, ASPECT_CELLS_DAILY).select(RUN_DATE, "aspect", "definition").distinct()
    run.stage(to_aspect_cells(joined, looked_for), ASPECT_CELLS_DAILY)
    return {table.name for table in schemas.ASPECT_TABLES}


def _stage_labels(spark: SparkSession, run: Rederived) -> set[str]:
    """Stage the labels of the remaining documents, and count them again."""
    remaining = _without(run, run.published(spark, DOC_LABELS))
    run.stage(remaining, DOC_LABELS)
    run.stage(to_labels_daily(remaining, run.staged(spark, schemas.DOC_SCORES)), LABELS_DAILY)
    return {DOC_LABELS.name, LABELS_DAILY.name}


def _pattern_run(spark: SparkSession, run: Rederived) -> PatternRun:
    decided = run.published(spark, run_schemas.CASCADE_REPORT).select(F.col("full_model_key").alias("key"))
    row = decided.first() or run.published(spark, run_schemas.RUNS).select(F.col("model_key").alias("key")).first()

    def complete(frame: DataFrame) -> DataFrame:
        return with_common(frame, run.run_id, run.started_at)

    return PatternRun(run.root, run.run_id, run.dates, run.config.patterns_read(), row["key"] if row else "", complete)


def _without(run: Rederived, documents: DataFrame) -> DataFrame:
    return documents.join(run.forgotten, [RUN_DATE, "doc_id"], "left_anti")


def _with_canonical(documents: DataFrame) -> DataFrame:
    """Where the first document of a text has gone, make the next one the first.

    The declared language is not published; documents of a text with the same language and confidence of it had the same result.
    """
    same = (RUN_DATE, "content_key", "lang", "lang_confidence")
    rank = F.row_number().over(Window.partitionBy(*same).orderBy("event_ts", "doc_id"))
    has_first = F.bool_or("is_canonical").over(Window.partitionBy(*same))
    marks = {"rank": rank, "has_first": has_first}
    first = F.col("is_canonical") | (~F.col("has_first") & (F.col("rank") == 1))
    return documents.withColumns(marks).withColumn("is_canonical", first).drop(*marks)


def _broken_groups(spark: SparkSession, run: Rederived) -> DataFrame:
    """Return run_date, dup_group_id of the groups that lose a member."""
    documents = run.published(spark, schemas.DOC_SCORES).where(F.col(DUP_GROUP_ID).isNotNull())
    return documents.join(run.forgotten, [RUN_DATE, "doc_id"], "left_semi").select(RUN_DATE, DUP_GROUP_ID).distinct()


def _pruned(run: Rederived, rows: DataFrame, table: Table) -> DataFrame:
    """Return the rows of a table that is taken over, without rows of forgotten documents and without quotes of them."""
    names = {c.name for c in table.columns}
    if "doc_id" in names:
        rows = _without(run, rows)
    if not any(c.name == "evidence" and c.dtype == EVIDENCE for c in table.columns):
        return rows
    gone = run.forgotten.groupBy(RUN_DATE).agg(F.collect_set("doc_id").alias("gone"))
    kept = F.filter(
        "evidence", lambda e: ~F.array_contains(F.coalesce("gone", F.array().cast("array<string>")), e["doc_id"])
    )
    return rows.join(gone, RUN_DATE, "left").withColumn("evidence", kept).drop("gone")


def _runs(spark: SparkSession, run: Rederived) -> DataFrame:
    """Return the nights' rows of `runs`, their counts those of the remaining documents."""
    counts = night_counts(run.staged(spark, schemas.DOC_SCORES))
    rejected = run.staged(spark, schemas.REJECTS).groupBy(RUN_DATE).agg(F.count("*").alias("rows_rejected"))
    names = [c for c in counts.columns if c != RUN_DATE]
    old = run.published(spark, run_schemas.RUNS).drop(*names, "rows_rejected", "rows_in")
    # one row per night everywhere
    new = old.join(counts, RUN_DATE, "left").join(rejected, RUN_DATE, "left").fillna(0, [*names, "rows_rejected"])
    parts = [n for n in names if n.startswith("rows_")] + ["rows_rejected"]
    total = sum((F.col(n) for n in parts[1:]), F.col(parts[0]))
    note = F.concat("warnings", F.array(F.lit(f"made from {run.source} without forgotten documents")))
    return new.withColumns({"rows_in": total, "warnings": note})


def _topic_models(spark: SparkSession, run: Rederived) -> dict[date, TopicModel]:
    """Return the topic model in force on each night, as published.

    Raises:
        PublishError: its files are gone.
    """
    from pipeline.topic_files import find_model

    keys = run.published(spark, run_schemas.RUNS).where(F.col("topic_model_key").isNotNull())
    found: dict[date, TopicModel] = {}
    for row in keys.select(RUN_DATE, "topic_model_key").collect():  # bounded: one row per night
        model = find_model(topics_folder(run.root), row["topic_model_key"])
        if model is None:
            raise PublishError(
                f"{topics_folder(run.root)}: no topic model {row['topic_model_key']}, which {row[RUN_DATE]} was published with; "
                "its topics cannot be made anew: run that night again without the documents"
            )
        found[row[RUN_DATE]] = model
    return found
