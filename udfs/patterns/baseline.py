"""What a night should look like by its history: level, dispersion and predictive distribution of counts, shares and means.

Counts: quasi-Poisson levels per kind of night, outlying nights of the history left out (after Farrington et al. 1996, A
statistical algorithm for the early detection of outbreaks, JRSS A 159, 547-563; Noufaily et al. 2013, Statistics in Medicine 32,
1206-1222), and a negative binomial predictive distribution with the variance of the level in it. With dispersion 1 it is the
predictive distribution of a Poisson count under Jeffreys' prior. Shares and means: the same with a beta and a normal
distribution, and a between-night component as in the beta-binomial (Williams 1982, Applied Statistics 31, 144-148).

The dispersion of a series is moderated towards that of its family (Smyth 2004, Statistical Applications in Genetics and Molecular
Biology 3(1), 3); what is left of its uncertainty enters through Student's t. All arrays have one row per series.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy import special, stats

from udfs.patterns.sums import by_level, over_nights

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
_PRIOR_LIMIT = 20.0
"""Most degrees of freedom that a family may lend to a series."""
_TINY = 1e-300
SPARSE = 2.0
"""Documents a night, in the mean, below which a series says nothing about its dispersion."""
_LEVEL_COUNT = 10
"""Documents in the history for each kind of night, below which the kinds are not told apart."""


@dataclass(frozen=True)
class Baseline:
    """The history of m series, each array (m,) float64.

    Attributes:
        expected: mean of the nights of tonight's kind.
        weight: nights behind it (counts), or texts (shares and means).
        spread: variance of a single text (shares: p(1-p); means: within nights); 1 for counts.
        size: texts of a usual night (shares and means); 1 for counts.
        dispersion: Pearson's chi square over its degrees of freedom; nan where there are none.
        dof: degrees of freedom of it.
        n: nights with a value.
    """

    expected: Floats
    weight: Floats
    spread: Floats
    size: Floats
    dispersion: Floats
    dof: Floats
    n: Floats


def _kept(residuals: Floats, known: np.ndarray[Any, np.dtype[np.bool_]], p: int, cut: float, share: float) -> Floats:
    """Return weight 1 for the nights that count, given residuals of variance 1 at least; 0 for outliers and unknown nights.

    Outliers are left out rather than weighed down as by Farrington: one of them would still be most of the dispersion. Where more
    than `share` of the nights lie out, they are no exceptions, and all count.
    """
    n = known.sum(axis=1)
    has = n > 0
    middle = np.zeros(len(n))
    middle[has] = np.nanmedian(np.where(known, np.abs(residuals), np.nan)[has], axis=1)
    # the median of a few residuals is an uncertain scale, and a small one
    small = np.sqrt(n / np.maximum(n - p, 1)) * (1 + 4 / np.maximum(n, 1))
    limit = cut * np.maximum(1.0, 1.4826 * middle * small)
    is_out = known & (np.abs(residuals) > limit[:, None])
    is_out &= (is_out.sum(axis=1) <= share * n)[:, None]
    weights: Floats = (known & ~is_out).astype(float)
    return weights


def _medians(x: Floats, known: np.ndarray[Any, np.dtype[np.bool_]], levels: Ints) -> Floats:
    """Return for each night the median of the known nights of its level, (m, nights); 0 where there is none."""
    centre = np.zeros_like(x)
    for level in range(int(levels.max(initial=0)) + 1):
        at = levels == level
        with np.errstate(all="ignore"):
            part = np.where(known[:, at], x[:, at], np.nan)
            has = known[:, at].any(axis=1)
            middle = np.zeros(len(x))
            middle[has] = np.nanmedian(part[has], axis=1)
        centre[:, at] = middle[:, None]
    return centre


def _fit(total: Floats, trials: Floats, weights: Floats, levels: Ints) -> tuple[Floats, Floats, Floats]:
    """Return mean per level, sum of weight * trials per level (both (m, levels)), and the number of levels in use (m,)."""
    sums, sizes = by_level(weights * total, levels), by_level(weights * trials, levels)
    return sums / np.maximum(sizes, _TINY), sizes, (sizes > 0).sum(axis=1).astype(float)


def count_baseline(counts: Floats, levels: Ints, tonight: int, cut: float, share: float) -> Baseline:
    """Fit the history of counts; one level does for a series with fewer than ten documents for each kind of night.

    Args:
        counts: (m, nights); every night is known, a night without documents is 0.
        levels: (nights,) kind of each night.
        tonight: kind of the night to predict.
        cut: outlying nights are those further than this many robust standard deviations from the median of their kind.
        share: largest share of nights that can be outlying.
    """
    flat = _count_levels(counts, np.zeros_like(levels), 0, cut, share)
    n_levels = int(levels.max(initial=0)) + 1
    if n_levels == 1:
        return flat
    weekly = _count_levels(counts, levels, tonight, cut, share)
    is_sparse = flat.expected * flat.weight < _LEVEL_COUNT * n_levels
    return Baseline(*(np.where(is_sparse, getattr(flat, f.name), getattr(weekly, f.name)) for f in fields(Baseline)))


def _count_levels(counts: Floats, levels: Ints, tonight: int, cut: float, share: float) -> Baseline:
    known = np.ones(counts.shape, dtype=bool)
    residuals = 2 * (np.sqrt(counts) - np.sqrt(_medians(counts, known, levels)))
    weights = _kept(residuals, known, int(levels.max(initial=0)) + 1, cut, share)
    means, sizes, used = _fit(counts, np.ones_like(counts), weights, levels)
    fitted = means[:, levels]
    chi = over_nights(np.where(fitted > 0, weights * (counts - fitted) ** 2 / np.maximum(fitted, _TINY), 0.0))
    dof = over_nights(weights) - used
    ones = np.ones(len(counts))
    n = np.full(len(counts), float(counts.shape[1]))
    # all nights of a kind can be outliers in a short history: then nothing is known about it
    lost = sizes[:, tonight] == 0
    size = np.where(lost, 1.0, sizes[:, tonight])
    expected = np.where(lost, over_nights(counts) / counts.shape[1], means[:, tonight])
    return Baseline(expected, size, ones, ones, _ratio(chi, dof), dof, n)


def mean_baseline(
    total: Floats, squares: Floats | None, trials: Floats, levels: Ints, tonight: int, cut: float, share: float
) -> Baseline:
    """Fit the history of a mean over texts, such as a share; nights without texts are not known. Arrays are (m, nights).

    Args:
        total: sum of the values of a night's texts.
        squares: sum of their squares; None for a share, whose values are 0 or 1.
        trials: number of texts.
    """
    is_share = squares is None
    squares = total if squares is None else squares
    known = trials > 0
    n_texts = over_nights(trials)
    nightly = np.where(known, total / np.maximum(trials, 1), 0.0)
    centre = _medians(nightly, known, levels)
    grand = (over_nights(total) + 0.5 * is_share) / np.maximum(n_texts + is_share, 1)
    rough = np.maximum(over_nights(squares) / np.maximum(n_texts, 1) - grand**2, 1e-6)
    residuals = (nightly - centre) * np.sqrt(trials / rough[:, None])
    weights = _kept(residuals, known, int(levels.max(initial=0)) + 1, cut, share)
    means, sizes, used = _fit(total, trials, weights, levels)
    fitted = means[:, levels]
    weighted = over_nights(weights * trials)
    # within nights: what a text differs by from its own night
    inner = over_nights(weights * (squares - trials * nightly**2))
    inner_dof = weighted - over_nights(weights)
    within = np.where(inner_dof > 0, inner / np.maximum(inner_dof, 1), rough)
    if is_share:
        q = (sizes[:, tonight] * means[:, tonight] + 0.5) / (sizes[:, tonight] + 1)
        at = np.clip(fitted, 1e-3, 1 - 1e-3)
        scale, spread = at * (1 - at), q * (1 - q)
    else:
        spread = np.maximum(within, 1e-6)
        scale = np.broadcast_to(spread[:, None], total.shape)
    chi = over_nights(weights * trials * (nightly - fitted) ** 2 / scale)
    n = known.sum(axis=1).astype(float)
    dof = over_nights(weights) - used
    size = weighted / np.maximum(over_nights(weights), _TINY)
    return Baseline(means[:, tonight], sizes[:, tonight], spread, size, _ratio(chi, dof), dof, n)


def _ratio(chi: Floats, dof: Floats) -> Floats:
    return np.where(dof > 0.5, chi / np.maximum(dof, 0.5), np.nan)


def log_dispersion(base: Baseline) -> tuple[Floats, Floats]:
    """Return log dispersion less its expectation at dispersion 1, and the variance it has where all share one dispersion.

    nan where a series says nothing about it.
    """
    half = np.where(base.dof > 0.5, base.dof, np.nan) / 2
    with np.errstate(all="ignore"):
        value = np.log(np.maximum(base.dispersion, 1e-3)) - special.digamma(half) + np.log(half)
    return value, special.polygamma(1, half)


def family_prior(n: Floats, mean: Floats, variance: Floats, noise: Floats, least: int) -> tuple[Floats, Floats]:
    """Return a family's dispersion and the degrees of freedom it lends (0 where it has fewer than `least` series).

    Args:
        mean: of the first result of `log_dispersion` over the family; `variance` of it (n - 1 below the line).
        noise: mean of the second result.
    """
    excess = np.where(n >= least, variance - noise, np.inf)
    lent = np.where(excess > 0, 2 * _inverse_trigamma(np.maximum(excess, 1e-6)), _PRIOR_LIMIT)
    lent = np.where(n >= least, np.minimum(lent, _PRIOR_LIMIT), 0.0)
    half = np.maximum(lent, 1e-3) / 2
    with np.errstate(all="ignore"):
        dispersion = np.exp(mean + special.digamma(half) - np.log(half))
    return np.where(lent > 0, dispersion, 1.0), lent


def size_class(base: Baseline) -> Ints:
    """Return the class of sizes a series of counts is in, for dispersion grows with size: below 8 a night 0, below 32 1, ..."""
    classes: Ints = np.floor(np.log(np.maximum(base.expected, 2.0) / 2) / np.log(4)).astype(np.int64)
    return classes


def _inverse_trigamma(y: Floats) -> Floats:
    """Solve trigamma(x) = y by Newton's method (Smyth 2004, appendix)."""
    y = np.minimum(y, 1e6)
    x = 0.5 + 1 / y
    for _ in range(30):
        value = special.polygamma(1, x)
        x = x + value * (1 - value / y) / special.polygamma(2, x)
    return x


