"""The table `facts`: what plain sentences state, each said in several distinct texts, with the sentence as evidence."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.phrase_config import ConceptsConfig
from pipeline.patterns.rules import to_vocabulary
from pipeline.patterns.texts import EVIDENCE_DOCS, to_evidence
from udfs.facts import make_facts

_FOUND = (
    "run_date date, lang string, subject string, relation string, object string, doc_id string, content_key string, "
    "n_docs bigint, clause string"
)
_KEY = ["lang", "subject", "relation", "object"]
_OPPOSITE = {"is": "is not", "is not": "is"}


def to_facts(texts: DataFrame, keyphrases: DataFrame, dates: Sequence[date], config: ConceptsConfig) -> DataFrame:
    """Return the `facts` rows of the nights `dates`: said in at least `min_fact_docs` distinct texts; see `udfs.facts`.

    Args:
        texts: of `texts.to_distinct_texts`.
        keyphrases: `keyphrases_daily` of these nights; its best phrases may be subjects.
    """
    nights = F.col(RUN_DATE).isin(list(dates))
    rows = to_vocabulary(
        keyphrases.where(nights), config.max_subjects
    ).collect()  # bounded: nights x languages x max_subjects
    vocabulary = {(row[RUN_DATE], row.lang): list(row.vocabulary) for row in rows}
    mine = texts.where(nights & F.col("lang").isin("en", "zh"))
    found = mine.select(RUN_DATE, "lang", "doc_id", "content_key", "n_docs", "text").mapInArrow(
        make_facts(vocabulary), _FOUND
    )
    slot = F.pmod(F.xxhash64("content_key"), F.lit(EVIDENCE_DOCS))
    slots = [f"doc_{i}" for i in range(EVIDENCE_DOCS)]
    counted = (
        found.groupBy(RUN_DATE, *_KEY)
        .agg(
            F.sum("n_docs").alias("n_docs"),
            F.count("*").alias("n_effective"),
            *[F.min(F.when(slot == i, F.struct("doc_id", "clause"))).alias(name) for i, name in enumerate(slots)],
        )
        .persist()
    )  # few rows beside the texts, read four times
    against = counted.where(F.col("relation").isin(*_OPPOSITE)).select(
        RUN_DATE, "lang", "subject", "object",
        F.when(F.col("relation") == "is", "is not").otherwise("is").alias("relation"),
        F.col("n_effective").alias("n_against"),
    )  # fmt: skip
    # a fact has one opposite at most
    kept = counted.where(F.col("n_effective") >= config.min_fact_docs).join(against, [RUN_DATE, *_KEY], "left")
    piece = F.explode(F.array_compact(F.array(*slots))).alias("d")
    wanted = kept.select(RUN_DATE, *_KEY, piece).select(
        RUN_DATE, *_KEY, F.col("d.doc_id").alias("doc_id"), F.col("d.clause").alias("needle")
    )
    n_against = F.coalesce("n_against", F.lit(0).cast("bigint"))
    # the few facts on the right have the same keys
    return kept.join(to_evidence(wanted, texts, _KEY), [RUN_DATE, *_KEY], "inner").select(
        RUN_DATE, *_KEY, "n_docs", "n_effective", n_against.alias("n_against"),
        (F.col("n_effective") / (F.col("n_effective") + n_against)).alias("confidence"), "evidence",
    )  # fmt: skip
