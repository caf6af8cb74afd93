"""The table `dup_groups`, and the group of each document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import CONTENT_KEY, DOC_ID, EVENT_TS, RUN_DATE, SOURCE, TEXT
from pipeline.patterns.dup_group_ids import with_group_ids
from pipeline.patterns.near_duplicates import grouped_texts
from pipeline.patterns.near_duplicates_config import NearDuplicatesConfig
from pipeline.patterns.settled import settled
from pipeline.table import BOOLEAN, DATE, DOUBLE, EVIDENCE, INT, LONG, STRING, TIMESTAMP, Column, Table
from pipeline.text import masked

_EVIDENCE_TEXTS = 5
_QUOTE_CHARS = 200
_HEAD_CHARS = 1_000
_GROUP = (RUN_DATE, "dup_group_id")

DUP_GROUPS = Table(
    "dup_groups",
    "One row per group of two or more documents of the night with equal or nearly equal texts.",
    (
        Column("dup_group_id", STRING, "the group; nights on which the same or nearly the same text is repeated share it", False),
        Column("method", STRING, "what it took to find all its texts: `exact`, `minhash` or `semantic`", False),
        Column("n_docs", LONG, "documents", False),
        Column("n_texts", LONG, "distinct texts among them", False),
        Column("first_ts", TIMESTAMP, "time of the first document, UTC", False),
        Column("last_ts", TIMESTAMP, "time of the last document, UTC", False),
        Column("n_sources", LONG, "distinct sources among them; 0 where the corpus has none", False),
        Column("top_source_share", DOUBLE, "share of the documents from the source that has most of them, 0 to 1", False),
        Column("burst_share", DOUBLE, "largest share of the documents within `campaign_burst_hours`, 0 to 1", False),
        Column("n_tokens", INT, "words of the canonical text (characters where words are not written apart)", False),
        Column("canonical_doc_id", STRING, "first document with the canonical text", False),
        Column("canonical_key", STRING, "content key of the canonical text", False),
        Column("min_similarity", DOUBLE, "least similarity of a text of the group to the canonical text; 1 for one text", False),
        Column("mean_similarity", DOUBLE, "mean similarity of the other texts to the canonical text; 1 for one text", False),
        Column("is_campaign", BOOLEAN, "many copies of a long text, in a burst, most from one source; see the rule", False),
        Column("first_seen", DATE, "first night of the dup_group_id", False),
        Column("evidence", EVIDENCE, "the canonical text and the texts least like it; personal data in quotes is masked", False),
        Column("sketch", T.ArrayType(LONG), "hashed words of the canonical text, for later nights", False),
    ),
    key=("dup_group_id",),
)  # fmt: skip


@dataclass(frozen=True)
class Duplicates:
    """`groups` are rows of `dup_groups`; `members` is run_date, doc_id (unique in a night), content_key, dup_group_id, and
    the similarity of its text to the canonical text."""

    groups: DataFrame
    members: DataFrame


def find_duplicates(
    documents: DataFrame,
    dates: Sequence[date],
    config: NearDuplicatesConfig,
    history: DataFrame | None = None,
    embeddings: DataFrame | None = None,
) -> Duplicates:
    """Find the duplicate groups of the nights `dates`.

    Args:
        documents: accepted documents: run_date, doc_id, content_key, event_ts, source, text; other nights are ignored.
        history: published `dup_groups` of earlier nights, whose ids are carried on.
        embeddings: content_key (unique), embedding (unit vector); read where `semantic_similarity` is set.
    """
    of_nights = documents.where(F.col(RUN_DATE).isin(list(dates)))
    texts = settled(grouped_texts(of_nights, config, embeddings))
    size = F.sum("n_docs").over(Window.partitionBy(RUN_DATE, "canonical_key"))
    canonicals = texts.withColumn("n_docs", size).where(F.col(CONTENT_KEY) == F.col("canonical_key"))
    ids = with_group_ids(canonicals, history, dates, config)
    # (run_date, content_key) and (run_date, canonical_key) are unique on the right
    named = settled(texts.join(ids, on=[RUN_DATE, "canonical_key"], how="inner"))
    docs = of_nights.select(RUN_DATE, DOC_ID, CONTENT_KEY, EVENT_TS, SOURCE).join(
        named.drop("sketch", "n_docs", "n_tokens"), on=[RUN_DATE, CONTENT_KEY], how="inner"
    )
    members = docs.select(RUN_DATE, DOC_ID, CONTENT_KEY, "dup_group_id", "similarity")
    return Duplicates(_to_groups(of_nights, docs, named, config), members)


def _to_groups(documents: DataFrame, docs: DataFrame, texts: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    is_canonical = F.col(CONTENT_KEY) == F.col("canonical_key")
    of_texts = texts.groupBy(*_GROUP).agg(
        F.count("*").alias("n_texts"),
        F.bool_or("by_meaning").alias("by_meaning"),
        F.min("similarity").alias("min_similarity"),
        F.avg(F.when(~is_canonical, F.col("similarity").cast("decimal(12,9)"))).cast("double").alias("mean_other"),
        F.max(F.when(is_canonical, F.col("n_tokens"))).alias("n_tokens"),
        F.max(F.when(is_canonical, F.col("sketch"))).alias("sketch"),
        F.max("canonical_key").alias("canonical_key"),  # one value
        F.max("first_seen").alias("first_seen"),  # one value
    )
    # each has a row per group
    joined = of_texts.join(_of_documents(docs, config), on=list(_GROUP)).join(
        _evidence(documents, docs, texts), on=list(_GROUP)
    )
    method = F.when(F.col("by_meaning"), "semantic").when(F.col("n_texts") > 1, "minhash").otherwise("exact")
    return joined.select(
        RUN_DATE, "dup_group_id", method.alias("method"), "n_docs", "n_texts", "first_ts", "last_ts", "n_sources",
        "top_source_share", "burst_share", "n_tokens", "canonical_doc_id", "canonical_key", "min_similarity",
        F.coalesce("mean_other", F.lit(1.0)).alias("mean_similarity"), _is_campaign(config).alias("is_campaign"),
        "first_seen", "evidence", "sketch",
    )  # fmt: skip


def _is_campaign(config: NearDuplicatesConfig) -> SparkColumn:
    """Return whether a group is a campaign: all four conditions, so that what people just happen to say alike is none."""
    return (
        (F.col("n_docs") >= config.campaign_min_docs)
        & (F.col("n_tokens") >= config.campaign_min_tokens)
        & (F.col("burst_share") >= config.campaign_min_burst)
        & (F.col("top_source_share") >= config.campaign_min_source_share)
    )


def _of_documents(docs: DataFrame, config: NearDuplicatesConfig) -> DataFrame:
    """Return what is counted over a group's documents, one row per group."""
    seconds = F.unix_timestamp(EVENT_TS)
    ahead = Window.partitionBy(*_GROUP).orderBy(seconds).rangeBetween(0, config.campaign_burst_hours * 3_600)
    same_source = Window.partitionBy(*_GROUP, SOURCE)
    counted = docs.withColumns({"n_burst": F.count("*").over(ahead), "n_source": F.count("*").over(same_source)})
    canonical = F.when(F.col(CONTENT_KEY) == F.col("canonical_key"), F.struct(EVENT_TS, DOC_ID))
    grouped = counted.groupBy(*_GROUP).agg(
        F.count("*").alias("n_docs"),
        F.min(EVENT_TS).alias("first_ts"),
        F.max(EVENT_TS).alias("last_ts"),
        F.count_distinct(SOURCE).alias("n_sources"),
        F.max("n_source").alias("n_source"),
        F.max("n_burst").alias("n_burst"),
        F.min(canonical)[DOC_ID].alias("canonical_doc_id"),
    )
    shares = {
        "top_source_share": F.col("n_source") / F.col("n_docs"),
        "burst_share": F.col("n_burst") / F.col("n_docs"),
    }
    return grouped.withColumns(shares).drop("n_source", "n_burst")


