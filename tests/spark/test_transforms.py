"""`from pipeline import …`: the transforms on a user's own DataFrame; the lines of docs/python.md run as they stand."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

import pipeline
from pipeline import to_topics, with_embedding, with_labels, with_masked, with_sentiment, with_summary
from pipeline.config import NightModelConfig
from pipeline.errors import ConfigError
from pipeline.sql import SqlConfig, register
from pipeline.sql.config import CacheConfig

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
ROWS = [
    ("shop", "I love this phone, it is wonderful. The battery lasts for days."),
    ("shop", "The worst parcel service ever. I hate it, write to ana@example.org."),
    ("forum", "The invoice was charged twice and nobody answers, terrible."),
    ("forum", None),
]


@pytest.fixture(scope="module")
def documents(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    """In a session of its own, which has the functions with the cheapest model."""
    own = spark.newSession()
    model = NightModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu")
    register(own, SqlConfig(model=model, cache=CacheConfig(folder=str(tmp_path_factory.mktemp("cache")))))
    return own.createDataFrame(ROWS, "source string, body string")


def test_the_lines_of_the_page_run(documents: DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = [b.group() for b in re.finditer(r"(?:^    .*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)]
    lines = [line[4:] for block in blocks for line in block.splitlines()]
    assert len([line for line in lines if "import" in line]) == 5
    names: dict[str, Any] = {"documents": documents, "spark": documents.sparkSession}
    exec("\n".join(lines), names)
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("positive", "negative", "[delivery]", "[EMAIL]", "near"))
    assert "ana@example.org" not in printed.split("near")[0]
    assert names["topics"].columns == ["source", "label", "words", "n", "share", "example", "n_rows", "n_read"]


def test_rows_and_columns_stay(documents: DataFrame) -> None:
    found = documents.transform(with_sentiment("body", ["battery"])).transform(with_embedding("BODY", into="v"))
    assert found.columns == ["source", "body", "sentiment", "v"]
    rows = found.collect()
    assert [(row.source, row.body) for row in rows] == ROWS
    assert [row.sentiment and row.sentiment.label for row in rows] == ["positive", "negative", "negative", None]
    assert [a.name for a in rows[0].sentiment.aspects] == ["battery"]
    assert [row.v is None for row in rows] == [False, False, False, True]


def test_arguments_reach_the_function(documents: DataFrame) -> None:
    many = documents.transform(with_labels("body", ["phone", "parcel"], multilabel=True, threshold=0.0))
    assert {len(row.labels.labels) for row in many.collect() if row.labels} == {2}
    unknown = documents.transform(with_labels("body", "no such set")).where("body IS NOT NULL")
    assert {row.labels.error.code for row in unknown.collect()} == {"UNKNOWN_LABELS"}
    masked = documents.transform(with_masked("body", ["phone"], into="body")).collect()
    assert [row.body for row in masked] == [body for _, body in ROWS], "e-mail addresses were not asked for"
    short = documents.transform(with_summary("body", max_words=5)).collect()
    assert all(len(row.summary.split()) <= 6 for row in short if row.summary)


def test_topics_count_the_rows_of_their_group(documents: DataFrame) -> None:
    rows = documents.transform(to_topics("body", by=["source"], topics=1)).collect()
    assert {(row.source, row.n, row.n_rows, row.n_read) for row in rows} == {("shop", 2, 2, 2), ("forum", 1, 2, 1)}


def test_a_column_that_is_missing_is_named(documents: DataFrame) -> None:
    with pytest.raises(ConfigError, match="text: no such column; the frame has source, body"):
        documents.transform(with_sentiment("text"))
    with pytest.raises(ConfigError, match="country"):
        documents.transform(to_topics("body", by=["country"]))


def test_a_session_without_functions_gets_them(spark: SparkSession) -> None:
    fresh = spark.newSession()
    assert not fresh.catalog.functionExists("ai_sentiment")
    frame = fresh.createDataFrame([(None,)], "body string").transform(with_sentiment("body"))
    assert fresh.catalog.functionExists("ai_sentiment")
    assert frame.collect() == [(None, None)]


def test_the_package_alone_loads_no_spark() -> None:
    code = "import sys, pipeline; print('pyspark' in sys.modules, hasattr(pipeline, 'no_such_name'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PAGE.parents[1], check=True)
    assert done.stdout == "False False\n"


def test_every_name_is_there_and_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in pipeline.__all__:
        assert callable(getattr(pipeline, name))
        assert f"`{name}(" in page
