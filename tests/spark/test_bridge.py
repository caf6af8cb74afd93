"""The bridge over a change of model on literal results, and the view that carries the break."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tiny_nights import STARTED, frame

from pipeline.bridge import Bridge, bridge, bridge_rows, judged, overlap_sample, pairs, to_rows
from pipeline.config import ModelChangeConfig
from pipeline.errors import DataError
from pipeline.model_record import PublishedModel
from pipeline.publish import audit, publish, stage_table
from pipeline.read_tables import open_duckdb
from pipeline.run_schemas import MODEL_BRIDGE
from pipeline.schemas import SENTIMENT_DAILY, SENTIMENTS
from pipeline.store import STORED, ScoreStore
from pipeline.table import Table
from pipeline.view_schemas import SENTIMENT_TREND
from udfs.spec import EncoderSpec, HeadSpec, LanguageSpec, ScoreSpec

DAYS = tuple(dt.date(2026, 10, 5) + dt.timedelta(days=n) for n in range(4))
CONFIG = ModelChangeConfig(sample=8)
NEW = ScoreSpec(
    EncoderSpec("e", "/e", (), "r", 2, 8), HeadSpec("h", "/h", (), "r", SENTIMENTS), LanguageSpec(("en",), "1")
)
OLD = PublishedModel(DAYS[0], "old", None, "its files are gone")
Said = tuple[str, str, str | None, float | None]
"""A result: content key, language, label and score; a null label stands for a language that is not covered."""

OLD_SAYS: Sequence[Said] = (
    ("k0", "en", "negative", -0.5), ("k1", "en", "negative", -0.5), ("k2", "en", "neutral", 0.0), ("k3", "en", "positive", 0.5),
    ("k4", "en", "positive", 0.5), ("k5", "en", "positive", 0.25), ("k6", "zh", None, None), ("k7", "es", "neutral", 0.0),
)  # fmt: skip
NEW_SAYS: Sequence[Said] = (
    ("k0", "en", "negative", -0.5), ("k1", "en", "neutral", 0.0), ("k2", "en", "neutral", 0.0), ("k3", "en", "negative", -0.5),
    ("k4", "en", "negative", -0.5), ("k5", "en", "positive", 0.25), ("k6", "zh", "positive", 0.5), ("k7", "es", None, None),
)  # fmt: skip


def texts(spark: SparkSession, n: int = 12) -> DataFrame:
    rows = [(f"k{i:x}", "", f"text {i}") for i in range(n)]
    return spark.createDataFrame(rows, "content_key string, lang_hint string, text string").repartition(3)


def results(spark: SparkSession, says: Sequence[Said]) -> DataFrame:
    rows = [(key, "", lang, label, score, None if label else "LANG_UNSUPPORTED") for key, lang, label, score in says]
    columns = (
        "content_key string, lang_hint string, lang string, sentiment string, sentiment_score double, error_code string"
    )
    given = spark.createDataFrame(rows, columns)
    missing = {f.name: F.lit(None).cast(f.dataType) for f in STORED if f.name not in given.columns}
    return given.withColumns(missing)


def stores(spark: SparkSession, root: Path, old: Sequence[Said], new: Sequence[Said]) -> tuple[ScoreStore, ScoreStore]:
    found = ScoreStore(spark, root, "old"), ScoreStore(spark, root, "new")
    for store, says in zip(found, (old, new), strict=True):
        store.write(results(spark, says), "a")
    return found


def test_the_sample_is_the_first_texts_by_their_key(spark: SparkSession) -> None:
    for given in (texts(spark), texts(spark).repartition(5)):
        assert sorted(r.content_key for r in overlap_sample(given, 3).collect()) == ["k0", "k1", "k2"]
    assert overlap_sample(texts(spark, 2), 8).count() == 2, "all where there are fewer"


def test_the_bridge_counts_pairs_of_labels_per_language(spark: SparkSession, tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def score(store: ScoreStore, pending: DataFrame, spec: ScoreSpec, part: int) -> None:
        asked.append((store.model_key, pending.count()))

    found = bridge(OLD, NEW, stores(spark, tmp_path, OLD_SAYS, NEW_SAYS), texts(spark), CONFIG, score)
    assert asked == [("new", 0)], "no model is loaded for what the stores have; the old one is not needed at all"
    assert found.problem is None
    rows = {(r["lang"], r["sentiment"]): r for r in found.rows}
    assert list(rows) == [(lang, label) for lang in ("*", "en", "es", "zh") for label in SENTIMENTS]
    columns = (
        "n_sample",
        "n",
        "n_only_old",
        "n_only_new",
        "n_old",
        "n_new",
        "to_negative",
        "to_neutral",
        "to_positive",
    )
    assert {key: tuple(r[c] for c in columns) for key, r in rows.items() if key[0] in ("*", "zh")} == {
        ("*", "negative"): (8, 6, 1, 1, 2, 3, 1, 1, 0),
        ("*", "neutral"): (8, 6, 1, 1, 1, 2, 0, 1, 0),
        ("*", "positive"): (8, 6, 1, 1, 3, 1, 2, 0, 1),
        ("zh", "negative"): (1, 0, 0, 1, 0, 0, 0, 0, 0),
        ("zh", "neutral"): (1, 0, 0, 1, 0, 0, 0, 0, 0),
        ("zh", "positive"): (1, 0, 0, 1, 0, 0, 0, 0, 0),
    }
    positive, english = rows["*", "positive"], rows["en", "positive"]
    assert (positive["share_old"], positive["share_new"], positive["shift"]) == pytest.approx((3 / 6, 1 / 6, -2 / 6))
    assert positive["shift_low"] < -2 / 6 < positive["shift_high"]
    assert (positive["agreement"], positive["score_shift"]) == pytest.approx((0.5, -1.5 / 6))
    assert (positive["is_over"], english["is_over"]) == (True, False), "six texts of one language show nothing"
    assert (rows["zh", "neutral"]["shift"], rows["zh", "neutral"]["agreement"]) == (None, None)
    assert {(r["old_model_key"], r["new_model_key"], r["old_run_date"]) for r in found.rows} == {
        ("old", NEW.model_key(), DAYS[0])
    }
    staged = frame(
        spark,
        MODEL_BRIDGE,
        [(*list(r.values())[:-1], "r", "0", STARTED, r["run_date"]) for r in to_rows(found, DAYS[1])],
    )
    stage_table(staged, MODEL_BRIDGE, tmp_path, "r", DAYS[1:2])
    assert [entry.rows for entry in audit(spark, MODEL_BRIDGE, tmp_path, "r", DAYS[1:2])] == [12]
    with pytest.raises(DataError) as caught:
        judged(found, CONFIG)
    assert "share of positive (all languages): 0.5000 by the old model, 0.1667 by the new, shift -0.3333 (0.95" in str(
        caught.value
    )
    assert "model_change.tolerance 0.03" in str(caught.value)
    assert "model_change.on_shift: accept" in str(caught.value)
    assert len(judged(found, CONFIG.model_copy(update={"on_shift": "accept"}))) == 4
    within = replace(found, rows=tuple(row | {"is_over": False} for row in found.rows))
    assert judged(within, CONFIG)[1].startswith("share of positive (all languages)"), "the largest shift is told"


def test_each_model_scores_what_its_store_lacks_the_new_one_first(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = stores(spark, tmp_path, OLD_SAYS[:5], NEW_SAYS[:7])
    asked = []

    def score(store: ScoreStore, pending: DataFrame, spec: ScoreSpec, part: int) -> None:
        keys = sorted(r.content_key for r in pending.collect())
        asked.append((store.model_key, keys, spec.max_chars))
        says = {key: rest for key, *rest in (OLD_SAYS if store.model_key == "old" else NEW_SAYS)}
        store.write(results(spark, [(key, *says[key]) for key in keys]), str(part))

    monkeypatch.setattr("pipeline.bridge.missing_part", lambda spec: None)
    old = PublishedModel(DAYS[0], "old", replace(NEW, max_chars=7))
    found = bridge(old, NEW, both, texts(spark), CONFIG, score)
    assert asked == [("new", ["k7"], 20_000), ("old", ["k5", "k6", "k7"], 7)]
    assert [r["n"] for r in found.rows[:2]] == [6, 6]


@pytest.mark.parametrize(
    ("old_says", "new_says", "size", "problem"),
    [
        (OLD_SAYS[:5], NEW_SAYS, 8, "its files are gone"),
        (OLD_SAYS[6:7], NEW_SAYS[6:7], 0, "no text of the run could be scored by both models"),
    ],
    ids=["the old model is gone", "nothing in common"],
)
def test_what_cannot_be_compared_stops_unless_accepted(
    spark: SparkSession, tmp_path: Path, old_says: Sequence[Said], new_says: Sequence[Said], size: int, problem: str
) -> None:
    both = stores(spark, tmp_path, old_says, new_says)
    given = texts(spark, size) if size else texts(spark).where("content_key = 'k6'")
    found = bridge(OLD, NEW, both, given, CONFIG, lambda *_: None)
    assert (found.problem, found.rows) == (problem, ())
    with pytest.raises(DataError, match=rf"that of 2026-10-05 was old.*{problem}.*model_change.on_unavailable: accept"):
        judged(found, CONFIG)
    (line,) = judged(found, CONFIG.model_copy(update={"on_unavailable": "accept"}))
    assert problem in line


def test_a_small_language_counts_only_where_its_interval_is_clear_of_zero(spark: SparkSession) -> None:
    def shifted(n: int) -> list[dict[str, Any]]:
        """Half of n Spanish texts turn from neutral to negative, among 2,000 English ones that stay."""
        old = [(f"s{i}", "es", "neutral", 0.0) for i in range(n)]
        new = [(k, lang, "negative" if i % 2 else "neutral", 0.0) for i, (k, lang, *_) in enumerate(old)]
        same = [(f"e{i}", "en", "neutral", 0.0) for i in range(2_000)]
        said = [results(spark, [*rows, *same]) for rows in (old, new)]
        found = pairs(said[0].select("content_key", "lang_hint"), *said)
        return bridge_rows(found.toPandas(), CONFIG)

    assert [(r["lang"], r["sentiment"]) for r in shifted(40) if r["is_over"]] == [("es", "negative"), ("es", "neutral")]
    assert [r for r in shifted(4) if r["is_over"]] == []


def cells(day: dt.date, model: str, cascade: str | None, n: Sequence[int]) -> list[tuple[Any, ...]]:
    """A day of one source and language: the counts of each label in two topics, the second with one document each."""
    rows = []
    for topic, counts in ((0, n), (1, (1, 1, 1))):
        total = sum(counts)
        for label, count in zip(SENTIMENTS, counts, strict=True):
            cell = (day, "chat", None, "en", topic, label, count, count, total, 0, count / total, 0.0, 1.0, 0.25, model)
            rows.append((*cell, cascade, "r", "0", STARTED, day))
    return rows


@pytest.fixture
def trend(spark: SparkSession, tmp_path: Path) -> tuple[Path, str]:
    """Four nights; the model changes on the third, which holds a bridge, and the cascade on the fourth, without one."""
    catalog = f"t{abs(hash(str(tmp_path))):x}"
    one = {
        "n_sample": 9,
        "n": 9,
        "lang": "en",
        "sentiment": "negative",
        "shift": 0.1,
        "shift_low": 0.05,
        "shift_high": 0.15,
    }
    values = [
        one.get(c.name, {"string": "x", "date": DAYS[0], "boolean": False}.get(c.dtype.simpleString(), 0))
        for c in MODEL_BRIDGE.columns
    ]
    floats = [
        float(v) if c.dtype.simpleString() == "double" else v for v, c in zip(values, MODEL_BRIDGE.columns, strict=True)
    ]
    tables: dict[Table, list[tuple[Any, ...]]] = {
        SENTIMENT_DAILY: [
            *cells(DAYS[0], "a", None, (5, 3, 2)), *cells(DAYS[1], "a", None, (0, 0, 0 + 1)),
            *cells(DAYS[2], "b", None, (7, 2, 1)), *cells(DAYS[3], "b", "c", (7, 2, 1)),
        ],
        MODEL_BRIDGE: [(*floats, "r", "0", STARTED, DAYS[2])],
    }  # fmt: skip
    for table, rows in tables.items():
        stage_table(frame(spark, table, rows), table, tmp_path, "r", DAYS)
    audits = [entry for table in tables for entry in audit(spark, table, tmp_path, "r", DAYS)]
    publish(spark, tmp_path, catalog, "r", audits)
    publish(spark, tmp_path, catalog, "r", audits)  # the view is there already, and stays
    return tmp_path, catalog


def test_the_trend_shows_the_break_alike_in_both_engines(spark: SparkSession, trend: tuple[Path, str]) -> None:
    root, catalog = trend
    query = f"SELECT * FROM {catalog}.v_sentiment_trend ORDER BY event_date, sentiment"
    by_spark = [tuple(r) for r in spark.sql(query).collect()]
    with open_duckdb(root) as db:
        by_duckdb = db.execute(query).fetchall()
        described = db.execute(f"DESCRIBE {catalog}.v_sentiment_trend").fetchall()
    names = [c.name for c in SENTIMENT_TREND.columns]
    assert [r[0] for r in described] == names == spark.table(f"{catalog}.v_sentiment_trend").columns
    assert spark.table(f"{catalog}.v_sentiment_trend").dtypes == [
        (c.name, c.dtype.simpleString()) for c in SENTIMENT_TREND.columns
    ]
    assert len(by_spark) == len(by_duckdb) == len(DAYS) * len(SENTIMENTS)
    for ours, theirs in zip(by_spark, by_duckdb, strict=True):
        assert ours == pytest.approx(theirs)
    rows = [dict(zip(names, r, strict=True)) for r in by_spark]
    negative = [r for r in rows if r["sentiment"] == "negative"]
    assert [(r["n_docs"], r["n_scored"]) for r in negative] == [(6, 13), (1, 4), (8, 13), (8, 13)]
    assert [r["share"] for r in negative] == pytest.approx([6 / 13, 1 / 4, 8 / 13, 8 / 13])
    assert (negative[1]["ci_low"], negative[1]["ci_high"]) == pytest.approx((0.0456, 0.6994), abs=1e-4)
    assert [r["mean_score"] for r in negative] == pytest.approx([0.25] * 4)
    assert [(r["model_key"], r["cascade_key"], r["model_changed_on"], r["is_break"]) for r in negative] == [
        ("a", None, None, False), ("a", None, None, False), ("b", None, DAYS[2], True), ("b", "c", DAYS[3], True),
    ]  # fmt: skip
    shifts = [(r["bridge_shift"], r["bridge_shift_low"], r["bridge_shift_high"]) for r in negative]
    assert shifts == [(None,) * 3, (None,) * 3, (0.1, 0.05, 0.15), (None,) * 3]
    assert {r["bridge_shift"] for r in rows if r["sentiment"] != "negative"} == {None}


def test_rows_are_those_of_the_night_the_run_says() -> None:
    assert to_rows(None, DAYS[0]) == []
    assert to_rows(Bridge(OLD, "new", problem="gone"), DAYS[0]) == []
