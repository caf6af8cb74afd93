"""Series, anomalies, trends and drivers on Spark frames."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.patterns.anomalies import to_anomalies
from pipeline.patterns.causes import with_likely_cause
from pipeline.patterns.drivers import to_trend_drivers
from pipeline.patterns.fdr import with_q_values
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.patterns.series import Night, to_cells_daily, to_series
from pipeline.patterns.trends import to_trends
from pipeline.table import Table

FIRST = dt.date(2026, 9, 7)
DAYS = [FIRST + dt.timedelta(days=i) for i in range(29) if i != 10]
"""29 days, of which one was never published."""
TONIGHT = DAYS[-1]
DOCS = (
    "run_date date, source string, group_key string, lang string, topic_id bigint, sentiment string, "
    "sentiment_score double, is_canonical boolean"
)

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]


def documents() -> list[tuple[object, ...]]:
    """Nights of about 20 texts per group; tonight A turns negative, B is copied 60 times, topic 9 is new, and C has grown."""
    rng = np.random.default_rng(5)
    rows: list[tuple[object, ...]] = []
    for i, day in enumerate(DAYS):
        last = day == TONIGHT
        for group, mean in (("A", 40), ("B", 20), ("C", 20 + (25 if i >= 18 else 0))):
            for _ in range(rng.poisson(mean)):
                negative = rng.random() < (0.85 if last and group == "A" else 0.3)
                source, lang = ("app", "web", "mail")[rng.integers(3)], ("en", "zh")[rng.integers(2)]
                score = -0.7 if negative else 0.5
                rows.append(
                    (
                        day,
                        source,
                        group,
                        lang,
                        int(rng.integers(3)),
                        "negative" if negative else "positive",
                        score,
                        True,
                    )
                )
        if last:
            rows += [(day, "web", "B", "en", 1, "positive", 0.5, False)] * 60
            rows += [(day, "web", None, "en", 9, "positive", 0.5, True)] * 12
            rows += [(day, None, "C", "en", None, None, None, True)]
    return rows


@pytest.fixture(scope="module")
def cells(spark: SparkSession) -> DataFrame:
    return to_cells_daily(spark.createDataFrame(documents(), DOCS)).persist()


@pytest.fixture(scope="module")
def phrases(spark: SparkSession) -> DataFrame:
    rows = [(d, "usual words", 5, 5) for d in DAYS] + [(TONIGHT, "new words", 12, 11), (TONIGHT, "copied words", 60, 1)]
    return spark.createDataFrame(rows, "run_date date, phrase string, n_docs bigint, n_effective bigint").persist()


NIGHTS = [Night(d, "m") for d in DAYS]


@pytest.fixture(scope="module")
def anomalies(cells: DataFrame, phrases: DataFrame) -> DataFrame:
    return to_anomalies(to_series(cells, phrases), NIGHTS, [DAYS[3], TONIGHT]).persist()


@pytest.fixture(scope="module")
def drivers(anomalies: DataFrame, cells: DataFrame, phrases: DataFrame) -> DataFrame:
    return to_trend_drivers(anomalies, cells, phrases, NIGHTS, [TONIGHT]).persist()


def has_schema(frame: DataFrame, table: Table) -> None:
    expected = {c.name: c.dtype for c in table.columns}
    assert {f.name: f.dataType for f in frame.schema.fields if f.name != "run_date"} == expected
    keyed = frame.groupBy("run_date", *table.key).count().where("count > 1")
    assert keyed.isEmpty()
    for column in table.columns:
        if not column.nullable:
            assert frame.where(F.col(column.name).isNull()).isEmpty(), column.name


def test_q_values_are_those_of_benjamini_and_hochberg(spark: SparkSession) -> None:
    tests = [("n", 0.01, "a"), ("n", 0.02, "a"), ("n", 0.02, "a"), ("n", 0.5, "b"), ("n", None, "b"), ("m", 0.04, "a")]
    frame = spark.createDataFrame(tests, "family string, p double, half string")
    rows = with_q_values(frame, "p", "q", "family", count="n").orderBy("family", F.asc_nulls_last("p")).collect()
    assert [r.q for r in rows] == [0.04, *[pytest.approx(4 * 0.02 / 3)] * 3, 0.5, None]
    assert [r.n for r in rows] == [1, 4, 4, 4, 4, 4]
    halves = with_q_values(frame, "p", "q", "family", share="half").orderBy("family", F.asc_nulls_last("p")).collect()
    # three tests of one half weigh 4 / 6 each, the one of the other 4 / 2
    assert halves[1].q == pytest.approx(0.02 * 6 / 4 * 4 / 3)
    assert halves[4].q == pytest.approx(0.5 * 2 / 4 * 4 / 4)
    assert halves[0].q == 0.04


def test_alerts_are_what_was_planted(anomalies: DataFrame) -> None:
    has_schema(anomalies, ANOMALIES)
    rows = {(r.metric, r.key): r for r in anomalies.collect()}
    assert {r.run_date for r in rows.values()} == {TONIGHT}, "too little history on the other night"
    alerts = {k for k, r in rows.items() if r.is_alert}
    assert {
        ("negative_share", "group_key=A"),
        ("mean_sentiment", "group_key=A"),
        ("n_docs", "group_key=B"),
        ("n_docs", "topic_id=9"),
        ("n_effective", "topic_id=9"),
        ("n_effective", "phrase=new words"),
        ("n_docs", "phrase=copied words"),
    } <= alerts
    # copies alone are no mood and no volume of texts; quiet cells stay quiet
    assert not alerts & {
        ("n_effective", "group_key=B"),
        ("n_effective", "phrase=copied words"),
        ("n_docs", "group_key=A"),
        ("n_docs", "phrase=usual words"),
        ("negative_share", "group_key=C"),
        ("n_effective", "lang=zh"),
    }
    quiet = rows["n_effective", "group_key=A"]
    assert quiet.lower <= quiet.value <= quiet.upper
    assert quiet.n_history == 27
    assert rows["n_docs", "topic_id=9"].expected == 0
    assert rows["negative_share", "group_key=A"].direction == "up"
    assert ("n_docs", "phrase=usual words") not in rows


def test_where_texts_always_come_as_copies_a_few_copies_are_no_news(spark: SparkSession) -> None:
    rng = np.random.default_rng(11)
    rows = []
    for day in DAYS:
        for phrase in np.flatnonzero(rng.random(2000) < 0.1):
            rows.append((day, f"phrase {phrase}", int(rng.integers(2, 7)), 1))
    # an earlier wave of one text, larger than all the rest, does not make the next one usual
    rows += [(DAYS[-9], "old wave", 100_000, 1), (TONIGHT, "new wave", 60, 1), (TONIGHT, "new words", 40, 10)]
    phrases = spark.createDataFrame(rows, "run_date date, phrase string, n_docs bigint, n_effective bigint")
    columns = "run_date date, source string, group_key string, lang string, topic_id bigint, n_docs bigint, n_effective bigint"
    news = [(day, "wire", "A", "en", 0, 8_000, 2_000) for day in DAYS]
    reviews = [(day, "shop", "B", "en", 1, n, n) for day in DAYS for n in [150 if day == TONIGHT else 100]]
    zeros = {c: F.lit(0).cast("bigint") for c in ("n_scored", "n_negative")}
    counts = spark.createDataFrame(news + reviews, columns)
    cells = counts.withColumns(zeros | {c: F.lit(0.0) for c in ("score_sum", "score_squares")})
    series = to_series(cells, phrases).persist()
    anomalies = to_anomalies(series, NIGHTS, [TONIGHT]).persist()
    alerts = {(r.metric, r.key) for r in anomalies.where("is_alert").collect()}
    assert {a for a in alerts if "phrase" in a[1]} == {
        ("n_docs", "phrase=new wave"),
        ("n_docs", "phrase=new words"),
        ("n_effective", "phrase=new words"),
    }
    assert ("n_docs", "group_key=B") in alerts, "a group that has no copies is not judged by those of another"
    drivers = to_trend_drivers(anomalies, cells, phrases, NIGHTS, [TONIGHT]).where("metric = 'n_docs'").toPandas()
    causes = with_likely_cause(anomalies, spark.createDataFrame(drivers), NIGHTS).where(
        "is_alert AND metric = 'n_docs'"
    )
    found = {r.key: r.likely_cause for r in causes.collect()}
    assert found["phrase=new wave"] == "campaign"
    assert found["phrase=new words"] == found["group_key=B"] == "volume"

    def parts(key: str) -> dict[str, float]:
        one = drivers[(drivers.key == key) & drivers.dimension.isin(["none", "source"])]
        return dict(one.groupby("component").contribution.sum())

    assert parts("group_key=B") == pytest.approx({"volume": 50, "mix": 0, "campaign": 0})
    usual = (8_000 + 100) / (2_000 + 100)
    assert parts("phrase=new words") == pytest.approx({"volume": 10 * usual, "mix": 0, "campaign": 40 - 10 * usual})
    trends = to_trends(series, NIGHTS, [TONIGHT]).where("direction != 'flat' AND metric = 'n_docs'")
    assert trends.count() <= 2, "copies that come by chance are no trend"


def test_anomalies_do_not_depend_on_partitions_or_on_what_comes_later(
    cells: DataFrame, phrases: DataFrame, anomalies: DataFrame
) -> None:
    series = to_series(cells.repartition(7, "n_docs"), phrases.repartition(3))
    again = to_anomalies(series.repartition(5, F.rand(3)), NIGHTS, [TONIGHT])
    order = ["metric", "key"]
    pd.testing.assert_frame_equal(
        again.orderBy(*order).toPandas(), anomalies.orderBy(*order).toPandas(), check_exact=True
    )
    earlier = DAYS[-3]
    past = to_series(cells.where(F.col("run_date") <= earlier), phrases.where(F.col("run_date") <= earlier))
    columns = ["metric", "key", "value", "expected", "p_value", "q_value"]
    alone = to_anomalies(past, [n for n in NIGHTS if n.run_date <= earlier], [earlier]).select(*columns)
    beside = to_anomalies(series, NIGHTS, [earlier, TONIGHT]).where(F.col("run_date") == earlier).select(*columns)
    pd.testing.assert_frame_equal(alone.orderBy(*order).toPandas(), beside.orderBy(*order).toPandas(), check_exact=True)


def test_drivers_add_up_and_name_the_cause(anomalies: DataFrame, drivers: DataFrame) -> None:
    has_schema(drivers, TREND_DRIVERS)
    parts = drivers.toPandas()
    whole = parts.groupby(["metric", "key", "dimension"]).agg(total=("contribution", "sum"), change=("change", "first"))
    assert len(whole) > 10
    assert np.abs(whole.total - whole.change).max() < 1e-9
    alerts = {(r.metric, r.key) for r in anomalies.where("is_alert").collect()}
    assert {(r.metric, r.key) for r in parts.itertuples()} == alerts
    rows = with_likely_cause(anomalies, drivers, NIGHTS).collect()
    causes = {(r.metric, r.key): r.likely_cause for r in rows}
    assert causes["negative_share", "group_key=A"] == "sentiment"
    assert causes["n_docs", "group_key=B"] == "campaign"
    assert causes["n_docs", "phrase=copied words"] == "campaign"
    assert causes["n_effective", "topic_id=9"] == "volume"
    assert causes["n_docs", "group_key=A"] is None
    swapped = [Night(d, "new" if d == TONIGHT else "m") for d in DAYS]
    broken = {(r.metric, r.key): r.likely_cause for r in with_likely_cause(anomalies, drivers, swapped).collect()}
    assert broken["negative_share", "group_key=A"] == "model_change"
    assert broken["n_docs", "group_key=B"] == "campaign"


def test_a_measured_shift_is_a_component(
    spark: SparkSession, anomalies: DataFrame, cells: DataFrame, phrases: DataFrame
) -> None:
    bridge = [(TONIGHT, "*", "negative", 0.2, -0.3), (TONIGHT, "zh", "negative", 0.5, -0.6)]
    shifts = spark.createDataFrame(
        bridge, "run_date date, lang string, sentiment string, shift double, score_shift double"
    )
    mood = anomalies.where("metric = 'negative_share' AND key = 'group_key=A'")
    parts = to_trend_drivers(mood, cells, phrases, NIGHTS, [TONIGHT], shifts=shifts).toPandas()
    model = parts[parts.component == "model_change"].groupby("dimension").contribution.sum()
    assert model["source"] == pytest.approx(0.2)
    assert 0.2 < model["lang"] < 0.5, "zh has its own shift, en that of all languages"
    whole = parts.groupby("dimension").agg(total=("contribution", "sum"), change=("change", "first"))
    assert np.abs(whole.total - whole.change).max() < 1e-9


def test_trends_find_the_growing_group_and_its_day(cells: DataFrame, phrases: DataFrame) -> None:
    broken = [Night(d, "new" if d == TONIGHT else "m") for d in DAYS]
    trends = to_trends(to_series(cells, phrases), broken, [TONIGHT])
    has_schema(trends, TRENDS)
    rows = {(r.metric, r.key): r for r in trends.collect()}
    grown = rows["n_effective", "group_key=C"]
    assert (grown.direction, grown.window_end, grown.model_break) == ("up", TONIGHT, True)
    assert grown.slope_low > 0
    assert abs((grown.changepoint - DAYS[18]).days) <= 1
    assert 15 < grown.changepoint_step < 35
    assert 15 < grown.change_abs < 45
    still = rows["n_effective", "group_key=A"]
    assert (still.direction, still.changepoint) == ("flat", None)


def test_cells_count_a_text_once(cells: DataFrame) -> None:
    has_schema(cells, CELLS_DAILY)
    row = cells.where((F.col("run_date") == TONIGHT) & (F.col("topic_id") == 9)).collect()
    assert [(r.n_docs, r.n_effective, r.n_scored, r.n_negative, r.score_sum) for r in row] == [(12, 12, 12, 0, 6.0)]
    copied = cells.where((F.col("run_date") == TONIGHT) & (F.col("group_key") == "B")).agg(
        F.sum("n_docs") - F.sum("n_effective")
    )
    assert copied.collect() == [(60,)]
