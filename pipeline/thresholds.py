"""The confidence from which a cheap model decides alone, chosen on an audit sample by learn-then-test.

Angelopoulos, A. N., Bates, S., Candès, E. J., Jordan, M. I. and Lei, L. (2021), Learn then test: calibrating predictive
algorithms to achieve risk control, arXiv:2110.01052; here with fixed-sequence testing. The bound is Clopper, C. J. and Pearson,
E. S. (1934), The use of confidence or fiducial limits illustrated in the case of the binomial, Biometrika 26, 404-413.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = tuple(k / 100 for k in range(99, -1, -1))
"""Candidate thresholds in the order they are tested: from almost nothing decided by the cheap model to everything.

Fixed before any text is seen, as the method asks.
"""


@dataclass(frozen=True)
class Choice:
    """The threshold and what the sample says of it. All figures are shares of the sample, 0 to 1.

    Attributes:
        threshold: the cheap model decides where its confidence is at least this; None: nowhere, the target was not shown.
        n: texts of the sample.
        agreement: published label equal to the full model's; None without a threshold.
        agreement_low: its one-sided Clopper-Pearson lower bound.
        agreement_decided: the same among the texts the cheap model decided; None where it decided none.
        agreement_decided_low: its one-sided lower bound, taken at the chosen threshold: a figure to read, not the guarantee.
    """

    threshold: float | None
    n: int
    agreement: float | None = None
    agreement_low: float | None = None
    agreement_decided: float | None = None
    agreement_decided_low: float | None = None


def choose_threshold(
    confidences: NDArray[np.float64], agrees: NDArray[np.bool_], min_agreement: float, confidence: float
) -> Choice:
    """Return the lowest threshold whose agreement is shown to be at least `min_agreement`.

    A text below the threshold is published with the full model's label, so it agrees. The candidates of `GRID` are tested in
    order, each at level 1 - `confidence`, up to the first that fails: with probability `confidence` or more over the draw of the
    sample, the agreement over all texts it was drawn from reaches `min_agreement`. Drawing without replacement only helps.

    Args:
        confidences: (n,) the cheap model's confidence in its label, 0 to 1.
        agrees: (n,) whether its label is the full model's.
    """
    n = len(confidences)
    chosen: float | None = None
    for threshold in GRID:
        agreeing = n - int((~agrees[confidences >= threshold]).sum())
        if lower_bound(agreeing, n, confidence) < min_agreement:
            break
        chosen = threshold
    return Choice(None, n) if chosen is None else _described(chosen, confidences, agrees, confidence)


def lower_bound(successes: int, trials: int, confidence: float) -> float:
    """Return the one-sided Clopper-Pearson lower bound of a share at `confidence`; 0 where there are no trials."""
    from scipy.stats import beta

    if successes == 0:
        return 0.0
    return float(beta.ppf(1.0 - confidence, successes, trials - successes + 1))


def smallest_sample(min_agreement: float, confidence: float) -> int:
    """Return how many texts, all agreeing, it takes to show `min_agreement`."""
    return math.ceil(math.log(1.0 - confidence) / math.log(min_agreement))


def _described(
    threshold: float, confidences: NDArray[np.float64], agrees: NDArray[np.bool_], confidence: float
) -> Choice:
    decided = agrees[confidences >= threshold]
    n, n_decided, agreeing = len(confidences), len(decided), int(decided.sum())
    published = n - n_decided + agreeing
    return Choice(
        threshold=threshold,
        n=n,
        agreement=published / n,
        agreement_low=lower_bound(published, n, confidence),
        agreement_decided=agreeing / n_decided if n_decided else None,
        agreement_decided_low=lower_bound(agreeing, n_decided, confidence) if n_decided else None,
    )
