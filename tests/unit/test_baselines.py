"""The baselines of an evaluation."""

import numpy as np
import pytest

from pipeline.baselines import fit_majority, fit_tfidf


def test_majority_gives_the_shares_of_the_training_rows() -> None:
    model = fit_majority(np.array([2, 2, 0, 2]), 3)
    assert model.probabilities(["any", "text"]).tolist() == [[0.25, 0.0, 0.75]] * 2
    assert model.parameters() == 3


@pytest.mark.parametrize("features", ["char", "word"])
def test_tfidf_learns_and_a_class_without_rows_has_probability_0(features: str) -> None:
    texts = ["a good day", "good food", "such a good one", "a bad day", "bad food", "such a bad one"]
    model = fit_tfidf(texts, np.array([2, 2, 2, 0, 0, 0]), 3, features, c=10.0)
    found = model.probabilities(["good bread", "bad bread"])
    assert found.argmax(axis=1).tolist() == [2, 0]
    assert found[:, 1].tolist() == [0.0, 0.0]
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert model.cpu_minutes > 0
    n_grams = len(model.vectorizer.vocabulary_)
    assert model.parameters() == 2 * n_grams + 1


def test_words_of_one_letter_and_signs_are_words() -> None:
    model = fit_tfidf(["I :) x", "I :) y", "no x", "no y"], np.array([1, 1, 0, 0]), 2, "word", c=1.0)
    assert {"i", ":", ")", "x", ": )"} <= set(model.vectorizer.vocabulary_)


def test_one_class_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="class"):
        fit_tfidf(["one text", "one more text"], np.array([1, 1]), 3, "word", c=1.0)
