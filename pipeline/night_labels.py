"""The label stage of a night: heads of the user's own on the vectors the night has staged. No text is read, no encoder runs.

A head is no part of `model_key`: with another one nothing is scored again.
"""

from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.config import NightlyConfig
from pipeline.doc_labels import resolve_heads, with_labels
from pipeline.documents import DOC_ID, RUN_DATE, counting_unit
from pipeline.errors import ModelError
from pipeline.intervals import wilson
from pipeline.label_tables import DOC_LABELS, LABELS_DAILY
from pipeline.model_lock import encoder_identity
from pipeline.table import Table
from udfs.spec import HeadSpec, ScoreSpec

LabelHeads = Sequence[tuple[str, HeadSpec]]
"""Heads with their tasks."""

_CELL = (RUN_DATE, "event_date", "group_key", "lang", "task")


def resolve_label_heads(config: NightlyConfig, spec: ScoreSpec) -> LabelHeads:
    """Find and verify the heads of `model.heads`.

    Raises:
        ModelError: see `pipeline.doc_labels.resolve_heads`; or the heads were trained on none of the night's encoders.
    """
    if not config.model.heads:
        return ()
    heads, sha256 = resolve_heads(config.model.heads, config.model.lock, "model.heads")
    encoders = {encoder_identity(route.encoder): route.encoder.name for route in spec.routes()}
    if sha256 not in encoders:
        names = " and ".join(encoders.values())
        raise ModelError(
            f"model.heads: {', '.join(head.name for _, head in heads)} was trained on another encoder than those of the night "
            f"({names}); train it with model.embedding: {spec.encoder.name}"
        )
    return heads


def stage_labels(
    spark: SparkSession,
    heads: LabelHeads,
    doc_embeddings: DataFrame,
    doc_scores: DataFrame,
    stage: Callable[[DataFrame, Table], None],
    staged: Callable[[Table], DataFrame],
) -> int:
    """Stage `doc_labels` and `labels_daily` of the run's nights; return the number of labels. Without heads both are empty.

    Args:
        stage: writes a table where no reader looks; `staged` reads it back.
    """
    if not heads:
        for table in (DOC_LABELS, LABELS_DAILY):
            stage(spark.createDataFrame([], table.struct()), table)
        return 0
    stage(with_labels(doc_embeddings, doc_scores, heads), DOC_LABELS)
    labels = staged(DOC_LABELS)
    stage(to_labels_daily(labels, doc_scores), LABELS_DAILY)
    return labels.count()


def to_labels_daily(doc_labels: DataFrame, doc_scores: DataFrame) -> DataFrame:
    """Return `labels_daily`. Of a group of near-duplicates in one cell the first document's label counts."""
    documents = doc_scores.select(
        RUN_DATE, DOC_ID, "event_ts", "group_key", "lang", "content_key", "dup_group_id", "sentiment_score"
    )
    # (run_date, doc_id) identifies a document on the right
    rows = doc_labels.select(RUN_DATE, DOC_ID, "event_date", "task", "label", "head", "model_key").join(
        documents, [RUN_DATE, DOC_ID], "inner"
    )
    of_unit = Window.partitionBy(*_CELL, counting_unit()).orderBy("event_ts", DOC_ID)
    first = F.row_number().over(of_unit) == 1
    score = F.when(F.col("is_first"), F.col("sentiment_score").cast("decimal(9,6)"))
    cells = rows.withColumn("is_first", first).groupBy(*_CELL, "label", "head", "model_key").agg(
        F.count("*").alias("n_docs"), F.count_if("is_first").alias("n_effective"),
        F.avg(score).cast("double").alias("mean_sentiment"),
    )  # fmt: skip
    total = F.sum("n_effective").over(Window.partitionBy(*_CELL))
    low, high = wilson(F.col("n_effective"), F.col("total"))
    shares = {"share": F.col("n_effective") / F.col("total"), "ci_low": low, "ci_high": high}
    return cells.withColumn("total", total).withColumns(shares).drop("total")
