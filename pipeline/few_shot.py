"""How good a head is when it is trained on a few examples of each class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cross_validation import Estimate, Positions, cross_validate
from pipeline.metrics import evaluate
from pipeline.softmax_regression import fit_softmax, row_weights

L2_GRID = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Few rows may need more regularisation than the whole set."""
_INNER_FOLDS = 4


@dataclass(frozen=True)
class FewShot:
    """Quality with `per_class` training rows per class, tested on all others.

    Attributes:
        classes: how many classes took part: those with more than `per_class` rows.
        draws: how often rows were drawn.
        accuracy, macro_f1: mean over the draws, and the interval that holds the central 95 % of draws (as a normal distribution
            of their mean and standard deviation): what a draw of your own may give, not how sure the mean is.
    """

    per_class: int
    classes: int
    draws: int
    l2: float
    accuracy: Estimate
    macro_f1: Estimate


def few_shot(
    x: NDArray[np.float32], labels: Positions, classes: Sequence[str], per_class: Sequence[int], draws: int, seed: int
) -> list[FewShot]:
    """Judge heads trained on random draws of k rows of each class, for every k of `per_class` that leaves two classes.

    The regularisation is chosen by cross-validation within the first draw and kept for the others.

    Args:
        x: (n, d) embeddings.
        labels: (n,) positions in `classes`.
    """
    found = []
    for k in per_class:
        counts = np.bincount(labels, minlength=len(classes))
        taking_part = np.flatnonzero(counts > k)
        if len(taking_part) < 2:
            continue
        rows = np.flatnonzero(np.isin(labels, taking_part))
        places = np.searchsorted(taking_part, labels[rows])
        names = [classes[i] for i in taking_part.tolist()]
        found.append(_judge_draws(x[rows], places, names, k, draws, np.random.default_rng([seed, k])))
    return found


def _judge_draws(
    x: NDArray[np.float32], labels: Positions, names: Sequence[str], k: int, draws: int, rng: np.random.Generator
) -> FewShot:
    accuracies, f1s = [], []
    l2: float | None = None
    words = np.asarray(names, dtype=object)
    for _ in range(draws):
        drawn = draw(labels, k, rng)
        if l2 is None:
            l2 = _choose_l2(x[drawn], labels[drawn], names)
        weights = row_weights(labels[drawn], len(names), "none")
        matrix, bias = fit_softmax(x[drawn], labels[drawn], len(names), l2, weights)
        rest = np.setdiff1d(np.arange(len(labels)), drawn)
        guess = (x[rest] @ matrix.T.astype(np.float32) + bias).argmax(axis=1)
        metrics = evaluate(words[labels[rest]].tolist(), words[guess].tolist(), None, names)
        accuracies.append(metrics.accuracy)
        f1s.append(metrics.macro_f1)
    assert l2 is not None
    return FewShot(k, len(names), draws, l2, _of_draws(accuracies), _of_draws(f1s))


def draw(labels: Positions, k: int, rng: np.random.Generator) -> Positions:
    """Return the positions of `k` random rows of each class, ascending."""
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(labels))[:-1]])
    return np.sort(np.concatenate([order[start : start + k] for start in starts]))


def _choose_l2(x: NDArray[np.float32], labels: Positions, names: Sequence[str]) -> float:
    folds = min(_INNER_FOLDS, int(np.bincount(labels).min()))
    if folds < 2:
        return max(L2_GRID)
    return cross_validate(x, labels, names, L2_GRID, folds, 1, "none", 0).l2


def _of_draws(values: Sequence[float]) -> Estimate:
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean, float("nan"), float("nan"))
    half = 1.959963984540054 * float(np.std(values, ddof=1))
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half))
