"""The threshold of the cascade: by hand, at the edges, and over many simulated nights."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.thresholds import GRID, choose_threshold, lower_bound, smallest_sample


def sample(*groups: tuple[float, int, int]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Texts in groups of (confidence, how many, how many of them disagree)."""
    confidences = np.concatenate([np.full(n, level) for level, n, _ in groups])
    agrees = np.concatenate([np.arange(n) >= wrong for _, n, wrong in groups])
    return confidences, agrees


@pytest.mark.parametrize(
    ("successes", "trials", "low"),
    [
        (10, 10, 0.05**0.1),
        (0, 10, 0.0),
        (0, 0, 0.0),
        (1, 10, 1 - 0.95**0.1),
        (9, 10, 0.6058),
    ],
)
def test_the_lower_bound_equals_closed_forms_and_the_table(successes: int, trials: int, low: float) -> None:
    """n of n is 0.05^(1/n), 1 of n is 1 - 0.95^(1/n); 9 of 10 is the lower end of the published two-sided 90 % interval."""
    assert lower_bound(successes, trials, 0.95) == pytest.approx(low, abs=5e-5)


def test_a_monotone_example_by_hand() -> None:
    """1,000 texts, target 0.98: 12 disagreements pass (bound 0.98063), 13 do not (0.97941)."""
    confidences, agrees = sample((0.95, 400, 2), (0.85, 300, 10), (0.75, 200, 1), (0.5, 100, 50))
    choice = choose_threshold(confidences, agrees, 0.98, 0.95)
    assert choice.threshold == 0.76
    assert (choice.n, choice.agreement) == (1000, 0.988)
    assert choice.agreement_low == pytest.approx(0.98063, abs=5e-6)
    assert choice.agreement_decided == pytest.approx(688 / 700)
    assert choice.agreement_decided_low == pytest.approx(lower_bound(688, 700, 0.95))


def test_texts_of_one_confidence_are_decided_together() -> None:
    """A threshold never splits a tie, and a text exactly at the threshold is the cheap model's."""
    confidences, agrees = sample((0.9, 500, 0), (0.6, 500, 200))
    assert choose_threshold(confidences, agrees, 0.98, 0.95).threshold == 0.61
    at_grid, agreeing = sample((0.6, 500, 0), (0.59, 500, 200))
    choice = choose_threshold(at_grid, agreeing, 0.98, 0.95)
    assert choice.threshold == 0.6
    assert choice.agreement_decided == 1.0


def test_full_agreement_lets_the_cheap_model_decide_everything() -> None:
    confidences, agrees = sample((0.9, 100, 0), (0.4, 100, 0))
    choice = choose_threshold(confidences, agrees, 0.98, 0.95)
    assert (choice.threshold, choice.agreement, choice.agreement_decided) == (0.0, 1.0, 1.0)


def test_the_agreement_is_that_of_all_published_texts() -> None:
    """100 of 1,000 decided texts disagree: too many of 2,000 published ones, few of 101,000."""
    confidences, agrees = sample((0.95, 1000, 100), (0.5, 100_000, 0))
    assert choose_threshold(confidences[:2000], agrees[:2000], 0.98, 0.95).threshold == 0.96
    assert choose_threshold(confidences, agrees, 0.98, 0.95).threshold == 0.0


def test_an_empty_sample_shows_nothing() -> None:
    choice = choose_threshold(np.empty(0), np.empty(0, bool), 0.98, 0.95)
    assert (choice.threshold, choice.n, choice.agreement, choice.agreement_low) == (None, 0, None, None)


@pytest.mark.parametrize(("min_agreement", "confidence"), [(0.98, 0.95), (0.9, 0.99), (0.995, 0.9)])
def test_a_sample_smaller_than_needed_falls_back(min_agreement: float, confidence: float) -> None:
    n = smallest_sample(min_agreement, confidence)
    assert choose_threshold(*sample((0.95, n, 0)), min_agreement, confidence).threshold == 0.0
    assert choose_threshold(*sample((0.95, n - 1, 0)), min_agreement, confidence).threshold is None


def test_a_cheap_model_sure_of_its_errors_falls_back() -> None:
    assert choose_threshold(*sample((0.999, 1000, 100)), 0.98, 0.95).threshold is None


def test_the_guarantee_holds_on_simulated_nights() -> None:
    """500 nights of 20,000 texts, 1,000 audited: the agreement over the whole night reaches the target in 95 % of them.

    The chance of agreement grows with confidence as a calibrated model's would; the sample's own agreement, taken at its word,
    would miss the target in about half the nights.
    """
    draw = np.random.default_rng(20_261_124)
    reached, thresholds = 0, set()
    for _ in range(500):
        confidences = draw.beta(5, 2, 20_000)
        agrees = draw.random(20_000) < 0.5 + 0.5 * confidences**0.5
        audited = draw.choice(20_000, 1_000, replace=False)
        choice = choose_threshold(confidences[audited], agrees[audited], 0.98, 0.95)
        assert choice.threshold is not None
        thresholds.add(choice.threshold)
        reached += 1 - float((~agrees & (confidences >= choice.threshold)).mean()) >= 0.98
    assert reached >= 475
    assert 0.5 < min(thresholds) < max(thresholds) < 0.99, "the cheap model decides some texts of every night, not all"


def test_candidates_fall_from_high_to_low() -> None:
    assert list(GRID) == sorted(GRID, reverse=True)
    assert (GRID[0], GRID[-1]) == (0.99, 0.0)
