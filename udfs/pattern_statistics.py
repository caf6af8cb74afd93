"""Tests and measures of association, for executors and the driver. Arrays in, arrays out; counts are of texts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def g2(both: float, first: float, second: float, total: float) -> float:
    """Return Dunning's log-likelihood ratio of a 2x2 table, 0 or more."""
    observed = np.array([both, first - both, second - both, total - first - second + both], dtype=np.float64)
    rows = np.array([first, first, total - first, total - first], dtype=np.float64)
    columns = np.array([second, total - second, second, total - second], dtype=np.float64)
    some = observed > 0
    return float(2 * np.sum(observed[some] * np.log(observed[some] * total / (rows[some] * columns[some]))))


def fisher_p(
    both: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], total: NDArray[np.int64] | int
) -> NDArray[np.float64]:
    """Return the one-sided p of Fisher's exact test: as many or more texts with both, were they independent. 1 of nothing."""
    from scipy.stats import hypergeom

    p = hypergeom.sf(both - 1, np.maximum(total, 1), first, second)
    return np.where(both <= 0, 1.0, np.clip(p, 0.0, 1.0))


def benjamini_hochberg(
    p: NDArray[np.float64], n_tests: int | None = None, classes: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Return the q value of each test of a family.

    Benjamini, Y. and Hochberg, Y. (1995), Controlling the false discovery rate, JRSS B 57, 289-300.

    Args:
        n_tests: number of tests, those that are not in `p` included, all of them not smaller; by default those of `p`.
        classes: class of each test. Each class has an equal share of the false discoveries: BH on p / w, with weights w that have
            mean 1 (Genovese, Roeder and Wasserman 2006, False discovery control with p-value weighting, Biometrika 93, 509-524).
    """
    if len(p) == 0:
        return p
    n = n_tests or len(p)
    if classes is not None:
        _, of, sizes = np.unique(classes, return_inverse=True, return_counts=True)
        p = p * len(sizes) * sizes[of] / n
    order = np.argsort(p, kind="stable")
    scaled = p[order] * n / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def wilson_interval(
    successes: NDArray[np.int64], trials: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of Wilson's 95 % interval (see `pipeline.intervals`); 0 and 1 where there are no trials."""
    z2 = 1.959963984540054**2
    n = np.maximum(trials, 1).astype(np.float64)
    p = successes / n
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2) / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    low, high = np.where(successes == 0, 0.0, low), np.where(successes == trials, 1.0, high)
    return np.where(trials == 0, 0.0, low), np.where(trials == 0, 1.0, high)


def npmi_of(both: Any, first: Any, second: Any, total: int) -> Any:
    """Return normalised pointwise mutual information, -1 to 1 (Bouma, 2009); 1 where all texts have both."""
    both = np.asarray(both, dtype=np.float64)
    everywhere = both >= total
    safe = np.where(everywhere, 0.5, both / total)
    ratio = np.log(np.maximum(both, 1e-300) * total / (np.asarray(first, dtype=np.float64) * second)) / -np.log(safe)
    return np.where(everywhere, 1.0, np.clip(ratio, -1.0, 1.0))
