"""Sentiment and topic tables against numbers worked out by hand or by another route."""

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import adjusted_rand_score

from pipeline.config import TopicsConfig
from pipeline.documents import RUN_DATE
from pipeline.intervals import wilson
from pipeline.scoring import with_nightly_topics, with_other, with_topics
from pipeline.sentiment import to_sentiment_daily
from pipeline.text import content_key, masked
from pipeline.topic_files import read_model, write_model
from pipeline.topic_lineage import births
from pipeline.topic_tables import to_topic_lineage, to_topics, to_topics_daily
from pipeline.topics import Sample, Topic, TopicModel, fit_topics, load_topics, spherical_kmeans
from udfs.spec import TopicSpec

DAY = dt.date(2026, 10, 5)
NEXT = DAY + dt.timedelta(days=1)
SCORES = (
    "run_date date, event_date date, doc_id string, source string, group_key string, lang string, topic_id bigint, "
    "content_key string, sentiment string, sentiment_score double, topic_distance double, is_other boolean, "
    "is_canonical boolean, model_key string"
)


def doc_scores(spark: SparkSession) -> DataFrame:
    rows = [
        (DAY, DAY, "1", "app", None, "en", 0, "k1", "negative", -0.5, 0.3, True, True, "m"),
        (DAY, DAY, "2", "app", None, "en", 0, "k1", "negative", -0.5, 0.3, True, False, "m"),
        (DAY, DAY, "3", "app", None, "en", 0, "k2", "positive", 0.9, 0.1, False, True, "m"),
        (DAY, DAY, "4", "app", None, "en", 1, "k3", "neutral", 0.1, 0.2, False, True, "m"),
        (DAY, DAY, "5", "app", None, "zh", None, "k4", None, None, None, None, True, "m"),
        (NEXT, NEXT, "6", "app", None, "en", 0, "k1", "negative", -0.5, 0.3, True, True, "m"),
    ]
    return spark.createDataFrame(rows, SCORES).withColumn("dup_group_id", F.lit(None).cast("string"))


