"""The tables `topics`, `topics_daily` and `topic_lineage`."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE, counting_unit
from pipeline.intervals import wilson
from pipeline.table import EVIDENCE, LONGS, PHRASES, VECTOR
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
        T.StructField("label_fit", T.DoubleType()),
        T.StructField("coherence", T.DoubleType()),
        T.StructField("centroid", VECTOR),
        T.StructField("usual_distance", T.DoubleType()),
        T.StructField("parent_topic_id", T.LongType()),
        T.StructField("first_seen", T.DateType()),
        T.StructField("status", T.StringType()),
        T.StructField("topic_model_key", T.StringType()),
    ]
)
_EVENTS = T.StructType(
    [
        T.StructField(RUN_DATE, T.DateType()),
        T.StructField("event", T.StringType()),
        T.StructField("from_topic_ids", LONGS),
        T.StructField("to_topic_ids", LONGS),
        T.StructField("overlap", T.DoubleType()),
        T.StructField("similarity", T.DoubleType()),
        T.StructField("topic_model_key", T.StringType()),
    ]
)
Models = Mapping[date, TopicModel]
"""The topic model in force on each night; empty before the first fit."""


def _topic_frame(spark: SparkSession, models: Models) -> DataFrame:
    """Return one row per night and topic of its model; a model has at most a few hundred."""
    by_key = {m.spec.key: m for m in models.values()}
    rows = [
        (
            t.topic_id, t.label, "ctfidf", list(t.keyphrases), t.label_fit, t.coherence, list(t.centroid),
            t.usual_distance, t.parent_topic_id, t.first_seen, "dormant" if t.dormant_since else "active", key,
        )
        for key, model in by_key.items()
        for t in model.topics
    ]  # fmt: skip
    nights = [(night, model.spec.key) for night, model in models.items()]
    in_force = spark.createDataFrame(nights, f"{RUN_DATE} date, topic_model_key string")
    return in_force.join(F.broadcast(spark.createDataFrame(rows, _TOPICS)), on="topic_model_key", how="inner")


def to_topics_daily(doc_scores: DataFrame, models: Models, model_key: str, cascade_key: str | None = None) -> DataFrame:
    """Aggregate `doc_scores` to one row per night and active topic, topics without documents included."""
    counted = doc_scores.where(F.col("topic_id").isNotNull()).groupBy(RUN_DATE, "topic_id").agg(
        F.count("*").alias("n_docs"),
        F.count_distinct(counting_unit()).alias("n_effective"),
        F.count_if("is_other").alias("n_other"),
        F.sum(F.col("sentiment_score").cast("decimal(9,6)")).alias("score_sum"),
    )  # fmt: skip
    # every (night, topic) once on the left, at most once on the right
    active = _topic_frame(doc_scores.sparkSession, models).where(F.col("status") == "active")
    grid = active.select(RUN_DATE, "topic_id", "topic_model_key")
    full = grid.join(counted, on=[RUN_DATE, "topic_id"], how="left").fillna(0, ["n_docs", "n_effective", "n_other"])
    day_total = F.sum("n_docs").over(Window.partitionBy(RUN_DATE))
    rows = full.withColumn("n_day", day_total)
    low, high = wilson(F.col("n_docs"), F.col("n_day"))
    return rows.select(
        RUN_DATE, F.col(RUN_DATE).alias("event_date"), "topic_id", "n_docs", "n_effective", "n_other",
        F.when(F.col("n_day") > 0, F.col("n_docs") / F.col("n_day")).alias("share"),
        low.alias("ci_low"), high.alias("ci_high"),
        F.when(F.col("n_docs") > 0, F.col("score_sum").cast("double") / F.col("n_docs")).alias("mean_sentiment"),
        "topic_model_key", F.lit(model_key).alias("model_key"), F.lit(cascade_key).cast("string").alias("cascade_key"),
    )  # fmt: skip


def to_topics(
    doc_scores: DataFrame, documents: DataFrame, models: Models, model_key: str, seen: Mapping[int, date]
) -> DataFrame:
    """Return each night's topics with the documents nearest to the centroid as evidence.

    Quotes are the beginning of the normalised text with personal data masked, at most 200 characters; `start` and `end` count
    characters of the normalised text before masking. Exact duplicates give one piece of evidence.

    Args:
        seen: by topic, the last night before these with documents of it.
    """
    spark = doc_scores.sparkSession
    has_topic = doc_scores.where(F.col("topic_id").isNotNull())
    counted = has_topic.groupBy(RUN_DATE, "topic_id").agg(
        F.count("*").alias("n_docs"),
        F.count_distinct(counting_unit()).alias("n_effective"),
        F.count_if("is_other").alias("n_other"),
    )
    full = (
        _topic_frame(spark, models)
        .join(counted, [RUN_DATE, "topic_id"], "left")
        .join(_evidence(has_topic, documents), [RUN_DATE, "topic_id"], "left")
        .join(F.broadcast(spark.createDataFrame(list(seen.items()), "topic_id bigint, seen date")), "topic_id", "left")
    )
    up_to_now = Window.partitionBy("topic_id").orderBy(RUN_DATE)
    last = F.coalesce(F.max(F.when(F.col("n_docs") > 0, F.col(RUN_DATE))).over(up_to_now), "seen")
    return full.withColumn("last_seen", last).fillna(0, ["n_docs", "n_effective", "n_other"]).select(
        RUN_DATE, "topic_id", "label", "label_source", "keyphrases", "label_fit", "coherence",
        "n_docs", "n_effective", "n_other", "centroid", "usual_distance", "parent_topic_id",
        "first_seen", "last_seen", "status",
        F.coalesce(F.transform("ranked", lambda r: r["e"]), F.array()).cast(EVIDENCE).alias("evidence"),
        "topic_model_key", F.lit(model_key).alias("model_key"),
    )  # fmt: skip


def to_topic_lineage(spark: SparkSession, models: Models, model_key: str) -> DataFrame:
    """Return the events of each model on its first night in force."""
    rows = [
        (night, e.event, list(e.from_topic_ids), list(e.to_topic_ids), e.overlap, e.similarity, model.spec.key)
        for night, model in models.items()
        if model.valid_from == night
        for e in model.events
    ]
    return spark.createDataFrame(rows, _EVENTS).withColumn("model_key", F.lit(model_key))


def _evidence(has_topic: DataFrame, documents: DataFrame) -> DataFrame:
    """Return (run_date, topic_id, ranked): the quotes of the nearest documents, in order."""
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
    return quoted.groupBy(RUN_DATE, "topic_id").agg(F.sort_array(F.collect_list(piece)).alias("ranked"))
