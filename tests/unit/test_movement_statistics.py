"""The statistics of movements by simulation, fixed seeds: rates of false alerts, power, coverage."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from udfs.patterns import baseline as b
from udfs.patterns import changes
from udfs.patterns.calendar import Nights

Floats = np.ndarray[Any, np.dtype[np.float64]]
TONIGHT = dt.date(2026, 10, 28)
CUT, SHARE = 4.0, 0.3


def nights(n: int) -> Nights:
    return Nights(TONIGHT, tuple(TONIGHT - dt.timedelta(days=n - i) for i in range(n)), (5, 6), 35)


def negative_binomial(rng: np.random.Generator, mean: Floats, alpha: Floats | float) -> Floats:
    shape = 1 / np.maximum(np.broadcast_to(alpha, mean.shape), 1e-9)
    return rng.poisson(mean * rng.gamma(shape, 1 / shape)).astype(float)


def priors(base: b.Baseline, classes: np.ndarray[Any, Any], speaks: np.ndarray[Any, Any]) -> tuple[Floats, Floats]:
    """Return what each series' family lends it, as `pipeline.patterns.anomalies` works it out."""
    logs, noise = b.log_dispersion(base)
    prior, lent = np.ones(len(logs)), np.zeros(len(logs))
    for c in np.unique(classes):
        at = (classes == c) & speaks & ~np.isnan(logs)
        if at.sum() >= 2:
            moments = (float(at.sum()), logs[at].mean(), logs[at].var(ddof=1), noise[at].mean())
            p, n = b.family_prior(*(np.array([x]) for x in moments), least=10)
            prior[classes == c], lent[classes == c] = p[0], n[0]
    return prior, lent


def held(counts: Floats, window: Nights) -> tuple[b.Prediction, b.Baseline]:
    levels, tonight = window.levels()
    assert tonight is not None
    base = b.count_baseline(counts[:, :-1], levels, tonight, CUT, SHARE)
    found = b.moderated(base, *priors(base, b.size_class(base), base.expected >= 2))
    return b.predict_counts(counts[:, -1], base, *found), base


def discoveries(p: Floats, q: float = 0.05) -> np.ndarray[Any, Any]:
    """Return which tests Benjamini and Hochberg's step-up procedure rejects."""
    ranked = np.sort(p)
    passed = np.flatnonzero(ranked <= q * np.arange(1, len(p) + 1) / len(p))
    return p <= (ranked[passed[-1]] if len(passed) else -1.0)


@pytest.mark.parametrize("n", [14, 28, 56])
@pytest.mark.parametrize("alpha", [0.0, 0.02, 0.1])
def test_intervals_of_counts_cover_95_percent(n: int, alpha: float) -> None:
    rng, window = np.random.default_rng(n), nights(n)
    week = np.array([0.7 if d.weekday() >= 5 else 1.0 for d in (*window.days, TONIGHT)])
    mean = np.exp(rng.uniform(np.log(30), np.log(300), (6000, 1))) * week
    found, _ = held(counts := negative_binomial(rng, mean, alpha), window)
    covered = ((found.lower <= counts[:, -1]) & (counts[:, -1] <= found.upper)).mean()
    assert 0.93 <= covered <= 0.97
    assert (found.p_value < 0.01).mean() <= 0.015


@pytest.mark.parametrize("n", [7, 28])
@pytest.mark.parametrize("rho", [0.0, 0.01])
def test_intervals_of_shares_and_means_cover_95_percent(n: int, rho: float) -> None:
    rng, window = np.random.default_rng(n), nights(n)
    levels, tonight = window.levels()
    assert tonight is not None
    m, q = 4000, 0.35
    trials = rng.integers(60, 240, (m, n + 1)).astype(float)
    night = rng.beta(q * (1 / rho - 1), (1 - q) * (1 / rho - 1), (m, n + 1)) if rho else np.full((m, n + 1), q)
    hits = rng.binomial(trials.astype(int), night).astype(float)
    base = b.mean_baseline(hits[:, :-1], None, trials[:, :-1], levels, tonight, CUT, SHARE)
    every = np.ones(m, dtype=bool)
    shared = b.moderated(base, *priors(base, np.zeros(m), every))
    value = hits[:, -1] / trials[:, -1]
    found = b.predict_shares(value, trials[:, -1], base, *shared)
    assert 0.93 <= ((found.lower <= value) & (value <= found.upper)).mean() <= 0.97
    means = rng.normal(0, 0.6 * np.sqrt(rho), (m, n + 1)) + rng.normal(0, 0.6, (m, n + 1)) / np.sqrt(trials)
    squares = (trials - 1) * 0.36 + trials * means**2
    base = b.mean_baseline((means * trials)[:, :-1], squares[:, :-1], trials[:, :-1], levels, tonight, CUT, SHARE)
    shared = b.moderated(base, *priors(base, np.zeros(m), every))
    value = means[:, -1]
    found = b.predict_means(value, trials[:, -1], base, *shared)
    assert 0.93 <= ((found.lower <= value) & (value <= found.upper)).mean() <= 0.97


