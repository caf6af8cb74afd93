"""The topics of a run: the sample a model is fitted on, and the model in force on each of the run's nights."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline import corpus as c
from pipeline.config import InputConfig, TopicsConfig
from pipeline.corpus import read_corpus
from pipeline.documents import RUN_DATE, accepted, to_documents, to_texts, with_run_date
from pipeline.manifest import published_runs, read_manifest
from pipeline.preflight import Corpus
from pipeline.schemas import TOPICS
from pipeline.store import KEYS, ScoreStore
from pipeline.topics import Sample, TopicModel, load_topics, refit_topics

logger = logging.getLogger(__name__)

_READ_CHARS = 2_000
_PARTS = 1_000_000
_LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class TopicPlace:
    """Where an embedding space's topic models lie: `folder/name`."""

    folder: Path
    name: str

    def model(self, on: date | None = None) -> TopicModel | None:
        """Return the model in force on a night; see `pipeline.topics.load_topics`."""
        return load_topics(self.folder, self.name, on)


def in_sample(key: str, n: int, sample_size: int) -> Column:
    """Return whether a row is one of about `sample_size` of `n`: by its key alone, so that a rerun takes the same."""
    share = min(1.0, sample_size / max(n, 1))
    return F.pmod(F.xxhash64(key), F.lit(_PARTS)) < int(_PARTS * share)


def sample_of(texts: DataFrame, store: ScoreStore, size: int) -> tuple[Sample, float]:
    """Return at most `size` scored texts, and the share of the texts that have a vector (0 where there are no texts)."""
    vectors = store.lookup(texts).select(*KEYS, "embedding", "lang")
    # both sides have one row per key
    rows = texts.join(vectors, on=list(KEYS), how="left").select(
        "content_key", "embedding", "lang", F.left("text", F.lit(_READ_CHARS)).alias("text")
    )
    order = (F.xxhash64("content_key"), F.col("content_key"), F.col("lang"))
    found = rows.orderBy(*order).limit(size).toPandas()  # bounded: topics.sample_size rows
    kept = found[found["embedding"].notna()]
    if not len(kept):
        return Sample(np.zeros((0, 1), np.float32), [], []), 0.0
    embeddings = np.stack(kept["embedding"].to_list()).astype(np.float32)
    return Sample(embeddings, list(kept["text"]), list(kept["lang"].fillna("und"))), len(kept) / len(found)


def recent_nights(root: Path, run: Sequence[date], night: date, history: int) -> list[date]:
    """Return the nights a refit reads: of the `history` up to `night`, those that were published or are the run's."""
    known = set(published_runs(root)) | set(run)
    return sorted(day for day in known if 0 <= (night - day).days < history)


def recent_texts(
    spark: SparkSession, config: InputConfig, corpus: Corpus, nights: Sequence[date], size: int
) -> DataFrame:
    """Return about `size` distinct texts of some nights: content_key, lang_hint, text.

    Rows are picked by their id before anything is computed of them; how many there are is estimated from the files' days.
    """
    first, last, expected = nights[0], nights[-1], 0.0
    for file in corpus.files:
        if file.may_hold(first, last):
            start, end = file.days or (first, last)
            shared = sum(start <= night <= end for night in nights)
            expected += file.rows * shared / ((end - start).days + 1)
    raw = read_corpus(spark, config, corpus, first, last).where(in_sample(c.RAW_ID, round(expected), size))
    rows = with_run_date(raw, first, last, corpus.may_lack_times).where(F.col(RUN_DATE).isin(list(nights)))
    return to_texts(accepted(to_documents(rows, config)))


def refitted(
    place: TopicPlace,
    model: TopicModel,
    store: ScoreStore,
    texts: DataFrame,
    night: date,
    config: TopicsConfig,
) -> TopicModel:
    """Return the model for a night that is due for another one: `model` moved on to `texts`, as far as the store knows them.

    It waits, and returns `model`, where the store knows less than half of them, as after a change of the scoring model: topics
    would seem to fall silent.
    """
    sample, known = sample_of(texts, store, config.sample_size)
    if len(sample.texts) < config.min_texts or known < _LEAST_KNOWN:
        logger.info(f"topics    not refitted for {night}: of the recent texts {known:.0%} have vectors")
        return model
    new = refit_topics(place.folder, place.name, model, night, sample, config)
    changes = [e for e in new.events if e.event != "continued"]
    logger.info(f"topics    refitted for {night}: {len(new.active)} topics, {len(changes)} changes")
    return new


def last_seen_before(spark: SparkSession, root: Path, night: date) -> dict[int, date]:
    """Return by topic the last night with documents of it, as the last night published before `night` says."""
    earlier = {day: run for day, run in published_runs(root).items() if day < night}
    if not earlier:
        return {}
    day, run = max(earlier.items())
    manifest = read_manifest(root, run)
    files = [str(root / f) for n in manifest.nights if n.table == TOPICS.name and n.run_date == day for f in n.files]
    if not files or "last_seen" not in manifest.columns[TOPICS.name]:
        return {}
    seen = spark.read.parquet(*files).where(F.col("last_seen").isNotNull()).select("topic_id", "last_seen")
    return {row.topic_id: row.last_seen for row in seen.collect()}  # bounded: one row per topic
