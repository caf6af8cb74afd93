"""Metrics of a classifier against gold labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BINS = 15


@dataclass(frozen=True)
class ClassMetrics:
    """Precision, recall and F1 of one class; 0 where undefined. `n` is the number of gold rows."""

    label: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Metrics:
    """Quality on one set of rows. `macro_f1` averages over the classes that occur in the gold labels."""

    n: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    classes: tuple[ClassMetrics, ...]


def evaluate(
    gold: Sequence[str], predicted: Sequence[str], confidence: Sequence[float] | None, labels: Sequence[str]
) -> Metrics:
    """Compare predictions with gold labels.

    The calibration error is the expected calibration error over 15 bins of equal width (Guo et al., 2017, On calibration of
    modern neural networks, arXiv:1706.04599); NaN without confidences.

    Raises:
        ValueError: no rows.
    """
    if not gold:
        raise ValueError("nothing to evaluate: no labelled rows")
    truth, guess = np.asarray(gold, dtype=object), np.asarray(predicted, dtype=object)
    classes = tuple(_class_metrics(label, truth, guess) for label in labels)
    present = [c.f1 for c in classes if c.n > 0]
    right = truth == guess
    error = float("nan") if confidence is None else _calibration_error(np.asarray(confidence, dtype=np.float64), right)
    return Metrics(len(gold), float(right.mean()), float(np.mean(present)), error, classes)


def _class_metrics(label: str, truth: NDArray[np.object_], guess: NDArray[np.object_]) -> ClassMetrics:
    n_gold, n_guess = int((truth == label).sum()), int((guess == label).sum())
    hits = int(((truth == label) & (guess == label)).sum())
    return ClassMetrics(
        label,
        n_gold,
        hits / n_guess if n_guess else 0.0,
        hits / n_gold if n_gold else 0.0,
        2 * hits / (n_gold + n_guess) if n_gold + n_guess else 0.0,
    )


def _calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    hits = np.bincount(bins, weights=right.astype(np.float64), minlength=_BINS)
    mass = np.bincount(bins, weights=confidence, minlength=_BINS)
    return float(np.abs(hits - mass).sum() / counts.sum())
