"""Distinct texts of a night with their phrases, and quotes: what keyphrases, rules and concepts start from."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.documents import RUN_DATE
from pipeline.patterns.phrase_config import KeyphrasesConfig
from pipeline.table import EVIDENCE, STRINGS
from udfs.personal_data.quotes import make_quotes
from udfs.phrases import PhraseSpec, make_phrases

EVIDENCE_DOCS = 3
_ATTRIBUTES = ("lang", "source", "group_key", "topic_id", "sentiment", "sentiment_score")
_QUOTE = (
    T.StructField("quote", T.StringType()),
    T.StructField("start", T.IntegerType()),
    T.StructField("end", T.IntegerType()),
)


def to_distinct_texts(documents: DataFrame, doc_scores: DataFrame) -> DataFrame:
    """Return one row per night and text: run_date, content_key, doc_id, n_docs, the document's attributes, text.

    Exact copies count once; `n_docs` says how many there are. Attributes and text are those of the first document by id. Where
    near-duplicate groups are known, give their id as `content_key`, and a group counts once.
    """
    first = F.min(F.struct("doc_id", *_ATTRIBUTES)).alias("first")
    keys = doc_scores.groupBy(RUN_DATE, "content_key").agg(F.count("*").alias("n_docs"), first)
    # (run_date, doc_id) identifies a document on both sides
    return keys.select(RUN_DATE, "content_key", "n_docs", "first.*").join(
        documents.select(RUN_DATE, "doc_id", "text"), on=[RUN_DATE, "doc_id"], how="inner"
    )


def with_phrases(texts: DataFrame, config: KeyphrasesConfig) -> DataFrame:
    """Replace `text` of `to_distinct_texts` by the arrays phrases, surfaces and parts; see `udfs.phrases`. Worth persisting."""
    kept = [f for f in texts.schema.fields if f.name != "text"]
    lists = [T.StructField(name, STRINGS) for name in ("phrases", "surfaces", "parts")]
    spec = PhraseSpec(max_chars=config.max_chars, max_phrases=config.max_phrases_per_text)
    order = texts.select(*[f.name for f in kept], "text")
    return order.mapInArrow(make_phrases(spec), T.StructType([*kept, *lists]))


def evidence_ids(doc_id: Column, content_key: Column, condition: Column | None = None) -> list[Column]:
    """Return aggregates `doc_0` ...: per slot (by hash of the text) the smallest id. They combine, so no group is collected."""
    slot = F.pmod(F.xxhash64(content_key), F.lit(EVIDENCE_DOCS))
    met = F.lit(True) if condition is None else condition
    return [F.min(F.when(met & (slot == i), doc_id)).alias(f"doc_{i}") for i in range(EVIDENCE_DOCS)]


def with_evidence(rows: DataFrame, texts: DataFrame, key: list[str], needle: Column) -> DataFrame:
    """Replace `docs` (ids) by `evidence`: quotes around `needle` from `text`, personal data masked; see `to_evidence`.

    Args:
        rows: a table's rows with the array `docs`; `run_date` and `key` identify a row.
        texts: run_date, doc_id, text.
    """
    wanted = rows.select(RUN_DATE, *key, needle.alias("needle"), F.explode("docs").alias("doc_id"))
    joined = rows.drop("docs").join(to_evidence(wanted, texts, key), [RUN_DATE, *key], "left")
    return joined.withColumn("evidence", F.coalesce("evidence", F.array().cast(EVIDENCE)))


def to_evidence(wanted: DataFrame, texts: DataFrame, key: list[str]) -> DataFrame:
    """Return run_date, `key` and `evidence`: a quote for each wanted document (few: run_date, `key`, doc_id, needle)."""
    pieces = texts.select(RUN_DATE, "doc_id", "text").join(F.broadcast(wanted), [RUN_DATE, "doc_id"], "inner")
    kept = [f for f in pieces.schema.fields if f.name not in ("text", "needle")]
    shown = pieces.mapInArrow(make_quotes(), T.StructType([*kept, *_QUOTE]))
    piece = F.struct("doc_id", "quote", "start", "end")
    return shown.groupBy(RUN_DATE, *key).agg(F.sort_array(F.collect_list(piece)).cast(EVIDENCE).alias("evidence"))