@pytest.mark.parametrize(
    ("n", "low", "high", "alpha", "most"),
    [(7, 20, 200, 0.05, 0.1), (28, 20, 200, 0.05, 0.1), (28, 0.05, 50, 0.3, 0.1), (14, 0.1, 3, 0.5, 0.1)],
)
def test_nights_without_events_have_few_false_alerts(
    n: int, low: float, high: float, alpha: float, most: float
) -> None:
    """With nothing to find, the false discovery rate is the share of nights with any alert: 0.05 nominal, 150 nights."""
    rng, window = np.random.default_rng(17), nights(n)
    alerts = []
    for _ in range(150):
        mean = np.exp(rng.uniform(np.log(low), np.log(high), (200, 1))) * np.ones(n + 1)
        counts = negative_binomial(rng, mean, alpha)
        counts = counts[counts.sum(axis=1) >= 5]
        alerts.append(discoveries(held(counts, window)[0].p_value).any())
    # 0.1 is 2.8 standard errors above the nominal rate
    assert np.mean(alerts) <= most


def test_shuffled_nights_have_few_false_alerts() -> None:
    """A weekly season, a trend and a week of an event, dealt out at random: nothing is special about the last night."""
    rng, window = np.random.default_rng(3), nights(28)
    alerts = []
    for _ in range(100):
        shape = np.linspace(0.8, 1.2, 29) * np.where(np.arange(29) % 7 < 2, 0.6, 1.0)
        mean = np.exp(rng.uniform(np.log(2), np.log(80), (150, 1))) * shape
        mean[:10, 8:15] *= 2
        counts = negative_binomial(rng, mean, 0.02)
        order = rng.permuted(np.tile(np.arange(29), (150, 1)), axis=1)
        alerts.append(discoveries(held(np.take_along_axis(counts, order, axis=1), window)[0].p_value).any())
    assert np.mean(alerts) <= 0.12


def test_planted_shifts_are_found_and_false_discoveries_stay_rare() -> None:
    rng, window = np.random.default_rng(11), nights(28)
    hits, false, total = [], [], 0
    for _ in range(60):
        mean = np.full((300, 29), 40.0)
        mean[:30, -1] *= 2.5
        found, _ = held(negative_binomial(rng, mean, 0.02), window)
        is_alert = discoveries(found.p_value)
        hits.append(is_alert[:30].mean())
        total += int(is_alert.sum())
        false.append(is_alert[30:].sum() / max(1, is_alert.sum()))
    assert np.mean(hits) >= 0.9, "power at 100 documents instead of 40, dispersion 1.8"
    assert np.mean(false) <= 0.06
    assert total > 1000


def test_a_new_key_is_found_and_stays_found() -> None:
    """Nothing in 11 nights, then 6, 9 and 13 documents: each of the three nights is far out."""
    series = [0.0] * 11 + [6.0, 9.0, 13.0]
    for last in (11, 12, 13):
        found, base = held(np.array([series[: last + 1]]), nights(last))
        assert found.p_value[0] < 2e-3
        assert base.expected[0] == 0
        assert found.upper[0] <= 2


def test_an_event_in_the_history_hides_neither_the_next_night_nor_the_way_back() -> None:
    usual = [32.0, 33, 32, 32, 33, 32, 31, 33]
    during, _ = held(np.array([[*usual, 123, 143]]), nights(9))
    after, base = held(np.array([[*usual, 123, 143, 32]]), nights(10))
    assert during.p_value[0] < 1e-4
    assert after.lower[0] <= 32 <= after.upper[0]
    assert 31 <= base.expected[0] <= 34
    # more than the allowed share of nights lie out: they are the history now
    settled, _ = held(np.array([[*usual, *[123.0] * 6, 125]]), nights(14))
    assert settled.p_value[0] > 0.01


def test_weekend_is_compared_with_weekends() -> None:
    window = Nights(
        dt.date(2026, 10, 17), tuple(dt.date(2026, 10, 5) + dt.timedelta(days=i) for i in range(12)), (5, 6), 35
    )
    mail = np.array([[66.0, 66, 62, 62, 66, 25, 28, 66, 70, 69, 65, 67, 28]])
    found, base = held(mail, window)
    assert base.expected[0] == pytest.approx(26.5)
    assert found.p_value[0] > 0.2
    drop, _ = held(np.where(np.arange(13) == 12, 90.0, mail), window)
    assert drop.p_value[0] < 1e-2