def moderated(base: Baseline, prior: Floats, lent: Floats) -> tuple[Floats, Floats]:
    """Return dispersion (1 at least) and degrees of freedom of each series, its family's share in them."""
    own = np.where(np.isnan(base.dispersion), 0.0, np.maximum(base.dof, 0.0))
    dof = np.maximum(own + lent, 1.0)
    pooled = (own * np.nan_to_num(base.dispersion) + lent * prior) / np.maximum(own + lent, _TINY)
    return np.maximum(1.0, np.where(own + lent > 0, pooled, 1.0)), dof


@dataclass(frozen=True)
class Prediction:
    """A night against its prediction, arrays (m,): 95 % interval, score (normal deviate, signed), two-sided p."""

    lower: Floats
    upper: Floats
    score: Floats
    p_value: Floats


def predict_counts(values: Floats, base: Baseline, dispersion: Floats, dof: Floats) -> Prediction:
    """Hold counts against the negative binomial with the baseline's mean and variance dispersion * mean * (1 + 1 / nights)."""
    mean = (base.expected * base.weight + 0.5) / base.weight
    excess = dispersion * (1 + 1 / base.weight) - 1  # variance over mean, less 1
    r, prob = mean / excess, 1 / (1 + excess)
    log_up = np.where(values > 0, stats.nbinom.logsf(values - 1, r, prob), 0.0)
    log_down = stats.nbinom.logcdf(values, r, prob)
    score, p_value = _scored(log_up, log_down, dof)
    edge = stats.norm.cdf(-stats.t.ppf(0.975, dof))
    return Prediction(stats.nbinom.ppf(edge, r, prob), stats.nbinom.isf(edge, r, prob), score, p_value)


