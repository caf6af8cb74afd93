"""Search: the published documents nearest in meaning to a text. Stored vectors are read; only the query is embedded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import NightlyConfig
from pipeline.corpus import read_corpus
from pipeline.documents import RUN_DATE, TEXT, accepted, to_documents, with_run_date
from pipeline.errors import ConfigError, ModelError
from pipeline.history import published_nights, read_history
from pipeline.model_lock import encoder_identity
from pipeline.model_record import missing_part, published_model
from pipeline.preflight import inspect_corpus
from pipeline.run_schemas import MODELS
from pipeline.schemas import DOC_EMBEDDINGS, DOC_SCORES, TOPICS
from pipeline.text import masked
from udfs.nearest import make_nearest
from udfs.results import TEXTS
from udfs.spec import ScoreSpec

_SCHEMA = "content_key string, run_date date, doc_id string, similarity double"
_QUOTE_CHARS = 200
_HEAD_CHARS = 1_000


@dataclass(frozen=True)
class Query:
    """What is looked for, and where. `first` to `last` are nights, both included; None of the filters means all.

    `probes`: look only at documents of so many topics, those whose centroids are nearest to the text; None looks at all.
    """

    text: str
    first: date
    last: date
    k: int = 10
    group: str | None = None
    source: str | None = None
    lang: str | None = None
    probes: int | None = None


def query_spec(root: Path, last: date) -> ScoreSpec:
    """Return the recorded model of the last published night up to `last`: the one that embeds the query.

    Raises:
        ConfigError: no night is published up to then. ModelError: its model is not recorded, or no longer here.
    """
    found = published_model(root, date.fromordinal(last.toordinal() + 1))
    if found is None:
        raise ConfigError(f"{root}: no night up to {last} is published there")
    if found.spec is None:
        raise ModelError(f"{root}: the model of {found.run_date} cannot be used: {found.problem}")
    missing = missing_part(found.spec)
    if missing:
        raise ModelError(f"{root}: the model of {found.run_date} is not on this machine: {missing}")
    return found.spec


def query_vector(spec: ScoreSpec, text: str, lang: str | None = None) -> NDArray[np.float32]:
    """Embed one text, in this process, as a night would; return its unit vector (d,).

    Raises:
        ConfigError: the text is empty or in a language that no encoder covers.
    """
    from udfs.engine import Engine

    if not text.strip():
        raise ConfigError("the text to search for is empty")
    columns = {"content_key": ["query"], "lang_hint": [lang or ""], "text": [" ".join(text.split())]}
    batch = pa.RecordBatch.from_pydict(columns, TEXTS)
    row = next(iter(Engine(spec).score([batch]))).to_pylist()[0]
    if row["error_code"] is not None:
        raise ConfigError(
            f"the text cannot be embedded: {row['error_code']} (language {row['lang']}); name its language with --lang"
        )
    return np.asarray(row["embedding"], dtype=np.float32)


def search(spark: SparkSession, root: Path, query: Query, spec: ScoreSpec, vector: NDArray[np.float32]) -> DataFrame:
    """Return at most `k` rows, the most similar text first: similarity, doc_id, run_date, the document's columns, n_docs.

    A text that several documents have comes once, as its first document; `n_docs` counts them, within the filters. Without
    `probes` the result is exact. Only vectors of the query's embedding space count.

    Raises:
        ConfigError: no night of the range is published.
    """
    nights = published_nights(root, query.first, query.last)
    if not nights:
        raise ConfigError(f"{root}: no night from {query.first} to {query.last} is published there")
    vectors = read_history(spark, root, DOC_EMBEDDINGS, nights).where(
        F.col("model_key").isin(_keys_of_space(spark, root, spec, nights))
    )
    documents = _filtered(read_history(spark, root, DOC_SCORES, nights), query)
    if query.probes is not None:
        documents = documents.join(_near_topics(spark, root, nights, vector, query.probes), [RUN_DATE, "topic_id"])
    # (run_date, doc_id) identifies a document on both sides
    candidates = vectors.select(RUN_DATE, "doc_id", "content_key", "embedding").join(
        documents.select(RUN_DATE, "doc_id"), on=[RUN_DATE, "doc_id"], how="left_semi"
    )
    best = candidates.mapInArrow(make_nearest(vector, query.k), _SCHEMA)
    hits = (
        best.groupBy("content_key")
        .agg(F.min(F.struct(RUN_DATE, "doc_id")).alias("first"), F.max("similarity").alias("similarity"))
        .orderBy(F.desc("similarity"), "content_key")
        .limit(query.k)
    )
    found = hits.select("similarity", "first.*", "content_key")
    counts = documents.join(F.broadcast(hits.select("content_key")), "content_key", "left_semi")
    copies = counts.groupBy("content_key").agg(F.count("*").alias("n_docs"))
    columns = ("event_ts", "source", "group_key", "lang", "sentiment", "sentiment_score", "topic_id")
    rows = F.broadcast(found).join(documents.select(RUN_DATE, "doc_id", *columns), [RUN_DATE, "doc_id"])
    return rows.join(F.broadcast(copies), "content_key").select(
        "similarity", RUN_DATE, "doc_id", *columns, "n_docs", "content_key"
    ).orderBy(F.desc("similarity"), "content_key")  # fmt: skip


def with_quotes(spark: SparkSession, hits: DataFrame, config: NightlyConfig, nights: Sequence[date]) -> DataFrame:
    """Add `quote`: the beginning of each hit's text in the corpus, personal data masked; null where it is no longer there."""
    corpus = inspect_corpus(config.input)
    raw = read_corpus(spark, config.input, corpus, min(nights), max(nights))
    rows = to_documents(with_run_date(raw, min(nights), max(nights), corpus.may_lack_times), config.input)
    wanted = F.broadcast(hits.select(RUN_DATE, "doc_id"))
    texts = accepted(rows).join(wanted, [RUN_DATE, "doc_id"], "left_semi")
    quote = F.left(masked(F.left(F.col(TEXT), F.lit(_HEAD_CHARS))), F.lit(_QUOTE_CHARS)).alias("quote")
    quoted = hits.join(F.broadcast(texts.select(RUN_DATE, "doc_id", quote)), [RUN_DATE, "doc_id"], "left")
    return quoted.orderBy(F.desc("similarity"), "content_key")


