"""The aspect stages of a night: mentions, the sentiment of their sentences, and the tables of aspects.

Sentences are scored by the models and into the store that documents are, so that neither is scored twice, on any night. They are
no documents: `runs` counts none of them.
"""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import schemas
from pipeline.cascade import Cascade, decided, is_scored
from pipeline.documents import DOC_ID, RUN_DATE, TEXT
from pipeline.night_patterns import PatternRun
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY, ASPECT_DAILY, DOC_ASPECTS
from pipeline.patterns.aspects import to_aspect_cells, to_aspect_daily, to_doc_aspects, to_mentions, to_sentences
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY
from pipeline.patterns.settled import settled
from pipeline.progress import Stages
from pipeline.scoring import unseen
from pipeline.staging import read_staged
from pipeline.store import KEYS, ScoreStore
from udfs.spec import ScoreSpec

logger = logging.getLogger(__name__)

SENTENCE_PART = 4
"""The part of a run's folders in a store that holds sentences; documents and the bridge have those below."""

Score = Callable[[ScoreStore, DataFrame, ScoreSpec], None]
"""Scores texts with a model into its store."""


def stage_aspects(
    spark: SparkSession,
    run: PatternRun,
    documents: DataFrame,
    doc_scores: DataFrame,
    judge: Callable[[DataFrame], DataFrame],
    stages: Stages,
    cascade_key: str | None,
) -> None:
    """Stage the tables of the run's nights; without rows where patterns or aspects are off.

    Args:
        documents: accepted documents with their text.
        doc_scores: the run's staged `doc_scores`; `keyphrases_daily` is staged too.
        judge: returns the results of distinct texts (content_key, lang_hint, text), see `scored_sentences`.
    """
    config = run.config.aspects
    if not (run.config.enabled and config.enabled):
        for table in schemas.ASPECT_TABLES:
            run.stage(spark.createDataFrame([], table.struct()), table)
        return
    with stages.stage("aspects"):
        judged = doc_scores.where(is_scored()).select(RUN_DATE, DOC_ID, "lang", "sentiment")
        # (run_date, doc_id) identifies a document on both sides
        texts = documents.select(RUN_DATE, DOC_ID, TEXT).join(judged, [RUN_DATE, DOC_ID], "inner")
        keyphrases = read_staged(spark, KEYPHRASES_DAILY, run.root, run.run_id)
        mentions = settled(to_mentions(texts, keyphrases, run.dates, config))
        sentences = settled(to_sentences(mentions))
    results = judge(sentences)
    with stages.stage("aspects") as stage:
        found = to_doc_aspects(mentions, results, doc_scores).persist(StorageLevel.DISK_ONLY)
        run.stage(found, DOC_ASPECTS)
        run.stage(to_aspect_daily(found, cascade_key), ASPECT_DAILY)
        run.stage(to_aspect_cells(found, _looked_for(spark, run)), ASPECT_CELLS_DAILY)
        stage.rows = found.count()
        found.unpersist()


def _looked_for(spark: SparkSession, run: PatternRun) -> DataFrame:
    """Return run_date, aspect, definition of the given aspects of each night."""
    given = run.config.aspects.definitions()
    rows = [(day, aspect, definition) for day in run.dates for aspect, definition in given.items()]
    return spark.createDataFrame(rows, "run_date date, aspect string, definition string")


def scored_sentences(
    spark: SparkSession,
    root: Path,
    sentences: DataFrame,
    base: ScoreSpec,
    full: ScoreSpec | None,
    cascade: Cascade | None,
    score: Score,
) -> DataFrame:
    """Score the sentences that the store lacks; return the results of those with a sentiment and their `sentiment_model_key`.

    With a cascade the full model decides what the cheap one is not sure of, by the threshold the documents gave; no sentence is
    in the audit.

    Args:
        sentences: distinct texts (content_key, lang_hint, text).
        base: the model of all texts; `full`: the cascade's full model.
        score: scores texts into a store.
    """

    def ensure(wanted: DataFrame, spec: ScoreSpec) -> ScoreStore:
        store = ScoreStore(spark, root, spec.model_key())
        pending = unseen(wanted, store).persist(StorageLevel.MEMORY_AND_DISK)
        n_pending, n_wanted = pending.count(), wanted.count()
        score(store, pending, spec)
        pending.unpersist()
        logger.info(
            f"sentences {n_wanted:,}, {n_wanted - n_pending:,} of them from the store", extra={"event": "sentences"}
        )
        return store

    results = ensure(sentences, base).lookup(sentences)
    if full is None or cascade is None:
        return results.where(is_scored()).withColumn("sentiment_model_key", F.lit(base.model_key()))
    unaudited = dataclasses.replace(cascade, audit_cut=None)
    # one row per text on the right
    unsure = sentences.join(results.where(unaudited.is_escalated()).select(*KEYS), list(KEYS), "left_semi")
    found = ensure(unsure, full).lookup(unsure)
    return decided(results, found, unaudited).where(is_scored())
