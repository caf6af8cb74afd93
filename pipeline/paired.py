"""Comparing two models on the same texts: the confusion of their labels, and paired differences with their intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its two-sided interval; an end is None where the texts are too few to have one."""

    estimate: float
    low: float | None
    high: float | None


def confusion(old: ArrayLike, new: ArrayLike, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Count pairs of labels: (k, k) for the k `labels`, rows the old label, columns the new.

    Args:
        old: (n,) labels by the old model, all of them in `labels`.
        new: (n,) labels of the same texts by the new one.

    Raises:
        KeyError: a label that is not in `labels`.
    """
    place = {label: i for i, label in enumerate(labels)}
    pairs = [place[a] * len(labels) + place[b] for a, b in zip(np.asarray(old), np.asarray(new), strict=True)]
    return np.bincount(np.array(pairs, np.int64), minlength=len(labels) ** 2).reshape(len(labels), len(labels))


def share_shift(n_lost: int, n_gained: int, n: int, confidence: float) -> Interval:
    """Return how much a label's share grew from the old to the new model on the same n > 0 texts, -1 to 1.

    The interval is Wald's for paired proportions after half a text is added to each of the four cells: Agresti, A. and Min, Y.
    (2005), Simple improved confidence intervals for comparing matched proportions, Statistics in Medicine 24, 729-740.

    Args:
        n_lost: texts that have the label by the old model alone.
        n_gained: texts that have it by the new one alone.
    """
    z, total = _normal(confidence), n + 2
    lost, gained = n_lost + 0.5, n_gained + 0.5
    centre = (gained - lost) / total
    half = z * np.sqrt(lost + gained - (gained - lost) ** 2 / total) / total
    return Interval((n_gained - n_lost) / n, max(-1.0, float(centre - half)), min(1.0, float(centre + half)))


def share(successes: int, trials: int, confidence: float) -> Interval:
    """Return a share of trials > 0 with its Wilson score interval (Wilson 1927; see `pipeline.intervals`)."""
    z2, p = _normal(confidence) ** 2, successes / trials
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (p * (1 - p) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials)
    # at the ends the formula gives 0 and 1 exactly; rounding errors must not push it off them
    low = 0.0 if successes == 0 else max(0.0, float(centre - half))
    high = 1.0 if successes == trials else min(1.0, float(centre + half))
    return Interval(p, low, high)


def mean_difference(differences: NDArray[np.float64], confidence: float) -> Interval:
    """Return the mean of (n,) paired differences, n > 0, with Student's t interval; without one where n is 1."""
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return Interval(mean, None, None)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + confidence) / 2) * np.std(differences, ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def _normal(confidence: float) -> float:
    """Return the standard normal quantile of a two-sided interval."""
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))
