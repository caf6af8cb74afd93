"""Judging labelled rows on the driver: counts, classes, and a bound."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline import evaluation
from pipeline.errors import DataError
from pipeline.evaluation import evaluate_sets
from pipeline.labelled import LabelledSet

SETS = [LabelledSet(name="one", path="one.parquet")]


def results(spark: SparkSession) -> DataFrame:
    rows = [
        ("one", "positive", "en", "positive", 0.9, 0.9),
        ("one", "negative", "en", "positive", 0.2, 0.6),
        ("one", "negative", "en", "negative", -0.8, 0.8),
        ("one", "neutral", "zh", None, None, None),
    ]
    columns = "set_name string, label string, lang string, sentiment string, sentiment_score double, sentiment_confidence double"
    return spark.createDataFrame(rows, columns)


def test_rows_without_a_score_are_counted_and_not_judged(spark: SparkSession) -> None:
    rows = evaluate_sets(results(spark), SETS)
    [overall] = [r for r in rows if r["lang"] == "*" and r["label"] == "*"]
    assert (overall["n"], overall["n_unscored"]) == (3, 1)
    assert overall["accuracy"] == pytest.approx(2 / 3)
    [chinese] = [r for r in rows if r["lang"] == "zh"]
    assert (chinese["n"], chinese["n_unscored"]) == (0, 1)


def test_more_rows_than_the_driver_holds_are_refused_not_cut(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "MAX_ROWS", 4)
    assert evaluate_sets(results(spark), SETS)
    monkeypatch.setattr(evaluation, "MAX_ROWS", 3)
    with pytest.raises(DataError, match="more than 3 labelled rows"):
        evaluate_sets(results(spark), SETS)
