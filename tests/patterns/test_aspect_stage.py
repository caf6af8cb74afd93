"""The aspect stage on Spark with a real model: each sentence is scored once, and a document of one sentence not again."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.cascade import Cascade
from pipeline.config import CascadeConfig, LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from pipeline.night_aspects import scored_sentences, stage_aspects
from pipeline.night_patterns import PatternRun
from pipeline.patterns.aspect_config import AspectsConfig, GivenAspect
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY, ASPECT_DAILY, DOC_ASPECTS
from pipeline.patterns.aspects import to_mentions
from pipeline.patterns.config import PatternsConfig
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY
from pipeline.placement import measured
from pipeline.progress import Stages
from pipeline.run_tables import with_common
from pipeline.schemas import DOC_SCORES, SENTIMENTS
from pipeline.scoring import scored
from pipeline.staging import read_staged, stage_table
from pipeline.store import ScoreStore
from pipeline.table import Table
from pipeline.text import content_key
from pipeline.thresholds import Choice
from udfs.spec import ScoreSpec
from udfs.worker import Counters

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(900)]
DAY, NEXT = dt.date(2026, 10, 5), dt.date(2026, 10, 6)
STARTED = dt.datetime(2026, 10, 8, 3, 15, tzinfo=dt.UTC)
DOCUMENTS = (
    # doc_id, lang, group_key, dup_group_id, text
    ("two", "en", "Owl", None, "😀😀 The battery is terrible, I hate it. I love the screen, it is wonderful!"),
    ("again", "en", "Owl", None, "The battery is terrible, I hate it. I love the camera, it is wonderful!"),
    ("one", "en", "Owl", None, "The battery is terrible and useless."),
    ("whole", "en", "Owl", None, "Battery ok."),
    ("both", "en", "Owl", None, "The battery is wonderful, I love it! Later the battery is so so. The battery is a joy."),
    ("mail", "en", "Heron", None, "I hate the battery, write to a.b@example.com please. Thanks."),
    ("copy-1", "en", "Heron", "g", "The battery is a truly terrible thing. Money back."),
    ("copy-2", "en", "Heron", "g", "The battery is a truly terrible thing! Money back."),
    ("copy-3", "en", "Heron", "g", "The battery is a truly terrible thing!! Money back."),
    ("zh", "zh", "Heron", None, "电池很差。屏幕很好。"),
    ("failed", "en", "Heron", None, "The battery of this one has no score. Really."),
    ("other", "en", "Heron", None, "Nothing of interest here."),
)  # fmt: skip
KEYPHRASES = (
    ("terrible", 9.0, 9),
    ("battery", 8.0, 8),
    ("screen", 7.0, 7),
    ("camera", 6.0, 6),
    ("money", 5.0, 5),
)
GIVEN = GivenAspect(name="power", terms={"en": ("battery",), "zh": ("电池",)})
UNHEARD = GivenAspect(name="hinge", terms={"any": ("hinge",)})
CONFIG = AspectsConfig(given=(GIVEN, UNHEARD), max_mined=2, min_docs=1, max_sentences=3)
TABLES = (DOC_ASPECTS, ASPECT_DAILY, ASPECT_CELLS_DAILY)


def table_frame(spark: SparkSession, table: Table, rows: list[dict[str, Any]]) -> DataFrame:
    """Rows of a table; what a row does not name is null."""
    struct = T.StructType([T.StructField(f.name, f.dataType) for f in table.struct()])
    return spark.createDataFrame([tuple(row.get(f.name) for f in struct) for row in rows], struct)


@dataclass
class Stage:
    """What the stage needs: a run's folder, documents and their (invented) scores, and a model that counts what it scores."""

    spark: SparkSession
    root: Path
    spec: ScoreSpec
    full: ScoreSpec | None = None
    cascade: Cascade | None = None

    def __post_init__(self) -> None:
        self.scored: list[tuple[str, int]] = []
        rows = [(DAY, *row[:4], STARTED, row[4]) for row in DOCUMENTS]
        frame = self.spark.createDataFrame(
            rows,
            "run_date date, doc_id string, lang string, group_key string, dup_group_id string, event_ts timestamp, text string",
        )
        self.documents = frame.withColumn("content_key", content_key(F.col("text")))

    def score(self, store: ScoreStore, pending: DataFrame, spec: ScoreSpec) -> None:
        load = measured(pending, spec)
        self.scored.append((spec.encoder.name, load.rows))
        if load.rows:
            counters = Counters(*(self.spark.sparkContext.accumulator(0) for _ in range(3)))
            store.write(scored(pending, load, spec, counters), f"part-{len(store.parts())}")

    def run(self, run_id: str, config: AspectsConfig = CONFIG, patterns: bool = True) -> dict[str, list[Row]]:
        """Stage the tables; a document's own score is 0.1, so that it shows where it is used."""

        def complete(frame: DataFrame) -> DataFrame:
            return with_common(frame, run_id, STARTED)

        own = {"sentiment": "positive", "sentiment_score": 0.1, "sentiment_confidence": 0.4}
        none = dict.fromkeys(own)
        docs = [r.asDict() for r in self.documents.drop("text").collect()]
        facts = {"event_date": DAY, "sentiment_model": "own", "sentiment_model_key": "own-key", "model_key": "key"}
        scores = table_frame(
            self.spark, DOC_SCORES,
            [d | facts | (none | {"error_code": "MODEL"} if d["doc_id"] == "failed" else own) for d in docs],
        )  # fmt: skip
        phrases = [{"run_date": DAY, "lang": "en", "phrase": p, "score": s, "n_effective": n} for p, s, n in KEYPHRASES]
        stage_table(
            complete(table_frame(self.spark, KEYPHRASES_DAILY, phrases)),
            KEYPHRASES_DAILY,
            self.root,
            run_id,
            [DAY, NEXT],
        )
        patterns_config = PatternsConfig(enabled=patterns, aspects=config)
        run = PatternRun(self.root, run_id, [DAY, NEXT], patterns_config, "key", complete)
        judge: Callable[[DataFrame], DataFrame] = lambda sentences: scored_sentences(  # noqa: E731
            self.spark, self.root, sentences, self.spec, self.full, self.cascade, self.score
        )
        stage_aspects(self.spark, run, self.documents, scores, judge, Stages(), None)
        return {t.name: read_staged(self.spark, t, self.root, run_id).collect() for t in TABLES}


