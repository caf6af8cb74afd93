"""Softmax regression (multinomial logistic regression) of many classes, by L-BFGS over the full batch; and its temperature."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ClassWeight = Literal["balanced", "none"]
FORBIDDEN = -1e9
"""The logit of a class that a row does not know."""
_ITERATIONS = 300
_EXACT_SIZE = 20_000_000
"""Multiplications of one product up to which it is computed in float64; larger ones in float32, twice as fast."""


def row_weights(labels: NDArray[np.int64], n_classes: int, class_weight: ClassWeight) -> Array:
    """Return (n,) weights that sum to 1: all rows the same, or all classes that occur the same in sum."""
    if class_weight == "none":
        return np.full(len(labels), 1.0 / len(labels))
    counts = np.bincount(labels, minlength=n_classes)
    weights = 1.0 / counts[labels]
    return np.asarray(weights / weights.sum())


def fit_softmax(
    x: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_classes: int,
    l2: float,
    weights: Array,
    allowed: NDArray[np.bool_] | None = None,
    start: tuple[Array, Array] | None = None,
) -> tuple[Array, Array]:
    """Minimise sum_i weights_i * cross-entropy_i + l2 * sum(W**2); the biases are free.

    L-BFGS: Liu, D. C. and Nocedal, J. (1989), On the limited memory BFGS method for large scale optimization, Mathematical
    Programming 45, 503-528.

    Args:
        x: (n, d) rows.
        labels: (n,) classes, 0 to n_classes - 1.
        weights: (n,) of the rows, from `row_weights`.
        allowed: (n, n_classes), the classes a row knows; None where it knows all.
        start: weights and biases of a similar problem, from where it is a shorter way.

    Returns:
        W (n_classes, d) and b (n_classes,).
    """
    from scipy.optimize import minimize

    n, d = x.shape
    rows: Any = x.astype(np.float64 if n * d * n_classes <= _EXACT_SIZE else np.float32, copy=False)
    index = np.arange(n)

    def loss(flat: Array) -> tuple[float, Array]:
        matrix, bias = flat[:-n_classes].reshape(n_classes, d), flat[-n_classes:]
        z = rows @ matrix.T.astype(rows.dtype) + bias.astype(rows.dtype)
        if allowed is not None:
            z = np.where(allowed, z, rows.dtype.type(FORBIDDEN))
        z -= z.max(axis=1, keepdims=True)
        gold = z[index, labels].astype(np.float64)
        np.exp(z, out=z)
        sums = z.sum(axis=1, dtype=np.float64)
        value = float(weights @ (np.log(sums) - gold)) + l2 * float((matrix**2).sum())
        # z becomes the derivative by the logits
        z *= (weights / sums)[:, None].astype(rows.dtype)
        z[index, labels] -= weights.astype(rows.dtype)
        gradient = (z.T @ rows).astype(np.float64) + 2 * l2 * matrix
        return value, np.concatenate([gradient.ravel(), z.sum(axis=0, dtype=np.float64)])

    first = np.zeros(n_classes * (d + 1)) if start is None else np.concatenate([start[0].ravel(), start[1]])
    options = {"maxiter": _ITERATIONS, "maxcor": 20, "gtol": 1e-6, "ftol": 1e-8}
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x
    return found[:-n_classes].reshape(n_classes, d), found[-n_classes:]


def fit_path(
    x: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_classes: int,
    l2_grid: Sequence[float],
    weights: Array,
    allowed: NDArray[np.bool_] | None = None,
) -> dict[float, tuple[Array, Array]]:
    """Fit every regularisation, from the strongest on, each from where the one before ended; see `fit_softmax`."""
    path: dict[float, tuple[Array, Array]] = {}
    last = None
    for l2 in sorted(set(l2_grid), reverse=True):
        path[l2] = last = fit_softmax(x, labels, n_classes, l2, weights, allowed, last)
    return path


def fit_temperature(logits: Array, labels: NDArray[np.int64]) -> float:
    """Return the temperature, e^-3 to e^3, that minimises the negative log-likelihood (Guo et al., 2017, arXiv:1706.04599).

    Args:
        logits: (n, n_classes) of rows the classifier was not trained on.
        labels: (n,) their classes.
    """
    from scipy.optimize import minimize_scalar

    z = logits - logits.max(axis=1, keepdims=True)
    gold = z[np.arange(len(z)), labels].mean()

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.log(np.exp(z * scale).sum(axis=1)).mean() - gold * scale)

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-3}).x))


def probabilities(logits: Array, temperature: float) -> Array:
    """Return (n, n_classes) probabilities of logits at a temperature."""
    z = (logits - logits.max(axis=1, keepdims=True)) / temperature
    np.exp(z, out=z)
    return np.asarray(z / z.sum(axis=1, keepdims=True))
