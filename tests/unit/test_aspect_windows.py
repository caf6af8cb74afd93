"""Which nights the series of an aspect are held against."""

import datetime as dt

import pandas as pd

from pipeline.patterns.anomalies import history_windows
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.series import Night
from pipeline.patterns.trends import trend_windows
from udfs.patterns.movements import MovementSpec, make_fit

DAYS = [dt.date(2026, 9, 7) + dt.timedelta(days=i) for i in range(20)]
KNOWN = {"old": DAYS, "new": DAYS[10:], "gone": DAYS[:-1]}
NIGHTS = [Night(d, "m", frozenset(a for a, days in KNOWN.items() if d in days)) for d in DAYS]


def test_an_aspect_has_the_nights_that_know_it_and_none_where_tonight_does_not() -> None:
    history = {w.aspect: w.days for w in history_windows(NIGHTS, DAYS[-1:], MovementConfig())}
    assert history == {None: tuple(DAYS[:-1]), "old": tuple(DAYS[:-1]), "new": tuple(DAYS[10:-1])}
    trends = {w.aspect: w.days for w in trend_windows(NIGHTS, DAYS[-1:], MovementConfig())}
    assert trends == {None: tuple(DAYS), "old": tuple(DAYS), "new": tuple(DAYS[10:])}


def test_nights_that_do_not_know_an_aspect_are_not_in_its_mean() -> None:
    spec = MovementSpec(history_windows(NIGHTS, DAYS[-1:], MovementConfig()), 7, 5, 5, 4.0, 0.3)
    series = [(aspect, len(KNOWN[aspect]) if aspect else 20) for aspect in (None, "old", "new")]
    rows = [
        {
            "run_date": DAYS[-1], "metric": "n_docs", "kind": "aspect" if aspect else "overall", "key": str(aspect),
            "aspect": aspect, "at": list(range(places)), "n": [0.0] * places, "total": [30.0] * places, "squares": [0.0] * places,
            "copies": 4.0,
        }
        for aspect, places in series
    ]  # fmt: skip
    (found,) = [pd.concat(make_fit(spec)(iter([pd.DataFrame(rows)])))]
    assert dict(zip(found["key"], found["n_history"], strict=True)) == {"None": 19, "old": 19, "new": 9}
    assert set(found["expected"].round(6)) == {30.0}
    assert set(found["copies"]) == {1.0}, "thirty documents a night show their dispersion themselves"
