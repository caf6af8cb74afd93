"""Paired comparison of two models: by hand, at the edges, and over many simulated samples."""

import numpy as np
import pytest

from pipeline.paired import confusion, mean_difference, share, share_shift

LABELS = ("negative", "neutral", "positive")


def test_confusion_has_the_old_label_in_rows() -> None:
    old = ["negative", "negative", "neutral", "positive", "negative"]
    new = ["negative", "positive", "neutral", "neutral", "positive"]
    assert confusion(old, new, LABELS).tolist() == [[1, 0, 2], [0, 1, 0], [0, 1, 0]]
    assert confusion([], [], LABELS).tolist() == [[0] * 3] * 3
    with pytest.raises(KeyError):
        confusion(["angry"], ["neutral"], LABELS)


def test_the_shift_by_hand() -> None:
    """20 of 100 lose the label, 6 gain it: (6.5 - 20.5) / 102, half 1.96 sqrt(27 - 14^2 / 102) / 102."""
    found = share_shift(20, 6, 100, 0.95)
    assert found.estimate == pytest.approx(-0.14)
    assert found.low == pytest.approx(-0.23345, abs=5e-5)
    assert found.high == pytest.approx(-0.04106, abs=5e-5)
    mirrored = share_shift(6, 20, 100, 0.95)
    assert (mirrored.low, mirrored.high) == pytest.approx((-(found.high or 0), -(found.low or 0)))


def test_no_difference_still_has_an_interval_that_shrinks_with_the_texts() -> None:
    few, many = share_shift(0, 0, 10, 0.95), share_shift(0, 0, 1000, 0.95)
    assert (few.estimate, few.high) == (0.0, pytest.approx(1.959964 / 12))
    assert (many.high or 1) < (few.high or 0)
    assert share_shift(0, 1, 1, 0.999).high == 1.0, "an interval does not leave what a shift can be"


@pytest.mark.parametrize(
    ("n", "lost", "gained"), [(40, 0.05, 0.15), (100, 0.02, 0.02), (300, 0.10, 0.13), (1000, 0.002, 0.004)]
)
def test_the_interval_of_a_shift_covers_the_truth_as_often_as_it_says(n: int, lost: float, gained: float) -> None:
    draws = np.random.default_rng(7).multinomial(n, [lost, gained, 1 - lost - gained], size=4_000)
    hits = 0
    for n_lost, n_gained, _ in draws:
        found = share_shift(int(n_lost), int(n_gained), n, 0.95)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= gained - lost <= found.high
    assert 0.935 <= hits / len(draws) <= 0.999


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)],
)
def test_wilson_equals_the_published_figures(successes: int, trials: int, low: float, high: float) -> None:
    found = share(successes, trials, 0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_the_mean_difference_has_students_interval() -> None:
    """Mean 2, standard error 1 / sqrt(3), t quantile 4.30265 with two degrees of freedom."""
    found = mean_difference(np.array([1.0, 2.0, 3.0]), 0.95)
    assert (found.estimate, found.low, found.high) == pytest.approx((2.0, 2 - 2.48414, 2 + 2.48414), abs=1e-5)
    alone = mean_difference(np.array([0.5]), 0.95)
    assert (alone.estimate, alone.low, alone.high) == (0.5, None, None)


def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(3).normal(0.1, 0.4, size=(3_000, 12))
    found = [mean_difference(row, 0.9) for row in draws]
    hits = np.mean([f.low is not None and f.high is not None and f.low <= 0.1 <= f.high for f in found])
    assert 0.88 <= hits <= 0.92
