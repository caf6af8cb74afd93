"""Document and sentiment tables."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE, counting_unit
from pipeline.intervals import wilson
from pipeline.schemas import SENTIMENTS

_CELL = ("event_date", "source", "group_key", "lang", "topic_id")


def to_doc_scores(scored: DataFrame, model_key: str) -> DataFrame:
    """Return the `doc_scores` table (its own columns and run_date) of scored documents."""
    return scored.select(
        RUN_DATE, "doc_id", "source", "group_key", "event_ts", F.col(RUN_DATE).alias("event_date"), "content_key",
        "lang", "lang_confidence", "n_chars", "n_tokens", "n_chunks", "coverage",
        "sentiment", "sentiment_score", "sentiment_confidence", "sentiment_model", "topic_id", "topic_distance",
        "is_other", "is_canonical", "dup_group_id", "from_cache", F.lit(model_key).alias("model_key"), "sentiment_model_key",
        "error_code",
    )  # fmt: skip


def to_doc_embeddings(scored: DataFrame, model_key: str) -> DataFrame:
    """Return the `doc_embeddings` table of scored documents; documents without a vector have no row."""
    kept = scored.where(F.col("embedding").isNotNull())
    return kept.select(
        RUN_DATE,
        "doc_id",
        "content_key",
        "embedding",
        F.size("embedding").alias("dim"),
        F.lit(model_key).alias("model_key"),
    )


def to_sentiment_daily(doc_scores: DataFrame, cascade_key: str | None = None) -> DataFrame:
    """Aggregate `doc_scores` to one row per cell and label; labels without documents have rows with 0.

    The mean is taken over decimals, so it does not depend on the order in which rows are added.
    """
    labels = F.array(*[F.lit(label) for label in SENTIMENTS])
    # counted per label first, so that distinct texts need one pass; near-duplicates of two labels count once in each
    counted = doc_scores.groupBy(RUN_DATE, *_CELL, "model_key", "sentiment").agg(
        F.count("*").alias("n"),
        F.count_distinct(counting_unit()).alias("n_texts"),
        F.sum(F.col("sentiment_score").cast("decimal(9,6)")).alias("score_sum"),
    )
    is_label = {label: F.col("sentiment") == label for label in SENTIMENTS}
    cells = counted.groupBy(RUN_DATE, *_CELL, "model_key").agg(
        F.coalesce(F.sum(F.when(F.col("sentiment").isNotNull(), F.col("n"))), F.lit(0)).alias("n_scored"),
        F.coalesce(F.sum(F.when(F.col("sentiment").isNull(), F.col("n"))), F.lit(0)).alias("n_unscored"),
        F.sum("score_sum").alias("score_sum"),
        F.map_from_arrays(
            labels, F.array(*[F.coalesce(F.sum(F.when(is_label[s], F.col("n"))), F.lit(0)) for s in SENTIMENTS])
        ).alias("n_by_label"),
        F.map_from_arrays(
            labels, F.array(*[F.coalesce(F.sum(F.when(is_label[s], F.col("n_texts"))), F.lit(0)) for s in SENTIMENTS])
        ).alias("texts_by_label"),
    )
    rows = cells.withColumn("sentiment", F.explode(labels)).withColumns(
        {"n_docs": F.col("n_by_label")[F.col("sentiment")], "n_effective": F.col("texts_by_label")[F.col("sentiment")]}
    )
    low, high = wilson(F.col("n_docs"), F.col("n_scored"))
    any_scored = F.col("n_scored") > 0
    return rows.select(
        RUN_DATE, *_CELL, "sentiment", "n_docs", "n_effective", "n_scored", "n_unscored",
        F.when(any_scored, F.col("n_docs") / F.col("n_scored")).alias("share_raw"),
        low.alias("ci_low"), high.alias("ci_high"),
        F.when(any_scored, F.col("score_sum").cast("double") / F.col("n_scored")).alias("mean_score"),
        "model_key", F.lit(cascade_key).cast("string").alias("cascade_key"),
    )  # fmt: skip
