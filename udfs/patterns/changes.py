"""Slope and change point of a series of nights, by weighted least squares with levels per kind of night.

The variance of a night is what its size gives (Poisson, binomial) times a dispersion of 1 at least. The slope's standard error
grows with the first autocorrelation r of the residuals where that is positive, by (1 + r) / (1 - r) in its square. The change
point is the split with the largest two-sample statistic, its p that of the maximum over all splits (Miller and Siegmund 1982,
Maximally selected chi square statistics, Biometrics 38, 1011-1016), or Bonferroni's where that is smaller. All arrays have one
row per series.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from udfs.patterns.sums import by_level, over_nights

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
_TINY = 1e-300
EDGE = 3
"""Fewest nights with a value before and after a change point."""


@dataclass(frozen=True)
class Slope:
    """Per series (m,): slope per day with 95 % interval, two-sided p, fitted value at the start of the window; nan: no test."""

    slope: Floats
    low: Floats
    high: Floats
    p_value: Floats
    start: Floats


@dataclass(frozen=True)
class ChangePoint:
    """Per series (m,): index of the first night of the new level (-1: no test), step there, and p of the maximum over splits."""

    index: Ints
    step: Floats
    p_value: Floats


def count_variance(counts: Floats, levels: Ints) -> Floats:
    """Return the Poisson variance of each night, (m, nights): the mean of its kind, with half a document added to each kind."""
    n = np.bincount(levels)
    variance: Floats = (by_level(counts, levels) + 0.5)[:, levels] / np.maximum(n, 1)[levels]
    return variance


def mean_variance(total: Floats, squares: Floats, trials: Floats) -> Floats:
    """Return the variance of each night's mean by its number of texts, (m, nights); inf for nights without texts."""
    n = np.maximum(over_nights(trials), 1)
    spread = np.maximum(over_nights(squares) / n - (over_nights(total) / n) ** 2, 0.25 / (n + 1))
    variance: Floats = np.where(trials > 0, spread[:, None] / np.maximum(trials, 1), np.inf)
    return variance


def _less_levels(x: Floats, weights: Floats, levels: Ints) -> Floats:
    """Return x (m, nights) less its weighted mean over the nights of the same kind."""
    means = by_level(weights * x, levels) / np.maximum(by_level(weights, levels), _TINY)
    free: Floats = x - means[:, levels]
    return free


def _degrees(weights: Floats, levels: Ints) -> Floats:
    """Return nights with a value less levels in use less one, (m,)."""
    known = weights > 0
    used = (by_level(known.astype(float), levels) > 0).sum(axis=1)
    dof: Floats = known.sum(axis=1) - used - 1.0
    return dof


def slopes(values: Floats, variance: Floats, levels: Ints, day: Floats) -> Slope:
    """Fit a line to each series.

    Args:
        values: (m, nights); variance likewise, inf where there is no value.
        day: (nights,) days since the first night of the window; nights that were not published leave gaps.
    """
    weights = 1 / variance
    y = np.where(weights > 0, values, 0.0)
    t = np.broadcast_to(day, y.shape)
    y_free, t_free = _less_levels(y, weights, levels), _less_levels(t, weights, levels)
    across = over_nights(weights * t_free**2)
    dof = _degrees(weights, levels)
    is_fit = (across > 1e-12 * over_nights(weights)) & (dof >= EDGE)
    slope = over_nights(weights * t_free * y_free) / np.where(is_fit, across, 1.0)
    left = np.sqrt(weights) * (y_free - slope[:, None] * t_free)
    square = over_nights(left**2)
    dispersion = np.maximum(1.0, square / np.maximum(dof, 1))
    lag = over_nights(left[:, 1:] * left[:, :-1]) / np.maximum(square, _TINY)
    lag = np.clip(lag, 0.0, 0.6)
    error = np.sqrt(dispersion * (1 + lag) / (1 - lag) / np.where(is_fit, across, 1.0))
    p_value = np.minimum(1.0, 2 * stats.t.sf(np.abs(slope) / error, np.maximum(dof, 1)))
    reach = stats.t.ppf(0.975, np.maximum(dof, 1)) * error
    mass = np.maximum(over_nights(weights), _TINY)
    start = over_nights(weights * y) / mass - slope * (over_nights(weights * t) / mass - day[0])
    columns = (np.where(is_fit, x, np.nan) for x in (slope, slope - reach, slope + reach, p_value, start))
    return Slope(*columns)


def change_points(values: Floats, variance: Floats, levels: Ints) -> ChangePoint:
    """Find the split of each series that parts it best; arguments as of `slopes`."""
    weights = 1 / variance
    known = weights > 0
    y = np.where(known, values, 0.0)
    m, nights = y.shape
    y_free = _less_levels(y, weights, levels)
    total = over_nights(weights * y_free**2)
    dof = _degrees(weights, levels)
    before, after = known.cumsum(axis=1), known[:, ::-1].cumsum(axis=1)[:, ::-1]
    best, index, step, splits = np.zeros(m), np.full(m, -1), np.zeros(m), np.zeros(m)
    for k in range(1, nights):
        is_after = np.broadcast_to((np.arange(nights) >= k).astype(float), y.shape)
        free = _less_levels(is_after, weights, levels)
        across = over_nights(weights * free**2)
        is_fit = (before[:, k - 1] >= EDGE) & (after[:, k] >= EDGE) & (dof >= EDGE)
        is_fit &= known[:, k] & (across > 1e-9 * over_nights(weights))
        delta = over_nights(weights * free * y_free) / np.where(is_fit, across, 1.0)
        rest = np.maximum(total - delta**2 * across, 0.0)
        size = np.abs(delta) * np.sqrt(across / np.maximum(1.0, rest / np.maximum(dof, 1)))
        splits += is_fit
        is_better = is_fit & (size > best)
        best, step = np.where(is_better, size, best), np.where(is_better, delta, step)
        index = np.where(is_better, k, index)
    deviate = -special.ndtri_exp(np.maximum(stats.t.logsf(best, np.maximum(dof, 1)), -1e5))
    n = np.maximum(known.sum(axis=1), 2 * EDGE + 1)
    p_value = np.where(index >= 0, _maximum_p(np.maximum(deviate, 0.0), n, splits), np.nan)
    return ChangePoint(index, np.where(index >= 0, step, np.nan), p_value)


def _maximum_p(b: Floats, n: Ints, splits: Floats) -> Floats:
    """Return P(largest of the standardised statistics over splits EDGE ... n - EDGE >= b)."""
    single = np.minimum(1.0, splits * 2 * stats.norm.sf(b))
    at = np.maximum(b, 1.0)
    edge = np.log(((n - EDGE) / EDGE) ** 2)
    siegmund = stats.norm.pdf(at) * (4 / at + (at - 1 / at) * edge)
    return np.where(b < 1, 1.0, np.clip(np.minimum(single, siegmund), 0.0, 1.0))
