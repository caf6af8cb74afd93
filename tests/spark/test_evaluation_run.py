"""An evaluation over literal Parquet with the static tier: rows, parts, baselines, figures of vectors; bounds."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from pipeline.errors import DataError
from pipeline.evaluation import collect_rows
from pipeline.evaluation_config import EvaluateConfig
from pipeline.evaluation_run import evaluate_all
from pipeline.labelled import CONTENT_KEY, LabelledSet, Part, read_labelled

WORDS = ("coffee", "train", "phone", "hotel", "film", "bread", "router", "chair", "song", "garden")
TRAIN = [(f"the {w} was {how}", label, "en") for w in WORDS for how, label in (
    ("great, I love it", "positive"), ("awful and broken", "negative"), ("delivered on Monday", "neutral"))]  # fmt: skip
JUDGED = [
    ("what a great evening, I love it", "positive", "en", "a"),
    ("awful, broken and late", "negative", "en", "a"),
    ("broken again, awful service", "negative", "en", "b"),
    ("it came on Monday", "neutral", "en", "b"),
    ("great food", "positive", "en", "c"),
    ("很好", "positive", "zh", None),
    ("the  coffee was great, I love it", "positive", "en", "a"),  # its text, normalised, is in the training rows
]
PAIRS = [
    ("A man plays a guitar.", "A man is playing the guitar.", 5.0, "en"),
    ("A dog runs in the park.", "A dog is running outside.", 4.0, "en"),
    ("A woman cooks dinner.", "The stock market fell sharply.", 0.0, "en"),
    ("一个人在弹吉他。", "一个人弹吉他。", 5.0, "zh"),
    ("猫", "狗", 1.0, "zh"),
]


def written(spark: SparkSession, folder: Path, name: str, rows: list[Any], schema: str) -> str:
    path = str(folder / name)
    spark.createDataFrame(rows, schema).coalesce(1).write.parquet(path)
    return path


def test_an_evaluation_of_three_models(spark: SparkSession, tmp_path: Path) -> None:
    train = written(spark, tmp_path, "train", TRAIN, "text string, label string, lang string")
    judged = written(spark, tmp_path, "judged", JUDGED, "text string, label string, lang string, brand string")
    pairs = written(spark, tmp_path, "pairs", PAIRS, "text string, text2 string, score double, lang string")
    parallel = [(f"{t} please", t, "en", i) for i, (t, *_) in enumerate(TRAIN)]
    parallel = written(
        spark, tmp_path, "parallel", parallel, "text string, text_en string, lang string, sentence_id int"
    )
    config = EvaluateConfig.model_validate({
        "name": "tiny", "results": "unused.json", "max_groups": 2, "resamples": 100,
        "train": [{"name": "train", "path": train, "lang": "lang"}],
        "sets": [{"name": "judged", "path": judged, "lang": "lang", "group": "brand"}],
        "models": [
            {"name": "majority", "kind": "majority"},
            {"name": "tfidf", "kind": "tfidf"},
            {"name": "static", "kind": "encoder", "family": "static embedding + head",
             "model": {"embedding": "static-en", "sentiment": "sentiment-en-static", "device": "cpu"}},
        ],
        "similarity": [{"name": "pairs", "path": pairs}],
        "retrieval": [{"name": "parallel", "path": parallel, "n_topics": 3, "max_pairs": 20}],
    })  # fmt: skip
    found = evaluate_all(spark, config)

    [facts] = found["sets"]
    assert (facts["n"], facts["n_groups_left_out"], facts["n_rows_in_groups_left_out"]) == (7, 1, 1)
    assert found["train"] == {"n": 29, "n_rows": 30, "n_evaluated_on": 1}
    cells = {(c["model"], c["lang"], c["group"]): c for c in found["cells"]}
    assert {key[1:] for key in cells} == {("*", "*"), ("en", "*"), ("zh", "*"), ("*", "a"), ("*", "b")}
    for model in ("tfidf", "static"):
        english = cells[model, "en", "*"]
        assert (english["n"], english["n_unscored"]) == (6, 0)
        assert english["accuracy"][0] >= 5 / 6
        assert np.trace(np.array(english["confusion"])) >= 5
    assert cells["static", "zh", "*"] == {
        "model": "static", "set": "judged", "lang": "zh", "group": "*", "n": 0, "n_unscored": 1,
    }  # fmt: skip
    assert cells["static", "*", "*"]["n_unscored"] == 1
    # 29 training rows, 9 positive and 10 of each other class: the first of the most frequent is negative
    assert cells["majority", "*", "*"]["accuracy"][0] == round(2 / 7, 6)

    models = {m["name"]: m for m in found["models"]}
    assert models["static"]["parameters"] == 30_522 * 256 + 3 * 256 + 3
    assert models["tfidf"]["training_cpu_minutes"] > 0
    assert models["tfidf"]["speed"]["docs_per_cpu_s"] > 0
    assert models["static"]["speed"]["texts"] == 6

    english, chinese = found["similarity"]
    assert (english["lang"], english["n"], english["spearman"][0]) == ("en", 3, 1.0)
    assert (chinese["lang"], chinese["n"], chinese["n_unscored"]) == ("zh", 0, 2)
    [row] = found["retrieval"]
    assert row["n"] == 20
    assert row["to_english"]["accuracy_at_1"][0] >= 0.9
    assert row["topic_agreement"][0] >= 0.8

    again = evaluate_all(
        spark, config.model_copy(update={"only": ("majority",), "similarity": (), "retrieval": (), "max_rows": 3})
    )
    assert (again["sets"][0]["n"], again["sets"][0]["n_rows"]) == (3, 7)


def test_parts_follow_the_rule_and_miss_no_text(spark: SparkSession, tmp_path: Path) -> None:
    rows = [(f"text {i}", "positive") for i in range(300)]
    path = written(spark, tmp_path, "rows", rows, "text string, label string")

    def keys(**part: int) -> set[str]:
        one = LabelledSet(name="one", path=path, part=Part(**part))
        return {row[CONTENT_KEY] for row in read_labelled(spark, [one]).collect()}  # bounded: 300 rows

    expected = {hashlib.sha256(text.encode()).hexdigest() for text, _ in rows}
    train, judged = keys(from_pct=0, to_pct=90), keys(from_pct=90, to_pct=100)
    assert judged == {key for key in expected if int(key[:8], 16) % 100 >= 90}
    assert 10 < len(judged) < 60
    assert (train | judged, train & judged) == (expected, set())


def test_a_binary_set_with_neutral_rows_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = written(spark, tmp_path, "rows", TRAIN[:3], "text string, label string, lang string")
    one = {"name": "one", "path": path}
    models = [{"name": "m", "kind": "majority"}]
    config = EvaluateConfig.model_validate(
        {
            "name": "t",
            "results": "r",
            "models": models,
            "train": [one | {"name": "t"}],
            "sets": [one | {"binary": True}],
        }
    )
    with pytest.raises(DataError, match="one: binary, but 1 of its rows are neutral"):
        collect_rows(read_labelled(spark, config.sets), config)


def test_a_group_column_that_is_missing_is_named(spark: SparkSession, tmp_path: Path) -> None:
    path = written(spark, tmp_path, "rows", [("a text", "positive")], "text string, label string")
    with pytest.raises(DataError, match="has no column brand"):
        read_labelled(spark, [LabelledSet(name="one", path=path, group="brand")])
