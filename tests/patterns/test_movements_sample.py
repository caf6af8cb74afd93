"""Movements of the sample corpus by its truth: what is planted is found on its days, and nothing on the quiet ones."""

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.config import NightlyConfig, load_job_config
from pipeline.patterns.anomalies import to_anomalies
from pipeline.patterns.aspects import to_aspect_cells
from pipeline.patterns.series import Night, to_cells_daily, to_series
from pipeline.patterns.trends import to_trends
from pipeline.sample import planted
from pipeline.sample.corpus import Message, generate
from udfs.aspect_terms import Matcher
from udfs.aspects import AspectSpec, aspects_of, mentions

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]

SCORES = {"negative": -0.8, "neutral": 0.0, "positive": 0.8, "mixed": 0.0}
FIRST_TESTED = planted.FIRST_DAY + timedelta(days=7)
EVENT_DAYS = {*planted.INCIDENT_DAYS, *planted.CAMPAIGN_COPIES, *planted.EMERGING_MESSAGES, *planted.SHORT_REPEAT_DAYS}
ASPECTS = load_job_config(NightlyConfig, Path(__file__).parents[2] / "conf/jobs/sample.yaml").patterns.aspects
NIGHTS = [Night(day, "truth", frozenset(ASPECTS.definitions())) for day in planted.DAYS]


def cells_and_phrases(
    spark: SparkSession, messages: list[Message], topics: dict[str, int]
) -> tuple[DataFrame, DataFrame]:
    """Return the cells of the messages' truth, the theme as topic, and counts of words of 30 messages and of planted ones."""
    rows, words, seen = [], Counter[tuple[date, str, bool]](), set()
    for m in messages:
        text = (m.body or b"").decode()
        is_first = (m.day, text) not in seen
        seen.add((m.day, text))
        label = "neutral" if m.sentiment == "mixed" else m.sentiment
        rows.append((m.day, m.channel, m.product, m.language, topics[m.theme], label, SCORES[m.sentiment], is_first))
        words.update((m.day, word, is_first) for word in set(re.findall(r"[a-z']+", text.lower())))
    total = Counter[str]()
    for (_, word, _), n in words.items():
        total[word] += n
    kept = {w for w, n in total.items() if n >= 30} | set(planted.EMERGING_WORDS)
    counts = {(day, word) for day, word, _ in words if word in kept}
    phrases = [(day, w, words[day, w, True] + words[day, w, False], words[day, w, True]) for day, w in sorted(counts)]
    schema = (
        "run_date date, source string, group_key string, lang string, topic_id bigint, sentiment string, "
        "sentiment_score double, is_canonical boolean"
    )
    documents = spark.createDataFrame(pd.DataFrame(rows, columns=[c.split()[0] for c in schema.split(", ")]), schema)
    frame = pd.DataFrame(phrases, columns=["run_date", "phrase", "n_docs", "n_effective"])
    return to_cells_daily(documents), spark.createDataFrame(frame)


def aspect_cells(spark: SparkSession, messages: list[Message], topics: dict[str, int]) -> DataFrame:
    """Return the cells of the aspects of conf/jobs/sample.yaml; the sentiment towards them is the message's truth."""
    spec = AspectSpec(tuple((a.name, a.terms) for a in ASPECTS.given), {})
    matchers = {lang: Matcher(aspects_of(spec, None, lang), lang) for lang in planted.LANGUAGES}
    rows = []
    for m in messages:
        text = (m.body or b"").decode()
        matcher = matchers.get(m.language)
        named = {a.name for a, *_ in mentions(text, matcher, spec, m.language)} if matcher else set()
        label = "neutral" if m.sentiment == "mixed" else m.sentiment
        own = (m.day, m.message_id, m.created_at, m.language, m.channel, m.product, topics[m.theme], text, None, label)
        rows += [(*own, name, "given") for name in sorted(named)]
    schema = (
        "run_date date, doc_id string, event_ts timestamp, lang string, source string, group_key string, topic_id bigint, "
        "content_key string, dup_group_id string, sentiment string, aspect string, aspect_source string"
    )
    looked_for = [(day, *entry) for day in planted.DAYS for entry in ASPECTS.definitions().items()]
    return to_aspect_cells(
        spark.createDataFrame(rows, schema),
        spark.createDataFrame(looked_for, "run_date date, aspect string, definition string"),
    )