def model(key: str = "t", dormant: dt.date | None = None) -> TopicModel:
    labels = ("late parcel", "dark mode", "never used")
    centroids = ((1.0, 0.0), (0.0, 1.0), (0.6, 0.8))
    topics = tuple(
        Topic(i, label, ((label, 0.5 / (i + 1)),), centroid, DAY, usual_distance=0.25, parent_topic_id=0)
        for i, (label, centroid) in enumerate(zip(labels, centroids, strict=True))
    )
    topics = (*topics[:2], replace(topics[2], dormant_since=dormant))
    return TopicModel(TopicSpec("/nowhere", "0" * 64, key), DAY, DAY, 3, topics, births((0, 1, 2)), 3)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775328),
        (10, 10, 0.7224672, 1.0),
        (1, 10, 0.0178762, 0.4041500),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_interval_equals_the_published_values(
    spark: SparkSession, k: int, n: int, low: float, high: float
) -> None:
    """81 of 263 is Newcombe's (1998) example: 0.2553 to 0.3662."""
    ends = wilson(F.lit(k), F.lit(n))
    row = spark.range(1).select(ends[0].alias("low"), ends[1].alias("high")).first()
    assert row is not None
    assert (row.low, row.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_interval_of_nothing_is_null(spark: SparkSession) -> None:
    ends = wilson(F.lit(0), F.lit(0))
    assert spark.range(1).select(ends[0].alias("l"), ends[1].alias("h")).first() == (None, None)


def test_sentiment_daily_counts_every_cell_and_label(spark: SparkSession) -> None:
    rows = {(r.run_date, r.lang, r.topic_id, r.sentiment): r for r in to_sentiment_daily(doc_scores(spark)).collect()}
    assert len(rows) == 4 * 3
    negative = rows[DAY, "en", 0, "negative"]
    assert (negative.n_docs, negative.n_effective, negative.n_scored, negative.n_unscored) == (2, 1, 3, 0)
    assert negative.share_raw == pytest.approx(2 / 3)
    assert negative.mean_score == pytest.approx((-0.5 - 0.5 + 0.9) / 3)
    neutral = rows[DAY, "en", 0, "neutral"]
    assert (neutral.n_docs, neutral.share_raw, neutral.ci_low) == (0, 0.0, 0.0)
    assert neutral.ci_high == pytest.approx(3.8414588 / (3 + 3.8414588), abs=1e-6)
    unscored = rows[DAY, "zh", None, "positive"]
    assert (unscored.n_docs, unscored.n_scored, unscored.n_unscored) == (0, 0, 1)
    assert (unscored.share_raw, unscored.mean_score) == (None, None)


def test_topics_daily_has_every_topic_of_every_night(spark: SparkSession) -> None:
    daily = to_topics_daily(doc_scores(spark), dict.fromkeys([DAY, NEXT, NEXT + dt.timedelta(days=1)], model()), "m")
    rows = {(r.run_date, r.topic_id): r for r in daily.collect()}
    assert len(rows) == 9
    first = rows[DAY, 0]
    assert (first.n_docs, first.n_effective, first.n_other, first.share) == (3, 2, 2, 0.75)
    assert first.mean_sentiment == pytest.approx(-0.1 / 3)
    never = rows[DAY, 2]
    assert (never.n_docs, never.share, never.mean_sentiment) == (0, 0.0, None)
    empty = rows[NEXT + dt.timedelta(days=1), 0]
    assert (empty.n_docs, empty.share, empty.ci_low) == (0, None, None)


def test_near_duplicates_count_once(spark: SparkSession) -> None:
    grouped = F.when(F.col("content_key").isin("k1", "k2") & (F.col(RUN_DATE) == DAY), "g")
    scores = doc_scores(spark).withColumn("dup_group_id", grouped)
    rows = to_topics_daily(scores, {DAY: model(), NEXT: model()}, "m").where("topic_id = 0").collect()
    assert {r.run_date: (r.n_docs, r.n_effective) for r in rows} == {DAY: (3, 1), NEXT: (1, 1)}


def test_topics_carry_the_nearest_documents_as_evidence_once_per_text(spark: SparkSession) -> None:
    texts = spark.createDataFrame(
        [(DAY, str(i), f"text {i} mail me at a.b@example.com or +1 555-0100-23") for i in range(1, 6)],
        "run_date date, doc_id string, text string",
    )
    rows = {r.topic_id: r for r in to_topics(doc_scores(spark), texts, {DAY: model()}, "m", {}).collect()}
    assert [(e.doc_id, e.quote, e.start, e.end) for e in rows[0].evidence] == [
        ("3", "text 3 mail me at [EMAIL] or [NUMBER]", 0, 51),
        ("1", "text 1 mail me at [EMAIL] or [NUMBER]", 0, 51),
    ]
    assert rows[2].evidence == []
    assert (rows[0].n_docs, rows[0].n_effective, rows[0].n_other, rows[0].label) == (3, 2, 2, "late parcel")


def test_topics_say_when_they_were_last_seen_and_whether_they_are_dormant(spark: SparkSession) -> None:
    texts = spark.createDataFrame([], "run_date date, doc_id string, text string")
    before = DAY - dt.timedelta(days=3)
    models = {DAY: model(), NEXT: model("u", dormant=NEXT)}
    rows = to_topics(doc_scores(spark), texts, models, "m", {1: before, 2: before}).collect()
    found = {(r.run_date, r.topic_id): (r.last_seen, r.status, r.topic_model_key) for r in rows}
    assert found == {
        (DAY, 0): (DAY, "active", "t"),
        (DAY, 1): (DAY, "active", "t"),
        (DAY, 2): (before, "active", "t"),
        (NEXT, 0): (NEXT, "active", "u"),
        (NEXT, 1): (DAY, "active", "u"),
        (NEXT, 2): (before, "dormant", "u"),
    }
    daily = {(r.run_date, r.topic_id) for r in to_topics_daily(doc_scores(spark), models, "m").collect()}
    assert daily == found.keys() - {(NEXT, 2)}


def test_lineage_is_told_on_the_first_night_of_a_model(spark: SparkSession) -> None:
    rows = to_topic_lineage(spark, {DAY: model(), NEXT: model()}, "m").orderBy("to_topic_ids").collect()
    assert [(r.run_date, r.event, r.from_topic_ids, r.to_topic_ids) for r in rows] == [
        (DAY, "born", [], [i]) for i in range(3)
    ]
    assert to_topic_lineage(spark, {}, "m").count() == 0


def test_each_night_has_the_topics_of_its_own_model(spark: SparkSession, tmp_path: Path) -> None:
    rows = [(DAY, "1", [1.0, 0.0]), (NEXT, "2", [1.0, 0.0]), (NEXT, "3", [0.8, 0.6]), (NEXT, "4", None)]
    docs = spark.createDataFrame(rows, "run_date date, doc_id string, embedding array<float>")
    old, new = (replace(model(), valid_from=day, topics=topics) for day, topics in ((DAY, model().topics[:1]),
                (NEXT, tuple(replace(t, topic_id=t.topic_id + 5) for t in model().topics))))  # fmt: skip
    models = {m.valid_from: read_model(write_model(tmp_path, m)) for m in (old, new)}
    scored = with_topics(docs.withColumn("topic_model_key", F.lit(None).cast("string")).withColumns(
        {"topic_id": F.lit(None).cast("bigint"), "topic_distance": F.lit(None).cast("double")}
    ), models[NEXT].spec)  # fmt: skip
    result = with_other(with_nightly_topics(scored, models, NEXT), models).collect()
    assert {r.doc_id: (r.topic_id, r.topic_distance, r.is_other) for r in result} == {
        "1": (0, 0.0, False),
        "2": (5, 0.0, False),
        "3": (7, 0.04, False),
        "4": (None, None, None),
    }


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("card 4111 1111 1111 1111 ok", "card [CARD] ok"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [IBAN]."),
        ("josé.núñez@ejemplo.es!", "[EMAIL]!"),
        ("电话１３８００１３８０００谢谢", "电话[PHONE]谢谢"),
        ("order 12345 on 5 May", "order 12345 on 5 May"),
        ("call (020) 7946-0018 now", "call [PHONE] now"),
        ("€18.50 4 times in version 7.1.6 5 stars", "€18.50 4 times in version 7.1.6 5 stars"),
    ],
)
def test_masking(spark: SparkSession, text: str, clean: str) -> None:
    assert spark.createDataFrame([(text,)], "t string").select(masked(F.col("t")).alias("m")).first() == (clean,)


