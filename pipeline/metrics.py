"""Metrics of a classifier against gold labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_BINS = 15


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
    """Quality on one set of rows. `macro_f1` and `macro_recall` average over the classes that occur in the gold labels."""

    n: int
    accuracy: float
    macro_f1: float
    macro_recall: float
    calibration_error: float
    classes: tuple[ClassMetrics, ...]


def evaluate(
    gold: Sequence[str], predicted: Sequence[str], confidence: Sequence[float] | None, labels: Sequence[str]
) -> Metrics:
    """Compare predictions with gold labels.

    The calibration error is the expected calibration error over 15 bins of equal width (Guo et al., 2017, On calibration of
    modern neural networks, arXiv:1706.04599); NaN without confidences.

    Raises:
        ValueError: no rows, or a label that is not in `labels`.
    """
    if not gold:
        raise ValueError("nothing to evaluate: no labelled rows")
    places = {label: i for i, label in enumerate(labels)}
    unknown = sorted({*gold, *predicted} - places.keys())
    if unknown:
        raise ValueError(f"labels {', '.join(unknown)}: not among {', '.join(labels)}")
    truth = np.array([places[label] for label in gold], np.int64)
    guess = np.array([places[label] for label in predicted], np.int64)
    table = confusion(truth, guess, len(labels))
    values = {name: float(value) for name, value in count_metrics(table).items()}
    error = float("nan")
    if confidence is not None:
        error = calibration_error(np.asarray(confidence, np.float64), truth == guess)
    return Metrics(len(gold), **values, calibration_error=error, classes=class_metrics(table, labels))


def confusion(gold: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Count rows by (gold class, predicted class): (n_classes, n_classes) from two arrays of n class positions."""
    flat = np.bincount(gold * n_classes + predicted, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def count_metrics(tables: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return `accuracy`, `macro_f1` and `macro_recall` of one confusion table (c, c), or of many at once (..., c, c).

    The averages go over the classes with gold rows; NaN where a table is empty.
    """
    hits = np.diagonal(tables, axis1=-2, axis2=-1).astype(np.float64)
    gold, guessed = tables.sum(axis=-1).astype(np.float64), tables.sum(axis=-2).astype(np.float64)
    total, present = gold.sum(axis=-1), gold > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = np.where(present, hits / gold, 0.0)
        f1 = np.where(present, 2 * hits / (gold + guessed), 0.0)
        n_present = present.sum(axis=-1)
        return {
            "accuracy": hits.sum(axis=-1) / total,
            "macro_f1": f1.sum(axis=-1) / n_present,
            "macro_recall": recall.sum(axis=-1) / n_present,
        }


def class_metrics(table: NDArray[np.int64], labels: Sequence[str]) -> tuple[ClassMetrics, ...]:
    """Return precision, recall and F1 of each class of a confusion table (c, c)."""
    return tuple(_class_metrics(label, table, i) for i, label in enumerate(labels))


def _class_metrics(label: str, table: NDArray[np.int64], i: int) -> ClassMetrics:
    hits, n_gold, n_guess = int(table[i, i]), int(table[i].sum()), int(table[:, i].sum())
    return ClassMetrics(
        label,
        n_gold,
        hits / n_guess if n_guess else 0.0,
        hits / n_gold if n_gold else 0.0,
        2 * hits / (n_gold + n_guess) if n_gold + n_guess else 0.0,
    )


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of n confidences in [0, 1], over 15 bins of equal width."""
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    gap = np.bincount(bins, weights=right - confidence, minlength=N_BINS)
    return float(np.abs(gap).sum() / len(confidence))
