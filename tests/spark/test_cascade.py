"""The cascade on Spark with its two real models: who decides which text, and that a rerun scores nothing."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.cascade import Cascade, audit_cut, choose, decided, escalate, is_audited, report_rows, text_counts
from pipeline.config import CascadeConfig, LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from pipeline.placement import measured
from pipeline.scoring import scored
from pipeline.sentiment import to_sentiment_daily
from pipeline.store import KEYS, STORED, ScoreStore
from pipeline.thresholds import Choice, choose_threshold
from udfs.spec import ScoreSpec
from udfs.worker import Counters

DAY = dt.date(2026, 10, 5)
NEXT = DAY + dt.timedelta(days=1)
CONFIG = CascadeConfig(enabled=True, min_agreement=0.8, confidence=0.8, audit_size=24, seed=7)
THINGS = ("router", "charger", "kite", "scooter", "invoice", "manual")
SENTENCES = (
    "I love the new {}, it works perfectly.",
    "The {} broke on the second day and nobody answers.",
    "The {} arrived on Monday.",
    "Not bad, but the old {} was quieter.",
    "Could be worse; the {} does half of what it says.",
    "Is the {} also sold in blue?",
    "Terrible {}, I want my money back!",
    "My neighbour has the same {} and never complains.",
    "Well, the {} is what you would expect.",
    "Thanks for the quick help with my {}.",
)
UNSUPPORTED = ("k-es", "es", "El router no funciona.")


def texts(spark: SparkSession) -> DataFrame:
    """Sixty English texts and one in a language neither model covers."""
    english = [s.format(t) for s in SENTENCES for t in THINGS]
    rows = [(f"k{i:02}", "en", text) for i, text in enumerate(english)]
    return spark.createDataFrame([*rows, UNSUPPORTED], "content_key string, lang_hint string, text string")


class Tier:
    """A model with its store; counts the texts it scored."""

    def __init__(self, spark: SparkSession, root: Path, embedding: str, sentiment: str) -> None:
        model = ModelConfig(embedding=embedding, sentiment=sentiment, device="cpu")
        self.spec: ScoreSpec = sentiment_spec(model, LanguageConfig())
        self.store = ScoreStore(spark, root, self.spec.model_key())
        self._context = spark.sparkContext
        self.scored: list[int] = []

    def score(self, pending: DataFrame, part: int) -> None:
        load = measured(pending, self.spec)
        self.scored.append(load.rows)
        if load.rows:
            counters = Counters(*(self._context.accumulator(0) for _ in range(3)))
            results = scored(pending, load, self.spec, counters)
            self.store.write(results, f"{len(self.store.parts())}-{part}")


@pytest.fixture(scope="module")
def tiers(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tier, Tier]:
    root = tmp_path_factory.mktemp("cascade")
    base = Tier(spark, root, "static-en", "sentiment-en-static")
    base.score(texts(spark), 0)
    return base, Tier(spark, root, "all-MiniLM-L6-v2", "sentiment-en")


@pytest.fixture(scope="module")
def cascade(spark: SparkSession, tiers: tuple[Tier, Tier]) -> Cascade:
    base, full = tiers
    return escalate(base.store, full.store, texts(spark), CONFIG, full.score)


def labels(frame: DataFrame) -> dict[str, tuple[str, float, float]]:
    rows = frame.select("content_key", "sentiment", "sentiment_score", "sentiment_confidence").collect()
    return {r.content_key: (r.sentiment, r.sentiment_score, r.sentiment_confidence) for r in rows}


def published(spark: SparkSession, tiers: tuple[Tier, Tier], cascade: Cascade) -> DataFrame:
    base, full = (tier.store.lookup(texts(spark)) for tier in tiers)
    return decided(base, full, cascade)


def test_each_text_has_the_label_of_the_model_that_decides_it(
    spark: SparkSession, tiers: tuple[Tier, Tier], cascade: Cascade
) -> None:
    base, full = (tier.store.lookup(texts(spark)) for tier in tiers)
    cheap, theirs = labels(base), labels(full)
    audited = {r.content_key for r in base.where(is_audited(cascade.audit_cut, CONFIG.seed)).collect()}
    rows = published(spark, tiers, cascade).collect()
    assert cascade.choice.threshold is not None
    assert len(rows) == 61
    kinds = set()
    for r in rows:
        found = (r.sentiment, r.sentiment_score, r.sentiment_confidence)
        if r.content_key == "k-es":
            assert (found, r.error_code, r.is_escalated) == ((None, None, None), "LANG_UNSUPPORTED", False)
            continue
        is_unsure = cheap[r.content_key][2] < cascade.choice.threshold
        by_full = is_unsure or r.content_key in audited
        kinds.add((is_unsure, r.content_key in audited))
        assert r.is_escalated == is_unsure
        assert found == (theirs if by_full else cheap)[r.content_key]
        assert r.sentiment_model_key == (cascade.full_key if by_full else cascade.base_key)
    assert kinds == {(True, True), (True, False), (False, True), (False, False)}, "the texts show every case"
    assert set(theirs) == {k for k in cheap if k in audited or (cheap[k][2] or 1.0) < cascade.choice.threshold}


def test_vectors_stay_the_cheap_models(spark: SparkSession, tiers: tuple[Tier, Tier], cascade: Cascade) -> None:
    sizes = published(spark, tiers, cascade).where("embedding IS NOT NULL").select(F.size("embedding").alias("dim"))
    assert {r.dim for r in sizes.collect()} == {tiers[0].spec.encoder.dim}
    assert tiers[0].spec.encoder.dim != tiers[1].spec.encoder.dim


def test_a_rerun_scores_nothing_and_decides_the_same(
    spark: SparkSession, tiers: tuple[Tier, Tier], cascade: Cascade
) -> None:
    base, full = tiers
    before, parts = list(full.scored), full.store.parts()
    assert before[0] == CONFIG.audit_size
    assert before[1] > 0
    assert sum(before) < 60
    again = escalate(base.store, full.store, texts(spark).repartition(5), CONFIG, full.score)
    assert again == cascade
    assert full.scored == [*before, 0, 0]
    assert full.store.parts() == parts


def test_the_choice_is_that_of_the_sample_of_both_models_labels(
    spark: SparkSession, tiers: tuple[Tier, Tier], cascade: Cascade
) -> None:
    base, full = (tier.store.lookup(texts(spark)) for tier in tiers)
    cheap, theirs = labels(base), labels(full)
    keys = [r.content_key for r in base.where(is_audited(cascade.audit_cut, CONFIG.seed)).collect()]
    assert len(keys) == CONFIG.audit_size
    import numpy as np

    confidences = np.array([cheap[k][2] for k in keys])
    agrees = np.array([cheap[k][0] == theirs[k][0] for k in keys])
    assert choose_threshold(confidences, agrees, 0.8, 0.8) == cascade.choice


def test_the_sample_depends_on_the_seed_alone(spark: SparkSession, tiers: tuple[Tier, Tier]) -> None:
    base = tiers[0].store.lookup(texts(spark))

    def sample(seed: int, frame: DataFrame) -> set[str]:
        cut = audit_cut(frame, CONFIG.model_copy(update={"seed": seed}))
        return {r.content_key for r in frame.where(is_audited(cut, seed)).collect()}

    assert sample(7, base) == sample(7, base.repartition(7)) != sample(8, base)
    assert sample(7, base.where("content_key < 'k10'")) == {f"k{i:02}" for i in range(10)}, "all where there are fewer"
    assert sample(7, base.where("false")) == set()


def result(
    key: str, label: str | None, confidence: float | None, error: str | None = None, head: str = "cheap"
) -> tuple[object, ...]:
    return key, "en", label, 0.0 if label else None, confidence, head if label else None, error


def results(spark: SparkSession, *rows: tuple[object, ...]) -> DataFrame:
    columns = [*KEYS, "sentiment", "sentiment_score", "sentiment_confidence", "sentiment_model", "error_code"]
    types = ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in (STORED[name] for name in columns))
    return spark.createDataFrame(list(rows), types)


def test_a_text_the_full_model_fails_on_keeps_the_cheap_result_and_is_counted(spark: SparkSession) -> None:
    base = results(spark, result("a", "neutral", 0.4), result("b", "neutral", 0.9), result("c", "neutral", 0.4))
    dear = result("c", "positive", 0.7, head="dear")
    full = results(spark, result("a", None, None, "MODEL"), result("b", "positive", 0.8, head="dear"), dear)
    cascade = Cascade("base", "full", CONFIG, None, Choice(0.5, 30, 1.0, 0.9))
    rows = {r.content_key: r for r in decided(base, full, cascade).collect()}
    found = {k: (r.sentiment, r.sentiment_model_key, r.is_escalated, r.is_full_error) for k, r in rows.items()}
    assert found == {
        "a": ("neutral", "base", True, True),
        "b": ("neutral", "base", False, False),
        "c": ("positive", "full", True, False),
    }
    assert {k: r.sentiment_model for k, r in rows.items()} == {"a": "cheap", "b": "cheap", "c": "dear"}
    sample = choose(base, full, audit_cut(base, CONFIG), CONFIG)
    assert sample.n == 2, "what the full model failed on is not in the audit"


def test_on_fallback_the_full_model_decides_all(spark: SparkSession) -> None:
    base = results(spark, result("a", "neutral", 0.99), result("b", "neutral", 0.5), result("c", None, None, "MODEL"))
    full = results(spark, result("a", "positive", 0.8), result("b", "negative", 0.8))
    cut = audit_cut(base, CONFIG)
    cascade = Cascade("base", "full", CONFIG, cut, choose(base, full, cut, CONFIG))
    assert cascade.choice == Choice(None, 2)
    rows = {r.content_key: (r.sentiment, r.sentiment_model_key) for r in decided(base, full, cascade).collect()}
    assert rows == {"a": ("positive", "full"), "b": ("negative", "full"), "c": (None, "base")}


def test_the_report_counts_the_texts_of_each_night(spark: SparkSession) -> None:
    rows = [
        (DAY, True, "neutral", None, True, False),
        (DAY, False, "neutral", None, True, False),
        (DAY, True, "neutral", None, True, True),
        (DAY, True, "positive", None, False, False),
        (DAY, True, None, "LANG_UNSUPPORTED", False, False),
    ]
    columns = (
        "run_date date, is_canonical boolean, sentiment string, error_code string, is_escalated boolean, "
        "is_full_error boolean"
    )
    counts = {r.run_date: r.asDict() for r in text_counts(spark.createDataFrame(rows, columns)).collect()}
    cascade = Cascade("base", "full", CONFIG, 0, Choice(0.5, 30, 0.99, 0.9, 0.98, 0.8))
    first, second = report_rows(cascade, counts, [DAY, NEXT])
    assert (first["n_texts"], first["n_escalated"], first["n_full_errors"]) == (3, 2, 1)
    assert first["share_escalated"] == pytest.approx(2 / 3)
    assert (second["run_date"], second["n_texts"], second["share_escalated"]) == (NEXT, 0, None)
    assert first["cascade_key"] == second["cascade_key"] == cascade.key()
    assert not first["is_fallback"]


def test_the_key_of_a_cascade_names_models_and_settings() -> None:
    cascade = Cascade("base", "full", CONFIG, 1, Choice(0.5, 30))
    same = replace(cascade, audit_cut=2, choice=Choice(None, 3))
    assert same.key() == cascade.key() != "base", "what one run found is not part of a series' identity"
    others = [
        replace(cascade, base_key="b"),
        replace(cascade, full_key="f"),
        *(replace(cascade, config=CONFIG.model_copy(update={k: v})) for k, v in (("min_agreement", 0.7), ("seed", 1))),
    ]
    assert len({cascade.key(), *(other.key() for other in others)}) == 5


def test_series_carry_the_key_of_their_cascade(spark: SparkSession) -> None:
    row = (DAY, DAY, None, None, "en", 0, "k1", None, "neutral", 0.1, "m")
    columns = (
        "run_date date, event_date date, source string, group_key string, lang string, topic_id bigint, content_key string, "
        "dup_group_id string, sentiment string, sentiment_score double, model_key string"
    )
    frame = spark.createDataFrame([row], columns)
    for key in (None, "c"):
        assert {(r.model_key, r.cascade_key) for r in to_sentiment_daily(frame, key).collect()} == {("m", key)}