def test_content_key_is_sha256_of_the_utf8_bytes(spark: SparkSession) -> None:
    import hashlib

    row = (
        spark.createDataFrame([("naïve 你好",), (None,)], "t string")
        .select(content_key(F.col("t")).alias("k"))
        .collect()
    )
    assert [r.k for r in row] == [hashlib.sha256("naïve 你好".encode()).hexdigest(), None]


def test_kmeans_finds_planted_directions_and_orders_them_by_size() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(4, 32))
    truth = np.repeat(np.arange(4), [400, 300, 200, 100])
    points = centres[truth] + 0.6 * rng.normal(size=(1000, 32))
    unit = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    centroids, assigned = spherical_kmeans(unit, 4, seed=3)
    assert adjusted_rand_score(truth, assigned) > 0.95
    assert np.allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-6)
    assert list(np.bincount(assigned)) == sorted(np.bincount(assigned), reverse=True)
    assert np.array_equal(assigned, (unit @ centroids.T).argmax(axis=1))


def test_fitted_topics_are_kept_and_labelled(tmp_path: Path) -> None:
    parcels = [f"the parcel came late again number {i}" for i in range(30)]
    themes = [f"please add a dark theme to the editor {i}" for i in range(30)]
    angles = np.concatenate([np.linspace(0, 0.2, 30), np.linspace(1.3, 1.5, 30)])
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert load_topics(tmp_path, "x") is None
    sample = Sample(unit, parcels + themes, ["en"] * 60)
    fitted = fit_topics(tmp_path, "x", DAY, sample, TopicsConfig(n_topics=2))
    assert load_topics(tmp_path, "x") == fitted
    words = [" ".join(p for p, _ in topic.keyphrases) for topic in fitted.topics]
    assert sorted("parcel" in w for w in words) == [False, True]
    assert sorted("dark" in w for w in words) == [False, True]
    assert math.isclose(sum(v * v for v in fitted.topics[0].centroid), 1, abs_tol=1e-5)
    assert [t.label_fit for t in fitted.topics] == [1.0, 1.0]