def _between(trials: Floats, base: Baseline, dispersion: Floats) -> Floats:
    """Return the variance of tonight's mean over that of a text: its own size, between nights, and of the baseline."""
    between = np.where(base.size > 1, (dispersion - 1) / np.maximum(base.size - 1, 1e-9), 0.0)
    between = np.minimum(between, 1.0)
    return 1 / trials + between * (1 - 1 / trials) + dispersion / np.maximum(base.weight, _TINY)


def predict_shares(values: Floats, trials: Floats, base: Baseline, dispersion: Floats, dof: Floats) -> Prediction:
    """Hold shares (`values` of `trials`, at least 1) against a beta distribution with the predictive mean and variance."""
    q = (base.expected * base.weight + 0.5) / (base.weight + 1)
    variance = np.minimum(_between(trials, base, dispersion), 0.95)  # over q (1 - q)
    a, b = q * (1 / variance - 1), (1 - q) * (1 / variance - 1)
    half = 0.5 / trials
    with np.errstate(divide="ignore"):
        log_up = np.log(special.betaincc(a, b, np.clip(values - half, 0, 1)))
        log_down = np.log(special.betainc(a, b, np.clip(values + half, 0, 1)))
    score, p_value = _scored(log_up, log_down, dof)
    edge = stats.norm.cdf(-stats.t.ppf(0.975, dof))
    lower = np.clip(stats.beta.ppf(edge, a, b) - half, 0, 1)
    return Prediction(lower, np.clip(stats.beta.isf(edge, a, b) + half, 0, 1), score, p_value)


def predict_means(values: Floats, trials: Floats, base: Baseline, dispersion: Floats, dof: Floats) -> Prediction:
    """Hold means of `trials` texts against a normal distribution with the predictive mean and variance."""
    deviation = np.sqrt(base.spread * _between(trials, base, dispersion))
    score = (values - base.expected) / deviation
    reach = stats.t.ppf(0.975, dof) * deviation
    p_value = np.minimum(1.0, 2 * stats.t.sf(np.abs(score), dof))
    return Prediction(base.expected - reach, base.expected + reach, score, p_value)


def _scored(log_up: Floats, log_down: Floats, dof: Floats) -> tuple[Floats, Floats]:
    """Return signed normal deviate of the smaller tail, and the two-sided p of it under Student's t."""
    is_up = log_up < log_down
    size = -special.ndtri_exp(np.maximum(np.minimum(log_up, log_down), -1e5))
    size = np.maximum(size, 0.0)
    return np.where(is_up, size, -size), np.minimum(1.0, 2 * stats.t.sf(size, dof))
