"""The functions of SQL in a session: natural queries score each distinct text once, and a bad row is a code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.config import NightModelConfig
from pipeline.sql import Registered, SqlConfig, register
from pipeline.sql.config import CacheConfig, LabelSetConfig, StoreConfig
from pipeline.store import ScoreStore
from udfs.sql.store_index import META

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
        SqlConfig(
            model=static(), models={"again": static()}, cache=CacheConfig(folder=str(tmp_path)), label_sets=sets
        ),
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
