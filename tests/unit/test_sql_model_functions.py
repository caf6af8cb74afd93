"""The functions of SQL over pandas Series, with the static model: answers, codes, and texts scored once."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.config import NightModelConfig
from pipeline.sql import SqlConfig
from pipeline.sql.config import CacheConfig, LabelSetConfig
from pipeline.sql.specs import resolve_sql
from udfs.sql.aggregates import spherical_kmeans
from udfs.sql.arrow import make_arrow, to_series
from udfs.sql.cache import ResultCache
from udfs.sql.explain import grouped, probabilities, words
from udfs.sql.functions import model_functions
from udfs.sql.sentiment import mentioning
from udfs.sql.spec import SqlSpec
from udfs.sql_function import SqlFunction

STATIC = NightModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu")
DESK = LabelSetConfig(labels={"money": ("a bill, a price, money",), "road": ("a parcel on its way", "the driver")})


@pytest.fixture
def spec(tmp_path: Path) -> SqlSpec:
    return resolve_sql(
        SqlConfig(model=STATIC, cache=CacheConfig(folder=str(tmp_path)), label_sets={"desk": DESK}, explain_units=8)
    )


def call(spec: SqlSpec, name: str) -> Callable[..., list[Any]]:
    function = next(f for f in model_functions(spec) if f.name == name).function
    return lambda *args, **named: list(function(*map(series, args), **{k: series(v) for k, v in named.items()}))


def series(values: list[Any]) -> "pd.Series[Any]":
    return pd.Series(values, dtype=object)


def counted(spec: SqlSpec, prefix: str = "ai_") -> int:
    counts = ResultCache(spec.cache).counted()
    return sum(n for (_, name), n in counts.items() if name.startswith(prefix))


def test_equal_texts_are_scored_once_and_spaces_do_not_count(spec: SqlSpec) -> None:
    answers = call(spec, "ai_analyze_sentiment")(["I love it", None, " I  love it\n", "I hate it", ""])
    assert answers == ["positive", None, "positive", "negative", None]
    assert counted(spec) == 2
    full = call(spec, "ai_sentiment")(["I hate it", "", None, 17, ["a"]])
    assert counted(spec) == 3, "17 is new"
    assert [a and a["error"] and a["error"]["code"] for a in full] == [
        None,
        "EMPTY_INPUT",
        None,
        "LANG_UNSUPPORTED",
        "BAD_INPUT",
    ]
    assert full[2] is None
    assert full[0]["label"] == "negative"
    assert -1 <= full[0]["score"] < 0


def test_processes_share_the_work(spec: SqlSpec, tmp_path: Path) -> None:
    code = (
        "import sys, json, pandas as pd; from pipeline.config import NightModelConfig; from pipeline.sql import SqlConfig; "
        "from pipeline.sql.config import CacheConfig; from pipeline.sql.specs import resolve_sql; "
        "from udfs.sql.functions import model_functions; "
        "spec = resolve_sql(SqlConfig.model_validate_json(sys.argv[1])); "
        "f = {f.name: f.function for f in model_functions(spec)}['ai_sentiment']; "
        "texts = pd.Series([f'text number {i} is good' for i in range(4200)]); "
        "print(json.dumps([a['score'] for a in f(texts)]))"
    )
    config = SqlConfig(model=STATIC, cache=CacheConfig(folder=str(tmp_path))).model_dump_json()
    running = [
        subprocess.Popen([sys.executable, "-c", code, config], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [json.loads(process.communicate()[0]) for process in running]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 4_200
    assert counted(spec) == 4_200


def test_aspects_are_judged_by_the_sentences_that_mention_them(spec: SqlSpec) -> None:
    texts = ["I love the screen. The prices are awful! It rings.", "Nothing to say here."]
    answers = call(spec, "ai_sentiment")(texts, [["screen", "price", "battery"], None])
    assert [(a["name"], a["label"]) for a in answers[0]["aspects"]] == [
        ("screen", "positive"), ("price", "negative"), ("battery", "unknown"),
    ]  # fmt: skip
    assert [a["quote"] for a in answers[0]["aspects"]] == ["I love the screen.", "The prices are awful!", None]
    assert answers[1]["aspects"] is None


def test_mentions_are_words_of_their_own_in_any_language() -> None:
    assert mentioning("An enterprise. A price of 3.5 is fair. Prices rise.", ["Price", "rise", "!?"]) == {
        "Price": "A price of 3.5 is fair. Prices rise.",
        "rise": "Prices rise.",
    }
    assert mentioning("屏幕很好。电池太差了！服务器坏了。", ["电池", "服务"], "zh") == {"电池": "电池太差了！"}
    assert mentioning("屏幕很好。电池太差了！", ["电池"]) == {"电池": "电池太差了！"}
    assert mentioning("An enterprise.", ["price"]) == {}


def test_labels_of_an_array_and_of_a_set(spec: SqlSpec) -> None:
    classify = call(spec, "ai_classify")
    text = "the driver lost my parcel on the way"
    assert classify([text, text, None], ["desk", ["money", "parcel"], "desk"]) == ["road", "parcel", None]
    before = counted(spec)
    full = call(spec, "ai_classify_full")(["  " + text, "zz"], ["desk", ["a", "b"]], none=[True, True])
    assert full[0]["labels"] == ["road"]
    assert sum(dict(full[0]["scores"]).values()) == pytest.approx(1, abs=1e-5)
    assert counted(spec) <= before + 1
    many = call(spec, "ai_classify_full")([text], ["desk"], multilabel=[True], threshold=[0.0])
    assert many[0]["labels"][0] == "road"
    assert sorted(many[0]["labels"]) == ["money", "road"]


def test_an_explanation_points_at_the_word_that_counts(spec: SqlSpec) -> None:
    text = "😀 The staff were wonderful"
    (answer, empty) = call(spec, "ai_explain")([text, " "])
    best = max(answer["tokens"], key=lambda t: t["weight"])
    assert (answer["label"], best["token"]) == ("positive", "wonderful")
    assert all(text[t["start"] : t["end"]] == t["token"] for t in answer["tokens"])
    assert empty["error"]["code"] == "EMPTY_INPUT"
    before = counted(spec)
    assert call(spec, "ai_explain")([text]) == [answer]
    assert counted(spec) == before
    (against,) = call(spec, "ai_explain")([text], label=["negative"])
    assert against["probability"] < 0.5
    (unknown,) = call(spec, "ai_explain")([text], label=["bad"])
    assert unknown["error"]["code"] == "UNKNOWN_LABEL"
    (long,) = call(spec, "ai_explain")(["good " * 40])
    assert len(long["tokens"]) == 8


def test_words_and_groups_of_them() -> None:
    text = "Don't 手机很好 go"
    assert next(text[a:b] for a, b in words(text)) == "Don't"
    assert "".join(text[a:b] for a, b in words(text)) == text.replace(" ", "")
    spans = [(i, i + 1) for i in range(10)]
    assert grouped(spans, 3) == [(0, 3), (3, 7), (7, 10)]
    assert grouped(spans, 10) == spans


@pytest.mark.parametrize("p", [(0.7, 0.2, 0.1), (0.2, 0.5, 0.3), (0.1, 0.1, 0.8)])
def test_three_probabilities_follow_from_label_score_and_confidence(p: tuple[float, float, float]) -> None:
    label = ("negative", "neutral", "positive")[int(np.argmax(p))]
    assert probabilities(label, p[2] - p[0], max(p)) == pytest.approx(p)


def test_clusters_are_found_and_repeat() -> None:
    random = np.random.default_rng(1)
    rows = np.repeat(np.eye(4)[:3], 5, axis=0) + random.normal(0, 0.05, (15, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assigned, centres = spherical_kmeans(rows, 3)
    assert [len(set(assigned[i : i + 5])) for i in (0, 5, 10)] == [1, 1, 1]
    assert len(set(assigned.tolist())) == 3
    assert (spherical_kmeans(rows, 3)[0] == assigned).all()
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.ones(3))
    assert set(spherical_kmeans(np.repeat(rows[:1], 4, axis=0), 3)[0].tolist()) <= {0, 1, 2}


def test_arrow_in_and_out_keeps_nulls_bytes_and_names() -> None:
    def frame(text: Any, k: Any = 3) -> pd.DataFrame:
        return pd.DataFrame(
            {"n": [None if t is None else len(t) for t in text], "k": [None if t is None else k for t in text]}
        )

    function = make_arrow(SqlFunction("f", frame, ""), pa.struct([("n", pa.int32()), ("k", pa.int64())]))
    broken = pa.array([b"a\xff", None], pa.binary()).view(pa.string())
    assert function(text=broken).to_pylist() == [{"n": 2, "k": 3}, None]
    assert to_series(pa.array([["a", None], None, []])).tolist() == [["a", None], None, []]
    with pytest.raises(TypeError, match=r"f: .*nope.* its arguments are text, k"):
        function(broken, nope=broken)
    assert function(broken.slice(0, 0)).to_pylist() == []
