"""Bootstrap percentile intervals of metrics, by resampling rows.

Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7(1). Drawing n of n rows with replacement
and counting how often each cell of a table comes up is one multinomial draw over the cells, so metrics that depend on counts
alone are resampled by their cells, at a cost that does not grow with the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics import N_BINS, calibration_error, confusion, count_metrics

_STEPS = 1_500
"""Confidences are resampled in steps of 1/1,500, each step with the mean of its confidences: 100 steps a bin."""
_TAIL = 2.5
"""Percent left out at either end: 95 % intervals."""


@dataclass(frozen=True)
class Estimate:
    """A metric and its 95 % interval. All three are NaN where there was nothing to measure."""

    value: float
    low: float
    high: float


def classifier_estimates(
    gold: NDArray[np.int64],
    predicted: NDArray[np.int64],
    confidence: NDArray[np.float64],
    n_classes: int,
    resamples: int,
    seed: int,
) -> tuple[NDArray[np.int64], Mapping[str, Estimate]]:
    """Judge n predictions.

    Args:
        gold: (n,) class positions; `predicted` likewise.
        confidence: (n,) probability of the predicted class.

    Returns:
        The confusion table (n_classes, n_classes) and accuracy, macro_f1, macro_recall and calibration_error. The values are
        those of the rows. A resample's calibration error is on average larger than that of the rows, the more so the fewer they
        are, so its interval leans upwards and may leave out the value.
    """
    generator = np.random.default_rng(seed)
    table = confusion(gold, predicted, n_classes)
    drawn = _draws(generator, table.reshape(-1), resamples).reshape(resamples, n_classes, n_classes)
    values, spread = count_metrics(table), count_metrics(drawn)
    right = gold == predicted
    estimates = {name: _percentiles(float(value), spread[name]) for name, value in values.items()}
    estimates["calibration_error"] = _percentiles(
        calibration_error(confidence, right), _resampled_calibration_errors(generator, confidence, right, resamples)
    )
    return table, estimates


def mean_estimate(values: NDArray[np.float64], resamples: int, seed: int) -> Estimate:
    """Return the mean of n >= 1 values; they are resampled by their distinct values."""
    distinct, counts = np.unique(values, return_counts=True)
    drawn = _draws(np.random.default_rng(seed), counts, resamples)
    return _percentiles(float(values.mean()), drawn @ distinct / len(values))


def spearman_estimate(first: NDArray[np.float64], second: NDArray[np.float64], resamples: int, seed: int) -> Estimate:
    """Return Spearman's rank correlation of n >= 2 pairs, ties with mean ranks; NaN where a side is constant.

    A resample gives each pair a weight, the times it was drawn; the mean rank of tied values follows from the weights of all
    smaller values, so nothing is sorted again.
    """
    generator = np.random.default_rng(seed)
    (_, place_1), (_, place_2) = np.unique(first, return_inverse=True), np.unique(second, return_inverse=True)
    n = len(first)
    whole = _weighted_spearman(place_1, place_2, np.ones(n))
    share = np.full(n, 1 / n)
    drawn = [
        _weighted_spearman(place_1, place_2, generator.multinomial(n, share).astype(np.float64))
        for _ in range(resamples)
    ]
    return _percentiles(whole, np.array(drawn))


def _draws(generator: np.random.Generator, counts: NDArray[np.int64], resamples: int) -> NDArray[np.int64]:
    """Draw as many rows as there are, `resamples` times; return (resamples, cells) counts."""
    total = int(counts.sum())
    return generator.multinomial(total, counts / total, size=resamples)


def _resampled_calibration_errors(
    generator: np.random.Generator, confidence: NDArray[np.float64], right: NDArray[np.bool_], resamples: int
) -> NDArray[np.float64]:
    """Resample cells of (right or wrong, step of confidence); return (resamples,) errors over the bins."""
    step = np.minimum((confidence * _STEPS).astype(np.int64), _STEPS - 1)
    cells, place, counts = np.unique(step * 2 + right, return_inverse=True, return_counts=True)
    gap = np.bincount(place, weights=right - confidence) / counts
    drawn = _draws(generator, counts, resamples) * gap
    first_of_bin = np.flatnonzero(np.diff(cells // 2 // (_STEPS // N_BINS), prepend=-1))
    return np.asarray(np.abs(np.add.reduceat(drawn, first_of_bin, axis=1)).sum(axis=1) / len(confidence))


def _weighted_spearman(first: NDArray[np.int64], second: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """Correlate ranks of (n,) positions of distinct values; row i counts `weights[i]` times."""
    ranks = []
    for place in (first, second):
        mass = np.bincount(place, weights=weights)
        rank = (np.cumsum(mass) - mass / 2)[place]
        ranks.append(rank - np.average(rank, weights=weights))
    a, b = ranks
    scale = np.sqrt((weights * a * a).sum() * (weights * b * b).sum())
    return float((weights * a * b).sum() / scale) if scale > 0 else float("nan")


def _percentiles(value: float, resampled: NDArray[np.float64]) -> Estimate:
    usable = resampled[~np.isnan(resampled)]
    if len(usable) == 0:
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.percentile(usable, [_TAIL, 100 - _TAIL])
    return Estimate(value, float(low), float(high))
