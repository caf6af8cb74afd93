"""Labelled Parquet to a head folder, and label descriptions to one, through the real stage with the static encoder."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Warehouse
from pyspark.sql import SparkSession

from pipeline.config import ModelConfig
from pipeline.doc_labels import read_published, with_labels
from pipeline.errors import DataError
from pipeline.head_config import HeadConfig
from pipeline.head_training import save_head
from pipeline.label_heads import train_label_head
from pipeline.label_rows import HeadRows, labels_of, read_head_rows, resolve_duplicates, small_classes
from pipeline.labelled import LabelledSet
from pipeline.model_lock import encoder_identity, head_entry, head_spec
from pipeline.models import embedding_spec
from pipeline.night_labels import to_labels_daily
from pipeline.read_tables import open_duckdb
from pipeline.zero_shot import ZeroShotConfig, make_zero_shot
from udfs.labels import LABELLED
from udfs.models.head import load_head

MODEL = ModelConfig(embedding="static-en", device="cpu")
SUBJECTS = {
    "card": ("my credit card", "the debit card", "a bank card", "this card", "her payment card"),
    "weather": ("the rain", "a storm", "the sunshine", "heavy snow", "this cloudy sky"),
    "football": ("the football match", "our goalkeeper", "a penalty kick", "the league cup", "this striker"),
}
ENDINGS = (
    "today", "yesterday", "again", "in the morning", "last week", "and I am upset", "and I like it", "as I said", "once more",
)  # fmt: skip


def rows() -> list[tuple[str | None, str | None]]:
    """27 + 18 + 45 texts; then two empty ones, one without label, a repeat, a lost vote and a tie."""
    plain = [
        (f"Something about {subject} {ending}", label)
        for label, subjects, endings in zip(SUBJECTS, (3, 2, 5), (9, 9, 9), strict=True)
        for subject in SUBJECTS[label][:subjects]
        for ending in ENDINGS[:endings]
    ]
    first, second = plain[0][0], plain[1][0]
    odd = [("", "card"), (None, "card"), ("no label", None), (first, "card"), (first, "football"), (second, "weather")]
    return [*plain, *odd]


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("labelled") / "rows.parquet"
    pd.DataFrame(rows(), columns=["message", "kind"]).to_parquet(path)
    return str(path)


CONFIG = {
    "name": "t", "task": "topic", "output": "o", "model": MODEL, "max_rows": 100, "folds": 3, "repeats": 1, "few_shot": [4],
    "few_shot_draws": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def read(spark: SparkSession, parquet: str) -> HeadRows:
    train = [{"name": "own", "path": parquet, "text": "message", "label": "kind", "default_lang": "en"}]
    config = HeadConfig.model_validate(CONFIG | {"train": train})
    return read_head_rows(spark, config, embedding_spec(config.model))


def test_rows_to_a_head_and_none_is_lost_silently(read: HeadRows, tmp_path: Path) -> None:
    config = HeadConfig.model_validate(CONFIG | {"train": [{"name": "own", "path": "p"}]})
    spec = embedding_spec(config.model)
    assert read.classes == ("card", "football", "weather")
    # 96 read: 2 without text, 1 without label; `first` keeps one of two "card", loses "football"; `second` is a tie
    assert read.counts()["train"] == {
        "read": 96, "unusable": 3, "unscored": 0, "beyond_max_rows": 0, "duplicates": 1, "contradicting": 3, "kept": 89,
    }  # fmt: skip
    assert "1 left out: the same text and label again" in "\n".join(read.description())
    head = train_label_head(config, read.classes, read.train, None, read.warnings)
    cross = head.cross_validation
    assert cross is not None
    assert cross.measures["accuracy"].mean > 0.9
    folder = tmp_path / "topic"
    save_head(
        head.trained, folder, "t", ["en"], spec.encoder, encoder_identity(spec.encoder), {}, "topic", head.facts()
    )
    loaded = load_head(head_spec(head_entry("t", str(folder), folder), "topic"))
    decided, _ = loaded.decide(read.train.embeddings)
    assert (decided == read.train.labels).mean() > 0.95


def test_a_class_without_rows_is_an_error_and_a_small_one_a_warning() -> None:
    labels = ["a"] * 5 + ["b"] * 4
    assert [text[:24] for text in small_classes(labels, ("a", "b"))] == ["class b has 4 row(s): to"]
    with pytest.raises(DataError, match="no row has the label cheese"):
        small_classes(labels, ("a", "b", "cheese"))


def test_more_labels_than_a_head_may_have_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "ids.parquet")
    pd.DataFrame({"text": "x", "label": [f"id {i}" for i in range(501)]}).to_parquet(path)
    with pytest.raises(DataError, match="more than 500 labels in column label"):
        labels_of(spark, [LabelledSet(name="ids", path=path)])
    few = LabelledSet(name="ids", path=path, rename={f"id {i}": "other" for i in range(501)})
    with pytest.raises(DataError, match="more than 500"):
        labels_of(spark, [few.model_copy(update={"label": "text", "rename": {}}), LabelledSet(name="b", path=path)])


def test_descriptions_to_a_head_that_knows_what_is_none_of_them(
    spark: SparkSession, read: HeadRows, tmp_path: Path
) -> None:
    background = tmp_path / "background.parquet"
    things = (
        "a novel",
        "the election",
        "my kitchen",
        "an old song",
        "the train",
        "some bread",
        "a court case",
        "the hospital",
    )
    texts = [f"Something about {thing} {ending}" for thing in things for ending in ENDINGS]
    pd.DataFrame({"text": texts}).to_parquet(background)
    settings = {
        "background": {"path": str(background), "sample": 100},
        "name": "z", "task": "topic", "output": "o", "model": MODEL, "false_acceptance": 0.1,
        "labels": {"bank": ["bank card, debit card and credit card"], "sport": ["football match", "goalkeeper and striker"]},
    }  # fmt: skip
    config = ZeroShotConfig.model_validate(settings)
    spec = embedding_spec(config.model)
    trained, facts = make_zero_shot(spark, config, spec)
    folder = tmp_path / "zero"
    save_head(trained, folder, "z", ["en"], spec.encoder, encoder_identity(spec.encoder), {}, "topic", facts)
    head = load_head(head_spec(head_entry("z", str(folder), folder), "topic"))
    assert facts["zero_shot"]["background_texts"] == 72
    decided, _ = head.decide(read.train.embeddings)
    given = {name: decided[read.train.labels == i] for i, name in enumerate(read.classes)}
    assert np.mean(given["card"] == 0) > 0.8
    assert np.mean(given["football"] == 1) > 0.6
    assert np.mean(given["weather"] == -1) > 0.6


def test_the_majority_wins_and_a_tie_has_no_winner() -> None:
    frame = pd.DataFrame(
        [("k1", "a"), ("k1", "a"), ("k1", "b"), ("k2", "a"), ("k2", "b"), ("k3", "b")], columns=["content_key", "label"]
    )
    assert resolve_duplicates(frame).to_dict("records") == [
        {"content_key": "k1", "label": "a"},
        {"content_key": "k3", "label": "b"},
    ]


def test_labels_are_counted_by_distinct_texts_and_none_of_these_is_one_of_them(spark: SparkSession) -> None:
    day, at = dt.date(2026, 10, 5), dt.datetime(2026, 10, 5, 8)
    documents = [  # doc_id, group_key, content_key, dup_group_id, sentiment_score, label, topic
        ("a", "g", "k1", "d1", -0.5, "x", "p"),
        ("b", "g", "k2", "d1", 0.9, "y", "p"),  # a near-duplicate of a, later: a's label counts
        ("c", "g", "k3", None, 0.5, "y", "q"),
        ("d", "g", "k4", None, None, None, "q"),
        ("e", "h", "k2", "d1", 0.9, "y", "q"),  # alone of its group in this cell
    ]
    scores = spark.createDataFrame(
        [
            (day, i, at + dt.timedelta(minutes=n), g, "en", key, dup, score)
            for n, (i, g, key, dup, score, *_) in enumerate(documents)
        ],
        "run_date date, doc_id string, event_ts timestamp, group_key string, lang string, content_key string, "
        "dup_group_id string, sentiment_score double",
    )
    labels = spark.createDataFrame(
        [
            (day, i, day, task, label, "head", "m")
            for i, *_, first, second in documents
            for task, label in (("one", first), ("two", second))
        ],
        "run_date date, doc_id string, event_date date, task string, label string, head string, model_key string",
    )
    rows = {(r.task, r.group_key, r.label): r for r in to_labels_daily(labels, scores).collect()}
    counts = {key: (r.n_docs, r.n_effective, r.share, r.mean_sentiment) for key, r in rows.items()}
    assert counts == {
        ("one", "g", "x"): (1, 1, pytest.approx(1 / 3), -0.5),
        ("one", "g", "y"): (2, 1, pytest.approx(1 / 3), 0.5),
        ("one", "g", None): (1, 1, pytest.approx(1 / 3), None),
        ("one", "h", "y"): (1, 1, 1.0, 0.9),
        ("two", "g", "p"): (2, 1, pytest.approx(1 / 3), -0.5),
        ("two", "g", "q"): (2, 2, pytest.approx(2 / 3), 0.5),
        ("two", "h", "q"): (1, 1, 1.0, 0.9),
    }
    assert all(r.ci_low <= r.share <= r.ci_high for r in rows.values())


def test_heads_label_published_documents(spark: SparkSession, warehouse: Warehouse) -> None:
    published = {name: read_published(spark, warehouse.root, name) for name in ("doc_embeddings", "doc_scores")}
    connection = open_duckdb(warehouse.root)
    for name, frame in published.items():
        assert frame.count() == connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # type: ignore[index]
    labels = with_labels(published["doc_embeddings"], published["doc_scores"], [])
    assert labels.columns == LABELLED.names
    assert labels.count() == 0
    types = {"string": "string", "double": "double", "date": "date32[day]"}
    assert [types[f.dataType.simpleString()] for f in labels.schema] == [str(f.type) for f in LABELLED]