def test_a_history_without_tonights_kind_of_night_gives_no_level() -> None:
    weekdays = tuple(d for d in (dt.date(2026, 10, 5) + dt.timedelta(days=i) for i in range(19)) if d.weekday() < 5)
    levels, tonight = Nights(dt.date(2026, 10, 24), weekdays, (5, 6), 35).levels()
    assert tonight is None
    assert set(levels) == {0}
    whole = nights(42)
    levels, tonight = whole.levels()
    assert (len(set(levels)), tonight) == (7, TONIGHT.weekday())


@pytest.mark.parametrize("n", [14, 28])
@pytest.mark.parametrize(("mean", "alpha"), [(2.0, 0.0), (50.0, 0.05), (200.0, 0.1)])
def test_slopes_and_change_points_of_noise_keep_their_rate(n: int, mean: float, alpha: float) -> None:
    rng, (levels, _) = np.random.default_rng(n), nights(n).levels()
    counts = negative_binomial(rng, mean * np.where(levels == 1, 0.6, 1.0) * np.ones((4000, n)), alpha)
    variance = changes.count_variance(counts, levels)
    line = changes.slopes(counts, variance, levels, np.arange(n, dtype=float))
    change = changes.change_points(counts, variance, levels)
    assert (line.p_value < 0.05).mean() <= 0.055
    assert ((line.low <= 0) & (line.high >= 0)).mean() >= 0.945
    assert (change.p_value < 0.05).mean() <= 0.05
    assert (change.p_value < 0.001).mean() <= 0.0025


def test_slopes_and_change_points_find_what_was_planted() -> None:
    rng, (levels, _) = np.random.default_rng(2), nights(28).levels()
    day = np.arange(28, dtype=float)
    rising = negative_binomial(rng, np.tile(40 + day, (1000, 1)), 0.02)
    line = changes.slopes(rising, changes.count_variance(rising, levels), levels, day)
    assert (line.p_value < 0.01).mean() >= 0.85
    assert line.slope.mean() == pytest.approx(1.0, abs=0.05)
    assert ((line.low <= 1) & (line.high >= 1)).mean() >= 0.93
    stepped = negative_binomial(rng, np.tile(np.where(day < 17, 40.0, 70.0), (1000, 1)), 0.02)
    change = changes.change_points(stepped, changes.count_variance(stepped, levels), levels)
    assert (change.p_value < 1e-3).mean() >= 0.95
    assert (np.abs(change.index - 17) <= 1).mean() >= 0.85
    assert change.step.mean() == pytest.approx(30, abs=3)


def test_nights_without_texts_are_not_zero_sentiment() -> None:
    levels = np.zeros(10, dtype=np.int64)
    trials = np.array([[20.0] * 5 + [0.0] + [20.0] * 4])
    hits = trials * 0.5
    base = b.mean_baseline(hits, None, trials, levels, 0, CUT, SHARE)
    assert (base.n[0], base.expected[0]) == (9, 0.5)
    variance = changes.mean_variance(hits, hits, trials)
    assert np.isinf(variance[0, 5])
    line = changes.slopes(hits / np.maximum(trials, 1), variance, levels, np.arange(10.0))
    assert line.slope[0] == pytest.approx(0, abs=1e-12)


def test_a_series_has_the_same_result_in_any_batch() -> None:
    """To the last bit: partitions decide which series come together."""
    rng, (levels, tonight) = np.random.default_rng(0), nights(28).levels()
    assert tonight is not None
    n = rng.integers(3, 90, (300, 28)).astype(float)
    total = rng.normal(0, 0.5, (300, 28)) * n
    squares = total**2 / n + n * 0.3

    def results(rows: slice) -> Floats:
        x, q, k = total[rows], squares[rows], n[rows]
        base = b.mean_baseline(x, q, k, levels, tonight, CUT, SHARE)
        variance = changes.mean_variance(x, q, k)
        line = changes.slopes(x / k, variance, levels, np.arange(28.0))
        change = changes.change_points(x / k, variance, levels)
        return np.stack([base.expected, base.spread, base.dispersion, *vars(line).values(), *vars(change).values()])

    whole = results(slice(None))
    assert np.array_equal(whole, np.concatenate([results(slice(0, 211)), results(slice(211, None))], axis=1))
    assert all(np.array_equal(whole[:, i], results(slice(i, i + 1))[:, 0]) for i in range(50))
