"""The tables `topics` and `topics_daily`."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE, counting_unit
from pipeline.intervals import wilson
from pipeline.table import EVIDENCE, PHRASES, VECTOR
from pipeline.text import masked
from pipeline.topics import TopicModel

_EVIDENCE_DOCS = 5
_QUOTE_CHARS = 200
_HEAD_CHARS = 1_000
"""Masked before the quote is cut from it, so that the cut leaves no half of an address that no rule would know."""
_TOPICS = T.StructType(
    [
        T.StructField("topic_id", T.LongType()),
        T.StructField("label", T.StringType()),
        T.StructField("label_source", T.StringType()),
        T.StructField("keyphrases", PHRASES),
        T.StructField("centroid", VECTOR),
        T.StructField("first_seen", T.DateType()),
        T.StructField("topic_model_key", T.StringType()),
    ]
)


def _topic_frame(spark: SparkSession, model: TopicModel | None) -> DataFrame:
    """Return one row per topic of the model; it has at most a few hundred."""
    rows = [
        (i, label, "ctfidf", list(phrases), list(centroid), model.first_seen, model.spec.key)
        for i, (label, phrases, centroid) in enumerate(zip(model.labels, model.keyphrases, model.centroids, strict=True))
    ] if model else []  # fmt: skip
    return spark.createDataFrame(rows, _TOPICS)


def _nights(spark: SparkSession, dates: Sequence[date]) -> DataFrame:
    return spark.createDataFrame([(d,) for d in dates], T.StructType([T.StructField(RUN_DATE, T.DateType())]))


def to_topics_daily(
    doc_scores: DataFrame,
    model: TopicModel | None,
    dates: Sequence[date],
    model_key: str,
    cascade_key: str | None = None,
) -> DataFrame:
    """Aggregate `doc_scores` to one row per night and topic, topics without documents included."""
    spark = doc_scores.sparkSession
    counted = doc_scores.where(F.col("topic_id").isNotNull()).groupBy(RUN_DATE, "topic_id").agg(
        F.count("*").alias("n_docs"),
        F.count_distinct(counting_unit()).alias("n_effective"),
        F.sum(F.col("sentiment_score").cast("decimal(9,6)")).alias("score_sum"),
    )  # fmt: skip
    # every (night, topic) once on the left, at most once on the right
    grid = _nights(spark, dates).crossJoin(_topic_frame(spark, model).select("topic_id", "topic_model_key"))
    full = grid.join(counted, on=[RUN_DATE, "topic_id"], how="left").fillna(0, ["n_docs", "n_effective"])
    day_total = F.sum("n_docs").over(Window.partitionBy(RUN_DATE))
    rows = full.withColumn("n_day", day_total)
    low, high = wilson(F.col("n_docs"), F.col("n_day"))
    return rows.select(
        RUN_DATE, F.col(RUN_DATE).alias("event_date"), "topic_id", "n_docs", "n_effective",
        F.when(F.col("n_day") > 0, F.col("n_docs") / F.col("n_day")).alias("share"),
        low.alias("ci_low"), high.alias("ci_high"),
        F.when(F.col("n_docs") > 0, F.col("score_sum").cast("double") / F.col("n_docs")).alias("mean_sentiment"),
        "topic_model_key", F.lit(model_key).alias("model_key"), F.lit(cascade_key).cast("string").alias("cascade_key"),
    )  # fmt: skip


def to_topics(
    doc_scores: DataFrame, documents: DataFrame, model: TopicModel | None, dates: Sequence[date], model_key: str
) -> DataFrame:
    """Return each night's topics with the documents nearest to the centroid as evidence.

    Quotes are the beginning of the normalised text with personal data masked, at most 200 characters; `start` and `end` count
    characters of the normalised text before masking. Exact duplicates give one piece of evidence.
    """
    spark = doc_scores.sparkSession
    has_topic = doc_scores.where(F.col("topic_id").isNotNull())
    counted = has_topic.groupBy(RUN_DATE, "topic_id").agg(
        F.count("*").alias("n_docs"), F.count_distinct(counting_unit()).alias("n_effective")
    )
    nearest = Window.partitionBy(RUN_DATE, "topic_id").orderBy("topic_distance", "doc_id")
    first = has_topic.where("is_canonical").withColumn("rank", F.row_number().over(nearest))
    chosen = first.where(F.col("rank") <= _EVIDENCE_DOCS).select(RUN_DATE, "topic_id", "doc_id", "rank")
    # (run_date, doc_id) identifies a document; the chosen ones are few
    quoted = documents.select(RUN_DATE, "doc_id", F.left("text", F.lit(_HEAD_CHARS)).alias("head")).join(
        F.broadcast(chosen), on=[RUN_DATE, "doc_id"], how="inner"
    )
    quote = F.left(masked(F.col("head")), F.lit(_QUOTE_CHARS)).alias("quote")
    end = F.least(F.char_length("head"), F.lit(_QUOTE_CHARS)).alias("end")
    piece = F.struct("rank", F.struct("doc_id", quote, F.lit(0).alias("start"), end).alias("e"))
    evidence = quoted.groupBy(RUN_DATE, "topic_id").agg(F.sort_array(F.collect_list(piece)).alias("ranked"))
    rows = _nights(spark, dates).crossJoin(_topic_frame(spark, model))
    full = rows.join(counted, [RUN_DATE, "topic_id"], "left").join(evidence, [RUN_DATE, "topic_id"], "left")
    return full.fillna(0, ["n_docs", "n_effective"]).select(
        RUN_DATE, "topic_id", "label", "label_source", "keyphrases", "n_docs", "n_effective", "centroid", "first_seen",
        F.coalesce(F.transform("ranked", lambda r: r["e"]), F.array()).cast(EVIDENCE).alias("evidence"),
        "topic_model_key", F.lit(model_key).alias("model_key"),
    )  # fmt: skip
