"""Metrics against scikit-learn and against their definition; bootstrap intervals by simulation and by resampling rows."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from pipeline.bootstrap import classifier_estimates, mean_estimate, spearman_estimate
from pipeline.metrics import calibration_error, confusion, count_metrics, evaluate

LABELS = ("negative", "neutral", "positive")
Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def drawn(n: int, seed: int, classes: int = 3) -> Rows:
    """Gold, predicted, confidence of a classifier that is right in about two thirds of the rows."""
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, classes, n)
    predicted = np.where(generator.random(n) < 0.66, gold, generator.integers(0, classes, n))
    return gold, predicted, generator.uniform(1 / classes, 1, n)


@pytest.mark.parametrize("absent", [None, 1])
def test_metrics_are_those_of_scikit_learn(absent: int | None) -> None:
    gold, predicted, _ = drawn(400, seed=1)
    keep = gold != absent
    gold, predicted = gold[keep], predicted[keep]
    found = evaluate([LABELS[i] for i in gold], [LABELS[i] for i in predicted], None, LABELS)
    present = sorted(set(gold))
    _, recall, f1, _ = precision_recall_fscore_support(
        gold, predicted, labels=present, average="macro", zero_division=0
    )
    assert found.accuracy == pytest.approx(accuracy_score(gold, predicted))
    assert (found.macro_f1, found.macro_recall) == pytest.approx((f1, recall))
    each = precision_recall_fscore_support(gold, predicted, labels=[0, 1, 2], zero_division=0)
    assert [(c.precision, c.recall, c.f1, c.n) for c in found.classes] == [
        pytest.approx(row) for row in zip(*each, strict=True)
    ]
    assert confusion(gold, predicted, 3).tolist() == confusion_matrix(gold, predicted, labels=[0, 1, 2]).tolist()


def test_many_tables_at_once_are_as_one_by_one() -> None:
    tables = np.stack([confusion(*drawn(50, seed)[:2], 3) for seed in range(5)])
    together = count_metrics(tables)
    for i, table in enumerate(tables):
        assert {k: v[i] for k, v in together.items()} == pytest.approx(count_metrics(table))


def test_calibration_error_is_the_mean_gap_over_bins() -> None:
    confidence = np.array([0.1, 0.12, 0.9, 0.95, 1.0])
    right = np.array([False, True, True, True, False])
    # bins of 1/15: [0.1, 0.12] in one, [0.9] alone, [0.95, 1.0] in the last
    expected = 2 / 5 * abs(0.5 - 0.11) + 1 / 5 * abs(1 - 0.9) + 2 / 5 * abs(0.5 - 0.975)
    assert calibration_error(confidence, right) == pytest.approx(expected)


def test_a_label_out_of_the_list_is_an_error() -> None:
    with pytest.raises(ValueError, match="mixed: not among"):
        evaluate(["positive"], ["mixed"], None, LABELS)


def test_intervals_are_those_of_resampled_rows() -> None:
    """Counts of cells instead of rows: the same distribution, so the same percentiles up to chance."""
    gold, predicted, confidence = drawn(300, seed=2)
    _, found = classifier_estimates(gold, predicted, confidence, 3, resamples=2_000, seed=0)
    generator, direct = np.random.default_rng(9), []
    for _ in range(2_000):
        rows = generator.integers(0, 300, 300)
        values = count_metrics(confusion(gold[rows], predicted[rows], 3))
        error = calibration_error(confidence[rows], gold[rows] == predicted[rows])
        direct.append([*(float(values[k]) for k in ("accuracy", "macro_f1", "macro_recall")), error])
    low, high = np.percentile(direct, [2.5, 97.5], axis=0)
    names = ("accuracy", "macro_f1", "macro_recall", "calibration_error")
    assert [found[k].low for k in names] == pytest.approx(low, abs=0.008)
    assert [found[k].high for k in names] == pytest.approx(high, abs=0.008)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    truth = count_metrics(confusion(*drawn(400_000, seed=3)[:2], 3))
    hits = dict.fromkeys(truth, 0)
    for seed in range(200):
        _, found = classifier_estimates(*drawn(250, seed + 100), 3, resamples=200, seed=seed)
        for name in hits:
            hits[name] += found[name].low <= truth[name] <= found[name].high
    # 95 % of 200 is 190, four standard deviations are 12
    assert all(178 <= n <= 200 for n in hits.values()), hits
    assert min(hits.values()) < 200, "an interval that always covers says nothing"


def test_the_interval_of_a_mean_narrows_with_the_rows() -> None:
    values = np.random.default_rng(4).integers(0, 2, 10_000).astype(float)
    found = mean_estimate(values, 1_000, seed=0)
    assert found.value == values.mean()
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / 100, rel=0.15)


def test_spearman_with_ties_is_that_of_scipy_and_so_are_its_resamples() -> None:
    generator = np.random.default_rng(5)
    first = generator.normal(size=120)
    second = np.round(first + generator.normal(size=120))
    found = spearman_estimate(first, second, 800, seed=0)
    assert found.value == pytest.approx(spearmanr(first, second).statistic)
    direct = []
    for _ in range(800):
        rows = generator.integers(0, 120, 120)
        direct.append(spearmanr(first[rows], second[rows]).statistic)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(direct, [2.5, 97.5])), abs=0.03)


def test_equal_seeds_give_equal_intervals() -> None:
    rows = drawn(100, seed=6)
    assert classifier_estimates(*rows, 3, 100, seed=1)[1] == classifier_estimates(*rows, 3, 100, seed=1)[1]
    assert classifier_estimates(*rows, 3, 100, seed=1)[1] != classifier_estimates(*rows, 3, 100, seed=2)[1]