def nearest_topics(centroids: Mapping[int, Sequence[float]], vector: NDArray[np.float32], probes: int) -> list[int]:
    """Return the topics of one night whose centroids (d,) are nearest to a vector (d,), at most `probes`, nearest first."""
    wanted = vector.astype(np.float64)
    ranked = sorted((-float(np.asarray(c, dtype=np.float64) @ wanted), topic) for topic, c in centroids.items())
    return [topic for _, topic in ranked[:probes]]


def _filtered(documents: DataFrame, query: Query) -> DataFrame:
    for column, value in (("group_key", query.group), ("source", query.source), ("lang", query.lang)):
        if value is not None:
            documents = documents.where(F.col(column) == value)
    return documents


def _keys_of_space(spark: SparkSession, root: Path, spec: ScoreSpec, nights: Sequence[date]) -> list[str]:
    """Return the model keys of the nights whose first encoder is one of the query's encoders, or keeps their space."""
    own = {encoder_identity(route.encoder) for route in spec.routes()}
    models = read_history(spark, root, MODELS, nights).where(F.col("task") == "embedding")
    same = models.where(F.col("sha256").isin(sorted(own)))
    rows = same.select("model_key").distinct().collect()  # bounded: models of the range's nights
    return sorted({row["model_key"] for row in rows} | {spec.model_key()})


def _near_topics(
    spark: SparkSession, root: Path, nights: Sequence[date], vector: NDArray[np.float32], probes: int
) -> DataFrame:
    """Return (run_date, topic_id) of each night's topics whose centroids are nearest to the vector."""
    topics = read_history(spark, root, TOPICS, nights).select(RUN_DATE, "topic_id", "centroid")
    rows = topics.collect()  # bounded: nights x topics, a few hundred a night
    by_night: dict[date, dict[int, Sequence[float]]] = {}
    for row in rows:
        by_night.setdefault(row[RUN_DATE], {})[row["topic_id"]] = row["centroid"]
    chosen = [(day, topic) for day, found in by_night.items() for topic in nearest_topics(found, vector, probes)]
    return F.broadcast(spark.createDataFrame(chosen, f"{RUN_DATE} date, topic_id bigint"))