@pytest.fixture(scope="module")
def topics() -> dict[str, int]:
    return {theme: i for i, theme in enumerate(sorted({m.theme for m in generate() if m.fault is None}))}


@pytest.fixture(scope="module")
def found(spark: SparkSession, topics: dict[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Anomalies of all nights, and trends of the last one."""
    accepted = [m for m in generate() if m.fault is None]
    series = to_series(*cells_and_phrases(spark, accepted, topics), aspect_cells(spark, accepted, topics)).persist()
    anomalies = to_anomalies(series, NIGHTS, planted.DAYS).toPandas()
    return anomalies, to_trends(series, NIGHTS, [planted.LAST_DAY]).toPandas()


def test_planted_events_are_alerts_on_their_days(
    found: tuple[pd.DataFrame, pd.DataFrame], topics: dict[str, int]
) -> None:
    anomalies, _ = found
    alerts = anomalies[anomalies.is_alert]
    days: dict[tuple[str, str], set[date]] = {}
    for row in alerts.itertuples():
        days.setdefault((row.metric, row.key), set()).add(row.run_date)
    incident = set(planted.INCIDENT_DAYS)
    for metric in ("n_docs", "n_effective", "negative_share", "mean_sentiment"):
        assert days[metric, f"group_key={planted.INCIDENT_PRODUCT}"] == incident, metric
    emerging = days["n_effective", f"topic_id={topics[planted.EMERGING_THEME]}"]
    assert planted.EMERGING_FIRST_DAY in emerging
    words = [ds for (_, key), ds in days.items() if key.removeprefix("phrase=") in planted.EMERGING_WORDS]
    assert words, "a few of them a day, so not on the first days"
    assert min(set().union(*words)) > planted.EMERGING_FIRST_DAY
    campaign = set(planted.CAMPAIGN_COPIES)
    assert days["n_docs", f"group_key={planted.CAMPAIGN_PRODUCT}"] == campaign
    assert days["n_docs", f"source={planted.CAMPAIGN_CHANNEL}"] == campaign


def test_nothing_is_an_alert_on_quiet_days_or_beside_the_events(
    found: tuple[pd.DataFrame, pd.DataFrame], topics: dict[str, int]
) -> None:
    anomalies, _ = found
    assert anomalies.run_date.min() == FIRST_TESTED, "a week of history comes first"
    assert anomalies[anomalies.run_date == FIRST_TESTED].n_tested.min() > 500
    alerts = anomalies[anomalies.is_alert & (anomalies.kind != "phrase")]
    assert set(alerts.run_date) <= EVENT_DAYS
    about = {topics[planted.EMERGING_THEME]}
    others = alerts[~alerts.run_date.isin([*planted.INCIDENT_DAYS, *planted.CAMPAIGN_COPIES])]
    assert set(others.topic_id.dropna()) <= about
    assert others.topic_id.notna().all()


def test_the_incident_is_an_alert_about_the_firmware_on_its_days_alone(
    found: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    anomalies, trends = found
    rows = anomalies[anomalies.kind == "aspect"]
    metrics = ("n_docs", "n_effective", "negative_share")
    tested = {(row.aspect, row.metric, row.run_date) for row in rows.itertuples()}
    always = {(a, m, d) for a in ("firmware", "support") for m in metrics for d in planted.DAYS if d >= FIRST_TESTED}
    assert always <= tested
    alerts = rows[rows.is_alert]
    assert {(row.aspect, row.metric, row.run_date) for row in alerts.itertuples()} == {
        ("firmware", metric, day) for metric in metrics for day in planted.INCIDENT_DAYS
    }
    assert set(alerts.direction) == {"up"}
    grown = trends[(trends.aspect == "charger") & (trends.metric == "n_docs")]
    assert set(grown.direction) == {"up"}, (
        "more each day, as the counterfeit ones emerge: a trend, and no day beyond the others"
    )


def test_emerging_topic_is_a_trend(found: tuple[pd.DataFrame, pd.DataFrame], topics: dict[str, int]) -> None:
    _, trends = found
    rows = trends.set_index(["metric", "key"])
    emerging = rows.loc[("n_effective", f"topic_id={topics[planted.EMERGING_THEME]}")]
    assert emerging.direction == "up"
    assert planted.EMERGING_FIRST_DAY <= emerging.changepoint <= planted.EMERGING_FIRST_DAY + timedelta(days=5)
    assert (rows.loc["n_effective"].loc[["group_key=Wren Watch", "group_key=Finch Buds"]].direction == "flat").all()
