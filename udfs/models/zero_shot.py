"""Zero-shot classification: a linear head made of label descriptions, no labelled rows.

A text belongs to the label whose description is nearest to it. Labels differ in how near they are to just any text, so what is
compared is not the cosine c to a label's vector but z = (c - m) / s, with m and s mean and standard deviation of that label's
cosine over background texts, which belong to no label. z is linear in the embedding, so it is the logit of an ordinary head
(`udfs.models.head`). A text whose largest z is one that background texts reach belongs to none of the labels.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_DRAWS = 20_000


@dataclass(frozen=True)
class ZeroShot:
    """A linear head.

    Attributes:
        weight: (k, d), `bias`: (k,): logits are the z of each label.
        none_below: a text whose largest logit is lower belongs to none of the labels.
    """

    weight: Array
    bias: Array
    none_below: float


def label_vectors(embeddings: NDArray[np.float32], owners: NDArray[np.int64], n_labels: int) -> Array:
    """Return (n_labels, d) unit vectors: the mean of the unit vectors of each label's descriptions.

    Args:
        embeddings: (m, d) of all descriptions.
        owners: (m,) the label each describes, 0 to n_labels - 1; each label has at least one.
    """
    sums = np.zeros((n_labels, embeddings.shape[1]))
    np.add.at(sums, owners, embeddings.astype(np.float64))
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def from_background(vectors: Array, background: NDArray[np.float32], false_acceptance: float) -> ZeroShot:
    """Make the head from a sample of background texts.

    The threshold is the ceil((m + 1)(1 - false_acceptance))-th smallest of their largest z, as in conformal prediction: of
    further texts drawn like the sample, about `false_acceptance` get a label (the z are standardised on the same sample). Texts
    in the sample that do belong to a label raise the threshold: fewer texts get a label, never more.

    Args:
        vectors: (k, d) unit label vectors.
        background: (m, d) unit embeddings.

    Raises:
        ValueError: the sample is too small for the rate.
    """
    needed = smallest_background(false_acceptance)
    if len(background) < needed:
        raise ValueError(f"{len(background)} background texts cannot show a rate of {false_acceptance}; {needed} can")
    cosines = background.astype(np.float64) @ vectors.T
    return _head(vectors, cosines.mean(axis=0), cosines.std(axis=0), cosines, false_acceptance)


def from_moments(vectors: Array, mean: Array, covariance: Array, false_acceptance: float, seed: int = 0) -> ZeroShot:
    """Make the head from mean (d,) and covariance (d, d) of background embeddings.

    The cosines are taken to be jointly normal; the threshold is a quantile of 20,000 draws.
    """
    centre, spread = vectors @ mean, vectors @ covariance @ vectors.T
    values, axes = np.linalg.eigh(spread)
    noise = np.random.default_rng(seed).normal(size=(_DRAWS, len(vectors)))
    drawn = centre + noise * np.sqrt(np.maximum(values, 0.0)) @ axes.T
    return _head(vectors, centre, np.sqrt(np.diag(spread)), drawn, false_acceptance)


def smallest_background(false_acceptance: float) -> int:
    """Return how many background texts it takes to set a threshold for a rate."""
    return math.ceil(1 / false_acceptance) - 1


def _head(vectors: Array, mean: Array, deviation: Array, cosines: Array, false_acceptance: float) -> ZeroShot:
    scale = 1.0 / np.maximum(deviation, 1e-6)
    largest = np.sort(((cosines - mean) * scale).max(axis=1))
    rank = min(math.ceil((len(largest) + 1) * (1 - false_acceptance)), len(largest))
    return ZeroShot(vectors * scale[:, None], -mean * scale, float(largest[rank - 1]))
