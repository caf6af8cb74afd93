"""Stratified cross-validation of a linear head: how good it will be, which regularisation, which temperature."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics import ClassMetrics, Metrics, evaluate
from pipeline.softmax_regression import FORBIDDEN, ClassWeight, fit_path, fit_temperature, probabilities, row_weights

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
MEASURES = ("accuracy", "macro_f1", "macro_recall", "calibration_error")
_ENOUGH_ROWS, _MOST_REPEATS = 2_000, 10


@dataclass(frozen=True)
class Estimate:
    """A mean over folds or draws and its 95 % interval; the ends are NaN for a single one."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class CrossValidation:
    """What cross-validation found.

    Attributes:
        l2: the regularisation with the best mean macro-F1, the strongest of equals.
        by_l2: mean macro-F1 of each regularisation.
        temperature: fitted on all out-of-fold logits.
        measures: accuracy, macro-F1, macro-recall and expected calibration error over the folds. A fold's calibration error is
            taken at the temperature of the other folds' rows.
        classes: precision, recall and F1 of each class over all out-of-fold rows of the first repeat.
        logits: (n, n_classes), the out-of-fold logits of the first repeat.
        folds, repeats: how often the rows were cut, and into how many parts.
    """

    l2: float
    by_l2: dict[float, float]
    temperature: float
    measures: dict[str, Estimate]
    classes: tuple[ClassMetrics, ...]
    logits: Array
    folds: int
    repeats: int


def stratified_folds(labels: Positions, folds: int, rng: np.random.Generator) -> Positions:
    """Return (n,) fold numbers, 0 to folds - 1: each class is spread as evenly as can be, and so are the folds' sizes.

    A class with fewer rows than folds is missing from some of them.
    """
    found = np.empty(len(labels), np.int64)
    # classes are dealt one after the other without a break, so what is over from one goes to the folds the last one left out
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    found[order] = np.arange(len(labels)) % folds
    return np.asarray(rng.permutation(folds)[found])


def default_repeats(n_rows: int) -> int:
    """Return how often to repeat the cut so that about 2,000 rows are judged: once for many rows, 10 times for 200 or fewer."""
    return max(1, min(_MOST_REPEATS, math.ceil(_ENOUGH_ROWS / max(n_rows, 1))))


def cross_validate(
    x: NDArray[np.float32],
    labels: Positions,
    classes: Sequence[str],
    l2_grid: Sequence[float],
    folds: int,
    repeats: int,
    class_weight: ClassWeight,
    seed: int,
    allowed: NDArray[np.bool_] | None = None,
) -> CrossValidation:
    """Cut the rows `repeats` times into `folds` parts; train on all but one, judge on that one.

    The regularisation is chosen on the same folds it is reported on, which flatters by a little; with few values to choose from
    that is far less than the interval.

    Args:
        x: (n, d) embeddings.
        labels: (n,) positions in `classes`.
        allowed: (n, n_classes), the classes a row knows; None where it knows all.
    """
    rng = np.random.default_rng(seed)
    cuts = [stratified_folds(labels, folds, rng) for _ in range(repeats)]
    out_of_fold = [_out_of_fold(x, labels, len(classes), l2_grid, cut, class_weight, allowed) for cut in cuts]
    by_l2 = {
        l2: float(
            np.mean(
                [
                    _judge(logits[l2][cut == f], labels[cut == f], classes, 1.0).macro_f1
                    for cut, logits in zip(cuts, out_of_fold, strict=True)
                    for f in np.unique(cut)
                ]
            )
        )
        for l2 in sorted(set(l2_grid), reverse=True)
    }
    best = max(by_l2, key=lambda l2: by_l2[l2])
    chosen = [logits[best] for logits in out_of_fold]
    judged = [m for cut, z in zip(cuts, chosen, strict=True) for m in _judge_folds(z, labels, cut, classes)]
    values = {name: [measure(m, name) for m in judged] for name in MEASURES}
    pooled = np.concatenate(chosen), np.tile(labels, repeats)
    temperature = fit_temperature(*pooled)
    return CrossValidation(
        l2=best,
        by_l2=by_l2,
        temperature=temperature,
        measures={name: resampled_interval(found, 1 / max(folds - 1, 1)) for name, found in values.items()},
        classes=_judge(chosen[0], labels, classes, temperature).classes,
        logits=chosen[0],
        folds=folds,
        repeats=repeats,
    )


def measure(metrics: Metrics, name: str) -> float:
    """Return one of `MEASURES`; macro-recall is over the classes that occur."""
    if name == "macro_recall":
        return float(np.mean([c.recall for c in metrics.classes if c.n > 0]))
    return float(getattr(metrics, name))


def resampled_interval(values: Sequence[float], test_to_train: float) -> Estimate:
    """Return the mean of figures of overlapping cuts with its 95 % interval.

    The corrected resampled t interval: figures of cuts that share training rows are not independent, so the variance of the mean
    is s^2 (1/J + n_test/n_train) instead of s^2 / J. Nadeau, C. and Bengio, Y. (2003), Inference for the generalization error,
    Machine Learning 52, 239-281.
    """
    from scipy.stats import t

    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(mean, float("nan"), float("nan"))
    half = float(t.ppf(0.975, n - 1)) * math.sqrt(float(np.var(values, ddof=1)) * (1 / n + test_to_train))
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half))


def _out_of_fold(
    x: NDArray[np.float32],
    labels: Positions,
    n_classes: int,
    l2_grid: Sequence[float],
    cut: Positions,
    class_weight: ClassWeight,
    allowed: NDArray[np.bool_] | None,
) -> dict[float, Array]:
    """Return for each regularisation the (n, n_classes) logits each row gets from a head that has not seen it."""
    found = {l2: np.zeros((len(x), n_classes)) for l2 in l2_grid}
    for fold in np.unique(cut):
        test, train = cut == fold, cut != fold
        weights = row_weights(labels[train], n_classes, class_weight)
        known = None if allowed is None else allowed[train]
        for l2, (matrix, bias) in fit_path(x[train], labels[train], n_classes, l2_grid, weights, known).items():
            logits = x[test].astype(np.float64) @ matrix.T + bias
            found[l2][test] = logits if allowed is None else np.where(allowed[test], logits, FORBIDDEN)
    return found


def _judge_folds(logits: Array, labels: Positions, cut: Positions, classes: Sequence[str]) -> list[Metrics]:
    folds = np.unique(cut)
    return [
        _judge(logits[cut == f], labels[cut == f], classes, fit_temperature(logits[cut != f], labels[cut != f]))
        for f in folds
    ]


def _judge(logits: Array, labels: Positions, classes: Sequence[str], temperature: float) -> Metrics:
    chances = probabilities(logits, temperature)
    names = np.asarray(classes, dtype=object)
    return evaluate(
        names[labels].tolist(), names[chances.argmax(axis=1)].tolist(), chances.max(axis=1).tolist(), classes
    )