def _evidence(documents: DataFrame, docs: DataFrame, texts: DataFrame) -> DataFrame:
    """Return quotes of a group: the first document of the canonical text and of the four texts least like it."""
    is_other = F.col(CONTENT_KEY) != F.col("canonical_key")
    rank = F.row_number().over(Window.partitionBy(*_GROUP).orderBy(is_other, "similarity", CONTENT_KEY))
    chosen = texts.select(*_GROUP, CONTENT_KEY, rank.alias("rank")).where(F.col("rank") <= _EVIDENCE_TEXTS)
    first = docs.groupBy(*_GROUP, CONTENT_KEY).agg(F.min(F.struct(EVENT_TS, DOC_ID))[DOC_ID].alias(DOC_ID))
    # (run_date, group, content_key) and (run_date, doc_id) are unique
    quoted = chosen.join(first, on=[*_GROUP, CONTENT_KEY], how="inner").join(
        documents.select(RUN_DATE, DOC_ID, F.left(TEXT, F.lit(_HEAD_CHARS)).alias("head")), on=[RUN_DATE, DOC_ID]
    )
    quote = F.left(masked(F.col("head")), F.lit(_QUOTE_CHARS)).alias("quote")
    end = F.least(F.char_length("head"), F.lit(_QUOTE_CHARS)).alias("end")
    piece = F.struct("rank", F.struct(DOC_ID, quote, F.lit(0).alias("start"), end).alias("e"))
    ranked = quoted.groupBy(*_GROUP).agg(F.sort_array(F.collect_list(piece)).alias("ranked"))
    return ranked.select(*_GROUP, F.transform("ranked", lambda r: r["e"]).cast(EVIDENCE).alias("evidence"))
