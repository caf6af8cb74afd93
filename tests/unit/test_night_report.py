"""The page of a night: what it says of given facts, and that nothing from data becomes markup."""

import datetime as dt
from typing import Any

import pytest

from pipeline.night_report.charts import wilson
from pipeline.night_report.page import render
from pipeline.night_report.queries import NightFacts

NIGHT = dt.date(2026, 10, 14)
EVIL = "<script>alert('x')</script>"
KEY = f"group_key={EVIL}, topic_id=3"


def facts(**changes: Any) -> NightFacts:
    evidence = [{"doc_id": "d&1", "quote": EVIL, "start": 0, "end": 10}]
    answers: dict[str, Any] = {
        "sentiment": [
            {"event_date": day, "sentiment": s, "n_docs": n, "n_scored": 10}
            for day in (dt.date(2026, 10, 13), NIGHT)
            for s, n in (("negative", 5), ("neutral", 2), ("positive", 3))
        ],
        "alerts": [
            {
                "metric": "n_docs", "key": KEY, "group_key": EVIL, "topic_id": 3, "topic_label": "red light",
                "source": None, "lang": None, "phrase": None, "aspect": None, "value": 123.0, "expected": 32.5,
                "lower": 20.0, "upper": 47.0, "q_value": 1e-5, "direction": "up", "likely_cause": "volume",
            }
        ],
        "tested": [{"n_tested": 5_668, "n_alerts": 1}],
        "drivers": [
            {
                "metric": "n_docs", "key": KEY, "dimension": "lang", "component": c, "contribution": v,
                "change": 90.5, "baseline": 32.5, "value": 123.0, "segment": "en",
            }
            for c, v in (("volume", 80.5), ("mix", 0.0), ("campaign", 10.0))
        ],
        "topics": [
            {
                "topic_id": i, "label": f"{EVIL} $x$", "n_docs": 10 - i, "n_effective": 9 - i, "keyphrases": [],
                "centroid": [float(i == j) for j in range(3)], "evidence": evidence,
            }
            for i in range(3)
        ],
        "topic_days": [
            {"topic_id": i, "event_date": NIGHT, "n_docs": 3, "share": 0.3, "ci_low": 0.1, "ci_high": 0.6, "mean_sentiment": None}
            for i in range(3)
        ],
        "lineage": [{"event": "born", "from_topic_ids": [], "to_topic_ids": [2], "overlap": None}],
        "aspects": [
            {
                "aspect": EVIL, "aspect_source": "given", "langs": "en, es", "n_effective": 40, "n_negative": 30, "before": 0.25,
                "evidence": evidence,
            },
            {"aspect": "app", "aspect_source": "mined", "langs": "en", "n_effective": 8, "n_negative": 0, "before": None,
             "evidence": []},
        ],
        "rules": [], "phrases": [], "campaigns": [], "facts": [],
        "runs": [
            dict.fromkeys(
                ("status", "rows_scored", "rows_from_cache", "rows_dup", "rows_unsupported", "rows_error", "rows_rejected",
                 "tokens", "docs_per_s", "started_at", "ended_at", "model_key", "topic_model_key", "run_id"), 1
            ) | {"rows_in": 7_427, "warnings": [EVIL]}
        ],
        "stages": [{"stage": "read", "rows": 7_427, "seconds": 1.5}],
        "checks": [{"check_name": "min_rows", "observed": 1.0, "threshold": 0.5, "passed": False}],
    }  # fmt: skip
    return NightFacts(NIGHT, {**answers, **changes})


def test_what_comes_from_data_is_escaped() -> None:
    page = render(facts())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "d&amp;1" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_the_page_says_what_moved_and_what_failed() -> None:
    page = render(facts())
    assert "1 of 5,668 tested series" in page
    assert "32.5 (20 to 47)" in page
    assert "volume +80.5, campaign +10" in page
    assert "topic 3 (red light)" in page
    assert "language en" in page
    assert "negative 50 % (24 % to 76 %)" in page
    assert "<td>NO</td>" in page
    assert "born: none → 2" in page


def test_aspects_have_their_share_its_interval_the_change_and_a_quote() -> None:
    page = render(facts())
    table = page[page.index("<h2>Aspects</h2>") : page.index("<h2>Topics</h2>")]
    assert "<td class=n>75 % (60 % to 86 %)</td><td class=n>+50 points</td>" in table
    assert "<td class=n>0 % (0 % to 32 %)</td><td class=n></td>" in table, "no day before has it"
    assert table.count("<blockquote>&lt;script&gt;") == 1
    assert "<h2>Aspects</h2><p>None.</p>" in render(facts(aspects=[]))


def test_an_alert_about_an_aspect_names_it() -> None:
    alert = {**facts()["alerts"][0], "metric": "negative_share", "key": f"aspect={EVIL}", "aspect": EVIL}
    page = render(facts(alerts=[{**alert, "group_key": None, "topic_id": None, "topic_label": None}], drivers=[]))
    assert "▲ share of negative: aspect &lt;script&gt;" in page


def test_a_night_without_history_or_topics_says_so() -> None:
    page = render(facts(alerts=[], drivers=[], topics=[], topic_days=[], tested=[{"n_tested": None, "n_alerts": 0}]))
    assert "too little history" in page
    assert "no topic model yet" in page
    assert "No alert." in page


def test_wilson_is_that_of_the_tables() -> None:
    assert wilson(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 10)[0] == 0.0