@pytest.fixture(scope="module")
def stage(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    model = ModelConfig(
        embedding="static-en", sentiment="sentiment-en-static", embedding_languages=("*",), device="cpu"
    )
    return Stage(spark, tmp_path_factory.mktemp("aspects"), sentiment_spec(model, LanguageConfig()))


@pytest.fixture(scope="module")
def staged(stage: Stage) -> dict[str, list[Row]]:
    return stage.run("first")


def by_document(staged: dict[str, list[Row]], aspect: str) -> dict[str, Row]:
    return {row.doc_id: row for row in staged["doc_aspects"] if row.aspect == aspect}


def test_aspects_of_one_document_have_the_sentiment_of_their_own_sentences(staged: dict[str, list[Row]]) -> None:
    power, screen = by_document(staged, "power")["two"], by_document(staged, "screen")["two"]
    assert (power.sentiment, screen.sentiment) == ("negative", "positive")
    assert (power.aspect_source, screen.aspect_source) == ("given", "mined")
    text = next(row[4] for row in DOCUMENTS if row[0] == "two")
    assert power.quote == text[power.start : power.end] == "😀😀 The battery is terrible, I hate it."
    assert screen.quote == text[screen.start : screen.end] == "I love the screen, it is wonderful!"
    assert -1 <= power.sentiment_score < 0 < screen.sentiment_score <= 1
    assert (power.sentiment_model, power.event_date) == ("sentiment-en-static", DAY)


def test_a_document_of_one_sentence_has_its_own_score(staged: dict[str, list[Row]]) -> None:
    power = by_document(staged, "power")
    for doc in ("one", "whole"):
        row = power[doc]
        assert (row.sentiment, row.sentiment_score, row.sentiment_confidence) == ("positive", 0.1, 0.4)
        assert (row.sentiment_model, row.sentiment_model_key) == ("own", "own-key")
    assert "failed" not in power
    assert "other" not in power


def test_several_sentences_are_averaged_and_the_clearest_is_quoted(stage: Stage, staged: dict[str, list[Row]]) -> None:
    row = by_document(staged, "power")["both"]
    assert (row.n_sentences, row.sentiment) == (3, "positive")
    results = stage.spark.read.parquet(*map(str, ScoreStore(stage.spark, stage.root, stage.spec.model_key()).parts()))
    text = next(r[4] for r in DOCUMENTS if r[0] == "both")
    pieces = [piece + mark for piece, mark in zip(text.replace("!", ".").split(". "), ("!", ".", ""), strict=True)]
    keys = stage.spark.createDataFrame([(p,) for p in pieces], "text string").withColumn(
        "content_key", content_key(F.col("text"))
    )
    found = {r.text: r for r in keys.join(results, "content_key").collect()}
    assert len(found) == 3
    assert row.sentiment_score == pytest.approx(sum(r.sentiment_score for r in found.values()) / 3, abs=2e-6)
    clearest = max((r for r in found.values() if r.sentiment == "positive"), key=lambda r: r.sentiment_confidence)
    assert row.quote == clearest.text


def test_mined_aspects_are_the_best_nouns_of_the_night(staged: dict[str, list[Row]]) -> None:
    mined = {row.aspect for row in staged["doc_aspects"] if row.aspect_source == "mined"}
    assert mined == {"screen", "camera"}, (
        "thing is in too few texts, terrible no noun, battery a given term, joy not best"
    )


def test_a_sentence_without_a_score_says_nothing(stage: Stage, staged: dict[str, list[Row]]) -> None:
    store = ScoreStore(stage.spark, stage.root, stage.spec.model_key()).read()
    assert [r.error_code for r in store.where("lang_hint = 'zh'").collect()] == ["LANG_UNSUPPORTED"]
    assert "zh" not in by_document(staged, "power")


def test_days_count_near_duplicates_once_and_quote_without_personal_data(staged: dict[str, list[Row]]) -> None:
    cells = {(r.group_key, r.lang, r.aspect): r for r in staged["aspect_daily"]}
    assert len(cells) == len(staged["aspect_daily"])
    heron = cells["Heron", "en", "power"]
    assert (heron.n_docs, heron.n_effective, heron.n_negative, heron.n_neutral, heron.n_positive) == (4, 2, 2, 0, 0)
    assert heron.ci_low < heron.share_negative == 1.0 == heron.ci_high
    assert {e.doc_id for e in heron.evidence} == {"mail", "copy-1"}
    assert next(e.quote for e in heron.evidence if e.doc_id == "mail") == "I hate the battery, write to [EMAIL] please."
    for row in staged["aspect_daily"]:
        assert row.n_effective == sum(row[f"n_{s}"] for s in SENTIMENTS)
        assert row.share_negative == row.n_negative / row.n_effective
        assert 1 <= len(row.evidence) <= 3
    scores = [r.sentiment_score for r in by_document(staged, "power").values() if r.doc_id in ("copy-1", "mail")]
    assert heron.mean_score == pytest.approx(sum(scores) / 2, abs=1e-6)


def test_cells_count_given_aspects_and_say_which_were_looked_for(staged: dict[str, list[Row]]) -> None:
    cells = {(r.run_date, r.aspect, r.group_key): r for r in staged["aspect_cells_daily"]}
    assert len(cells) == len(staged["aspect_cells_daily"])
    assert set(cells) == {
        (DAY, "power", "Owl"), (DAY, "power", "Heron"), (DAY, "hinge", None), (NEXT, "power", None), (NEXT, "hinge", None),
    }  # fmt: skip
    heron = cells[DAY, "power", "Heron"]
    assert (heron.lang, heron.n_docs, heron.n_effective, heron.n_negative) == ("en", 4, 2, 2)
    assert (cells[DAY, "power", "Owl"].n_docs, cells[DAY, "power", "Owl"].n_effective) == (5, 5)
    for key in [(DAY, "hinge", None), (NEXT, "power", None)]:
        assert (cells[key].lang, cells[key].n_docs, cells[key].n_effective, cells[key].n_negative) == (None, 0, 0, 0)
    assert {r.aspect: r.definition for r in staged["aspect_cells_daily"]} == CONFIG.definitions()


def test_no_sentence_is_scored_twice(stage: Stage, staged: dict[str, list[Row]]) -> None:
    n = {"two": 2, "again": 2, "both": 3, "mail": 1, "copies": 3, "zh": 1}
    assert stage.scored[0] == ("static-en", sum(n.values()))
    again = stage.run("second")
    assert stage.scored[-1] == ("static-en", 0)
    keep = [c.name for c in DOC_ASPECTS.columns]
    assert [[r[c] for c in keep] for r in again["doc_aspects"]] == [[r[c] for c in keep] for r in staged["doc_aspects"]]


def test_with_a_cascade_the_full_model_decides_unsure_sentences_only(
    stage: Stage, staged: dict[str, list[Row]]
) -> None:
    full = sentiment_spec(ModelConfig(device="cpu"), LanguageConfig())
    sure = sorted(r.sentiment_confidence for r in by_document(staged, "power").values() if r.sentiment_model != "own")
    threshold = sure[len(sure) // 2]
    choice = Choice(
        threshold=threshold, n=50, agreement=1.0, agreement_low=0.99, agreement_decided=1.0, agreement_decided_low=0.99
    )
    cascade = Cascade(stage.spec.model_key(), full.model_key(), CascadeConfig(enabled=True), 2**62, choice)
    both = replace(stage, full=full, cascade=cascade)
    rows = both.run("cascade")["doc_aspects"]
    (base, n_base), (name, n_full) = both.scored
    assert (base, n_base, name) == ("static-en", 0, "all-MiniLM-L6-v2")
    assert 0 < n_full < stage.scored[0][1], "the audit of documents takes no sentence"
    assert {r.sentiment_model for r in rows} == {"own", "sentiment-en-static", "sentiment-en"}
    for row in rows:
        if row.n_sentences == 1 and row.sentiment_model == "sentiment-en-static":
            assert row.sentiment_confidence >= threshold


@pytest.mark.parametrize("off", [(AspectsConfig(enabled=False), True), (CONFIG, False)])
def test_where_it_is_off_the_tables_are_empty(stage: Stage, off: tuple[AspectsConfig, bool]) -> None:
    n = len(stage.scored)
    tables = stage.run(f"off-{off[1]}", *off)
    assert tables == {"doc_aspects": [], "aspect_daily": [], "aspect_cells_daily": []}
    assert len(stage.scored) == n


def test_a_mined_aspect_is_a_noun_that_texts_with_an_opinion_are_about(spark: SparkSession) -> None:
    said = [
        ("negative", "The battery is awful.", 40),
        ("positive", "The screen protector is fine. I like the protector.", 6),
        ("negative", "The line dropped. The question is why.", 6),  # nothing drops the dropped; a generic word
        ("neutral", "I opened the menu.", 6),  # no opinion
        ("neutral", "I read the manual.", 7),  # fewer opinions than elsewhere
        ("negative", "I hate the manual.", 5),
        ("positive", "A gorgeous day.", 6),  # no noun
        ("positive", "The hinge is fine.", 4),  # too few
    ]
    texts = [(DAY, f"{i}-{n}", "en", mood, text) for i, (mood, text, times) in enumerate(said) for n in range(times)]
    phrases = ["battery", "screen protector", "line dropped", "question", "menu", "manual", "gorgeous", "hinge"]
    keyphrases = [(DAY, "en", phrase, 9.0 - place, 5) for place, phrase in enumerate(phrases)]
    mentions = to_mentions(
        spark.createDataFrame(texts, "run_date date, doc_id string, lang string, sentiment string, text string"),
        spark.createDataFrame(keyphrases, "run_date date, lang string, phrase string, score double, n_effective long"),
        [DAY],
        AspectsConfig(),
    )
    assert {row.aspect for row in mentions.select("aspect").distinct().collect()} == {"battery", "screen protector"}
