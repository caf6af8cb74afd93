"""Zero-shot classification: a linear head made of label descriptions, no labelled rows.

A text's label is the one whose description is nearest to it by the cosine c, which is linear in the embedding: the logit of an
ordinary head (`udfs.models.head`). Labels differ in how near they are to just any text, so whether the label fits at all is
asked of z = (c - m) / s, with m and s mean and standard deviation of the label's cosine over background texts, which belong to
no label. A text whose z is one that background texts reach belongs to none of the labels.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ZeroShot:
    """A linear head without biases.

    Attributes:
        weight: (k, d) unit label vectors: the logits are cosines.
        none_below: (k,): a text whose largest logit is lower than its label's entry belongs to none of the labels.
    """

    weight: Array
    none_below: Array


def label_vectors(embeddings: NDArray[np.float32], owners: NDArray[np.int64], n_labels: int) -> Array:
    """Return (n_labels, d) unit vectors: the mean of the unit vectors of each label's descriptions.

    Args:
        embeddings: (m, d) of all descriptions.
        owners: (m,) the label each describes, 0 to n_labels - 1; each label has at least one.
    """
    sums = np.zeros((n_labels, embeddings.shape[1]))
    np.add.at(sums, owners, embeddings.astype(np.float64))
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def make_head(vectors: Array, background: NDArray[np.float32], false_acceptance: float) -> ZeroShot:
    """Make the head from a sample of background texts.

    The threshold is the ceil((m + 1)(1 - false_acceptance))-th smallest z of the sample, as in split conformal prediction (Lei,
    J. et al., 2018, Distribution-free predictive inference for regression, JASA 113, 1094-1111), except that z is standardised
    on the same sample: of further texts drawn like it, about `false_acceptance` get a label. Texts in the sample that do
    belong to a label raise the threshold: fewer texts get a label, not more.

    Args:
        vectors: (k, d) unit label vectors.
        background: (m, d) unit embeddings.

    Raises:
        ValueError: the sample is too small for the rate.
    """
    m, needed = len(background), smallest_background(false_acceptance)
    if m < needed:
        raise ValueError(f"{m} background texts cannot show a rate of {false_acceptance}; {needed} can")
    cosines = background.astype(np.float64) @ vectors.T
    mean, deviation = cosines.mean(axis=0), cosines.std(axis=0)
    best = cosines.argmax(axis=1)
    z = np.sort((cosines[np.arange(m), best] - mean[best]) / np.maximum(deviation[best], 1e-6))
    rank = min(math.ceil((m + 1) * (1 - false_acceptance)), m)
    return ZeroShot(vectors, mean + z[rank - 1] * deviation)


def smallest_background(false_acceptance: float) -> int:
    """Return how many background texts it takes to set a threshold for a rate."""
    return math.ceil(1 / false_acceptance) - 1
