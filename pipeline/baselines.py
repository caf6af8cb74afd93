"""Classifiers that an encoder has to beat: the majority class, and TF-IDF with logistic regression. They run on the driver."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

_MAX_FEATURES = 200_000
_ITERATIONS = 200


class Baseline(Protocol):
    """A classifier of plain texts."""

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return (n, n_classes) probabilities of n texts."""

    def parameters(self) -> int:
        """Return the number of learnt numbers."""


@dataclass(frozen=True)
class Majority:
    """Gives every text the training rows' shares of the classes."""

    shares: NDArray[np.float64]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the shares, n times."""
        return np.tile(self.shares, (len(texts), 1))

    def parameters(self) -> int:
        """Return the number of classes."""
        return len(self.shares)


def fit_majority(labels: NDArray[np.int64], n_classes: int) -> Majority:
    """Count n class positions."""
    return Majority(np.bincount(labels, minlength=n_classes) / len(labels))


@dataclass(frozen=True)
class TfidfRegression:
    """TF-IDF weights of n-grams, then softmax regression. Classes without training rows have probability 0."""

    vectorizer: Any
    regression: Any
    n_classes: int
    cpu_minutes: float = field(compare=False)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return (n, n_classes) probabilities of n texts."""
        found = np.zeros((len(texts), self.n_classes))
        if len(texts):
            found[:, self.regression.classes_] = self.regression.predict_proba(self.vectorizer.transform(texts))
        return found

    def parameters(self) -> int:
        """Return the number of weights, intercepts and inverse document frequencies."""
        return int(self.regression.coef_.size + self.regression.intercept_.size + self.vectorizer.idf_.size)


def fit_tfidf(
    texts: Sequence[str], labels: NDArray[np.int64], n_classes: int, features: str, c: float
) -> TfidfRegression:
    """Fit on n texts with their class positions.

    Args:
        features: `char`, 1-4-grams of characters across word borders, or `word`, 1-2-grams of words. Lower case, sublinear
            term frequency, n-grams of at least two texts, the 200,000 most frequent ones.
        c: inverse of the l2 penalty, as scikit-learn has it.

    Raises:
        ValueError: there is one class alone, or no n-gram occurs in two texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    started = time.process_time()
    # words of one letter count, and so do signs and emoji, each by itself
    how = {"analyzer": "char", "ngram_range": (1, 4)} if features == "char" else {
        "analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\w+|[^\w\s]"}  # fmt: skip
    vectorizer = TfidfVectorizer(**how, min_df=2, sublinear_tf=True, max_features=_MAX_FEATURES, dtype=np.float32)
    regression = LogisticRegression(C=c, max_iter=_ITERATIONS)
    regression.fit(vectorizer.fit_transform(texts), labels)
    return TfidfRegression(vectorizer, regression, n_classes, (time.process_time() - started) / 60)
