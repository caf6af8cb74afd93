"""The functions of SQL in a session: natural queries score each distinct text once, and a bad row is a code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import NightModelConfig
from pipeline.placement import measured
from pipeline.scoring import scored as night_scores
from pipeline.sql import Registered, SqlConfig, register
from pipeline.sql.config import CacheConfig, LabelSetConfig, StoreConfig
from pipeline.store import ScoreStore
from pipeline.text import content_key as night_key
from pipeline.text import normalised as night_normalised
from udfs.spec import ScoreSpec
from udfs.sql.store_index import META
from udfs.sql.texts import content_key, normalised
from udfs.worker import Counters

N = 60
"""Distinct texts; each is there twice."""
LABELS = "array('billing', 'delivery', 'other')"


def static() -> NightModelConfig:
    """The cheapest model: what is tested here does not depend on it."""
    return NightModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu")


@pytest.fixture(scope="module")
def texts(spark: SparkSession) -> Iterator[None]:
    rows = [(i, f"the parcel number {i % N} came {['late', 'on time', 'broken'][i % 3]}") for i in range(2 * N)]
    spark.createDataFrame(rows, "id bigint, text string").repartition(2).createOrReplaceTempView("mail")
    yield
    spark.catalog.dropTempView("mail")


@pytest.fixture
def functions(spark: SparkSession, texts: None, tmp_path: Path) -> Registered:
    """Functions with an empty cache."""
    sets = {"desk": LabelSetConfig(labels={"late": ("it came late",), "fine": ("all is well", "no complaint")})}
    return register(
        spark,
        SqlConfig(model=static(), models={"again": static()}, cache=CacheConfig(folder=str(tmp_path)), label_sets=sets),
    )


def scored(registered: Registered) -> int:
    """Texts really scored; labels and background texts do not count."""
    return sum(n for (_, function), n in registered.scored().items() if function.startswith("ai_"))


QUERIES = {
    "filter on the label of a subquery": (
        f"SELECT * FROM (SELECT id, ai_classify(text, {LABELS}) AS label FROM mail) WHERE label <> 'nothing'",
        N,
    ),
    "the same function twice": (
        "SELECT id, ai_sentiment(text).score FROM mail WHERE ai_sentiment(text).label IS NOT NULL",
        N,
    ),
    "two functions": (f"SELECT ai_analyze_sentiment(text), ai_classify(text, {LABELS}), ai_embed(text) FROM mail", N),
    "group by the label": (
        "SELECT ai_sentiment(text).label, count(*) FROM mail GROUP BY ai_sentiment(text).label",
        N,
    ),
    "a CTE used twice": (
        f"WITH c AS (SELECT id, ai_classify_full(text, {LABELS}) AS r FROM mail) "
        "SELECT id FROM c WHERE r.labels[0] = 'billing' UNION ALL SELECT id FROM c WHERE r.labels[0] <> 'billing'",
        N,
    ),
    "a filter that is pushed down": (
        "SELECT * FROM (SELECT id, ai_analyze_sentiment(text) AS s FROM mail) WHERE id < 10",
        10,
    ),
}


@pytest.mark.parametrize("query", QUERIES, ids=lambda q: q.replace(" ", "-"))
def test_a_query_scores_each_distinct_text_once(spark: SparkSession, functions: Registered, query: str) -> None:
    sql, wanted = QUERIES[query]
    spark.sql(sql).collect()
    assert scored(functions) == wanted
    spark.sql(sql).collect()
    assert scored(functions) == wanted, "the second run scores nothing"


def test_what_the_store_has_is_not_scored(spark: SparkSession, texts: None, tmp_path: Path) -> None:
    night = register(spark, SqlConfig(model=static(), cache=CacheConfig(folder=str(tmp_path / "night"))))
    model = night.spec.models[0].scoring
    rows = spark.sql(
        "SELECT DISTINCT sha2(text, 256) AS content_key, 'en' AS lang_hint, text FROM mail WHERE id % 60 <> 7"
    )
    root = tmp_path / "out"
    store = ScoreStore(spark, root, model.model_key())
    store.write(scored_by_night(spark, rows, model), "r-0")

    store_config = StoreConfig(root=str(root), index=str(tmp_path / "index"))
    config = SqlConfig(model=static(), cache=CacheConfig(folder=str(tmp_path / "sql")), store=store_config)
    functions = register(spark, config)
    assert len(list((tmp_path / "index").glob(f"*/*/{META}"))) == 1
    found = spark.sql("SELECT id, ai_sentiment(text) AS s, ai_embed(text) AS e FROM mail").collect()
    assert scored(functions) == 1, "text 7 alone"
    stored = {r.content_key: r for r in store.read().collect()}
    keys = dict(spark.sql("SELECT id, sha2(text, 256) FROM mail").collect())
    for row in (r for r in found if r.id % N != 7):
        known = stored[keys[row.id]]
        answer = (row.s.label, row.s.score, row.s.confidence, row.s.model, row.s.lang, row.s.coverage, row.e)
        assert answer == (
            known.sentiment, known.sentiment_score, known.sentiment_confidence, known.sentiment_model, known.lang,
            known.coverage, known.embedding,
        )  # fmt: skip
    assert register(spark, config).scored() == functions.scored(), "the index is there already"


def scored_by_night(spark: SparkSession, rows: DataFrame, model: ScoreSpec) -> DataFrame:
    context = spark.sparkContext
    count = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    return night_scores(rows, measured(rows, model), model, count)


BAD = {
    "null": ("CAST(NULL AS STRING)", "NULL"),
    "empty": ("''", "EMPTY_INPUT"),
    "white space": ("' \\n\\t '", "EMPTY_INPUT"),
    "1 MB": ("repeat('good ', 200000)", "TOO_LONG"),
    "40 kB": ("repeat('good ', 8000)", "cut"),
    "invalid UTF-8": ("CAST(unhex('676F6F64FF') AS STRING)", "fine"),
    "language": ("'これは日本語の文章です。とても良いです。'", "LANG_UNSUPPORTED"),
    "good": ("'a very good phone'", "fine"),
}


def test_a_bad_row_is_a_code_and_fails_no_query(spark: SparkSession, functions: Registered) -> None:
    union = " UNION ALL ".join(f"SELECT '{name}' AS name, {text} AS text" for name, (text, _) in BAD.items())
    rows = spark.sql(
        f"SELECT name, ai_sentiment(text) AS s, ai_classify_full(text, {LABELS}) AS c, ai_analyze_sentiment(text) AS a, "
        f"ai_explain(text) AS e, ai_embed(text) AS v FROM ({union})"
    ).collect()
    for row in rows:
        wanted = BAD[row.name][1]
        if wanted == "NULL":
            assert (row.s, row.c, row.a, row.e, row.v) == (None,) * 5
        elif wanted in ("fine", "cut"):
            assert row.s.error is row.c.error is row.e.error is None
            assert row.s.label == row.a == row.e.label
            assert (row.s.coverage < 1) == (wanted == "cut")
        else:
            assert row.s.error.code == row.c.error.code == row.e.error.code == wanted
            assert row.s.error.message
            assert (row.s.label, row.a, row.v) == (None, None, None)


ARGUMENTS = {
    "array()": "BAD_LABELS",
    "array('one')": "BAD_LABELS",
    "transform(sequence(1, 501), x -> concat('label ', x))": "BAD_LABELS",
    "array('a', 'b', 'a')": "BAD_LABELS",
    "array('a', NULL)": "BAD_LABELS",
    "array('a', ' ')": "BAD_LABELS",
    "array(1, 2)": "BAD_LABELS",
    "CAST(NULL AS ARRAY<STRING>)": "BAD_LABELS",
    "'nothing'": "UNKNOWN_LABELS",
    "'desk'": None,
    "array(concat('label ', id), 'other')": None,
    "array('x\\'); DROP TABLE mail; --', '{text}')": None,
    f"{LABELS}, model => 'nothing'": "UNKNOWN_MODEL",
    f"{LABELS}, model => 'again'": None,
    f"{LABELS}, threshold => 7": "BAD_THRESHOLD",
    f"{LABELS}, threshold => 'much'": "BAD_THRESHOLD",
}


def test_bad_arguments_are_codes(spark: SparkSession, functions: Registered) -> None:
    columns = ", ".join(f"ai_classify_full(text, {labels}).error.code AS c{i}" for i, labels in enumerate(ARGUMENTS))
    row = spark.sql(f"SELECT {columns} FROM mail WHERE id = 3").collect()[0]
    assert dict(zip(ARGUMENTS, row, strict=True)) == ARGUMENTS
    assert spark.sql("SELECT ai_sentiment(text, model => 'x').error.code FROM mail LIMIT 1").first() == (
        "UNKNOWN_MODEL",
    )
    wrong = spark.sql("SELECT ai_sentiment(text, array('a', 'a')).error.code FROM mail LIMIT 1")
    assert wrong.first() == ("BAD_ASPECTS",)


def test_topics_of_a_group(spark: SparkSession, functions: Registered) -> None:
    sql = """SELECT kind, ai_topics_agg(text, 2) AS t FROM VALUES
        ('a', 'the battery of the phone is empty after an hour'), ('a', 'my battery dies within the hour'),
        ('a', 'the parcel came late'), ('a', 'my parcel is late again'), ('a', NULL), ('b', ' ')
        AS v(kind, text) GROUP BY kind ORDER BY kind"""
    full, empty = (row.t for row in spark.sql(sql).collect())
    assert (full.n_rows, full.n_read, full.error) == (5, 4, None)
    assert sorted("battery" in topic.words for topic in full.topics) == [False, True]
    assert [topic.n for topic in full.topics] == [2, 2]
    assert (empty.topics, empty.error.code) == (None, "EMPTY_INPUT")


def test_cosine(spark: SparkSession, functions: Registered) -> None:
    sql = """SELECT vec_cosine(array(1f, 0f), array(1f, 1f)), vec_cosine(b => array(1, 0), a => array(-1, 0)),
        vec_cosine(array(0, 0), array(1, 1)), vec_cosine(NULL, array(1)), vec_cosine(array(1), array(1, 2))"""
    assert spark.sql(sql).first() == (pytest.approx(0.5**0.5), -1.0, None, None, None)
    same = spark.sql("SELECT vec_cosine(ai_embed(text), ai_embed(upper(text))) FROM mail LIMIT 1").first()
    assert same is not None
    assert same[0] > 0.99


def test_normalisation_is_the_nights(spark: SparkSession) -> None:
    characters = [chr(c) for c in [*range(0x250), *range(0x1680, 0x1690), *range(0x2000, 0x2070), 0x3000, 0xFEFF]]
    nasty = [f"a{c}{c}b {c}" for c in characters] + ["  ", "e\u0301 \U0001f600\u200d"]
    frame = spark.createDataFrame([(t,) for t in nasty], "text string")
    rows = frame.select("text", night_normalised(F.col("text")), night_key(night_normalised(F.col("text")))).collect()
    assert [(normalised(t), content_key(normalised(t)).hex()) for t, _, _ in rows] == [(n, k) for _, n, k in rows]
