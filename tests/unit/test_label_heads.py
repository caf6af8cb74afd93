"""Heads for custom labels: the solver against scikit-learn, folds, intervals, temperature, thresholds, few-shot draws."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from pipeline.config import ModelConfig
from pipeline.cross_validation import cross_validate, default_repeats, resampled_interval, stratified_folds
from pipeline.few_shot import draw, few_shot
from pipeline.head_config import HeadConfig
from pipeline.head_training import make_labelled, save_head
from pipeline.label_heads import precision_thresholds, train_label_head
from pipeline.label_report import label_report
from pipeline.model_lock import encoder_identity, head_entry, head_spec
from pipeline.models import embedding_spec
from pipeline.softmax_regression import fit_path, fit_softmax, fit_temperature, probabilities, row_weights
from udfs.models.head import load_head

CLASSES = ("a", "b", "c", "d")


def blobs(n: int, noise: float, seed: int = 0, dim: int = 12) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(CLASSES), n)
    x = np.eye(dim)[labels] + noise * rng.normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels.astype(np.int64)


def config(**settings: Any) -> HeadConfig:
    train = [{"name": "a", "path": "a.parquet"}]
    return HeadConfig.model_validate({"name": "h", "task": "topic", "output": "o", "train": train} | settings)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_the_solver_finds_what_scikit_learn_finds(class_weight: Any) -> None:
    x, labels = blobs(400, 0.6)
    keep = (labels != 3) | (np.arange(400) % 4 == 0)
    x, labels = x[keep], labels[keep]
    l2, n = 1e-3, int(keep.sum())
    weights = row_weights(labels, 4, class_weight)
    matrix, bias = fit_softmax(x, labels, 4, l2, weights)
    # scikit-learn: C * sum of losses + |W|^2 / 2
    theirs = LogisticRegression(
        C=1 / (2 * l2 * n), class_weight=None if class_weight == "none" else "balanced", max_iter=2000, tol=1e-8
    ).fit(x.astype(np.float64), labels)
    ours = probabilities(x.astype(np.float64) @ matrix.T + bias, 1.0)
    assert np.abs(ours - theirs.predict_proba(x.astype(np.float64))).max() < 2e-3


def test_a_large_problem_is_solved_in_float32_as_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = blobs(300, 0.5)
    weights = row_weights(labels, 4, "none")
    exact = fit_softmax(x, labels, 4, 1e-3, weights)
    monkeypatch.setattr("pipeline.softmax_regression._EXACT_SIZE", 0)
    rough = fit_softmax(x, labels, 4, 1e-3, weights)
    assert np.abs(x @ exact[0].T + exact[1] - x @ rough[0].T - rough[1]).max() < 0.05


def test_a_path_ends_where_single_fits_end() -> None:
    x, labels = blobs(300, 0.5)
    weights = row_weights(labels, 4, "none")
    path = fit_path(x, labels, 4, [1e-4, 1e-2], weights)
    alone = fit_softmax(x, labels, 4, 1e-4, weights)
    assert list(path) == [1e-2, 1e-4]
    assert np.abs(x @ path[1e-4][0].T - x @ alone[0].T).max() < 0.1


def test_folds_are_disjoint_cover_all_rows_and_are_stratified() -> None:
    labels = np.repeat([0, 1, 2], [103, 21, 3])
    folds = stratified_folds(labels, 5, np.random.default_rng(1))
    assert folds.shape == labels.shape
    assert set(folds) == set(range(5))
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    for label in range(3):
        per_fold = np.bincount(folds[labels == label], minlength=5)
        assert per_fold.max() - per_fold.min() <= 1


def test_no_row_is_judged_by_a_head_that_has_seen_it() -> None:
    """Labels without any relation to the rows: out of fold they cannot be known, in the training rows they can."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 150)).astype(np.float32)
    labels = rng.integers(0, 2, 200)
    found = cross_validate(x, labels, ("a", "b"), [1e-6], 5, 2, "none", 0)
    matrix, bias = fit_softmax(x, labels, 2, 1e-6, row_weights(labels, 2, "none"))
    assert ((x @ matrix.T + bias).argmax(axis=1) == labels).mean() == 1
    assert 0.35 < found.measures["accuracy"].mean < 0.65
    assert found.temperature > 2


def test_cross_validation_is_right_about_fresh_rows_and_calibrated() -> None:
    x, labels = blobs(600, 0.45)
    found = cross_validate(x, labels, CLASSES, [1e-4, 1e-2], 5, 1, "none", 0)
    matrix, bias = fit_softmax(x, labels, 4, found.l2, row_weights(labels, 4, "none"))
    fresh_x, fresh = blobs(4000, 0.45, seed=1)
    chances = probabilities(fresh_x @ matrix.T + bias, found.temperature)
    accuracy = (chances.argmax(axis=1) == fresh).mean()
    assert found.measures["accuracy"].low < accuracy < found.measures["accuracy"].high
    assert abs(chances.max(axis=1).mean() - accuracy) < 0.04
    assert sum(c.n for c in found.classes) == 600
    again = cross_validate(x, labels, CLASSES, [1e-4, 1e-2], 5, 1, "none", 0)
    assert again.measures == found.measures


def test_the_interval_by_hand() -> None:
    """Five folds, s = 0.02, t(4) = 2.776, 1/5 + 1/4 = 0.45."""
    values = np.array([-1.0, -1.0, 0.0, 1.0, 1.0]) * 0.02 + 0.8
    found = resampled_interval(values.tolist(), 0.25)
    assert found.mean == pytest.approx(0.8)
    assert found.high - found.mean == pytest.approx(2.7764 * 0.02 * 0.45**0.5, rel=1e-3)
    assert default_repeats(150) == 10
    assert default_repeats(1_000) == 2
    assert default_repeats(9_000) == 1


def test_a_temperature_is_found_again() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(20_000, 3)) * 2
    labels = np.array([rng.choice(3, p=p) for p in probabilities(logits, 1.0)[:4000]])
    assert fit_temperature(logits[:4000] * 3, labels) == pytest.approx(3.0, rel=0.1)


def test_thresholds_keep_the_precision_and_no_more() -> None:
    chances = np.array([[p, 1 - p] for p in (0.99, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6)])
    labels = np.array([0, 0, 0, 0, 0, 1, 1])
    first, second = precision_thresholds(chances, labels, 0.8)
    assert first == pytest.approx(0.7, abs=1e-6)  # five of six are right, five of seven are not enough
    assert second == 2
    assert precision_thresholds(chances, labels, 0.99)[0] == pytest.approx(0.8, abs=1e-6)


def test_few_shot_draws_k_of_each_class_and_more_examples_help() -> None:
    x, labels = blobs(600, 0.45)
    rows = draw(labels, 7, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [7] * 4
    assert len(set(rows)) == 28
    few, many = few_shot(x, labels, CLASSES, [2, 64], 4, 0)
    assert few.accuracy.mean < many.accuracy.mean
    assert few.accuracy.low <= few.accuracy.mean <= few.accuracy.high
    labels[:] = 0
    assert few_shot(x, labels, CLASSES, [2], 4, 0) == []


def test_a_head_with_thresholds_is_saved_and_decides(tmp_path: Path) -> None:
    x, positions = blobs(400, 0.4)
    rows = make_labelled(x, [CLASSES[i] for i in positions], ["s"] * 400, CLASSES, knows_all=True)
    settings = config(min_precision=0.97, few_shot=[4, 390], few_shot_draws=2, l2=[1e-4])
    head = train_label_head(settings, CLASSES, rows, None, ["said before"])
    assert head.thresholds is not None
    assert head.coverage is not None
    assert 0.2 < head.coverage < 1
    assert head.warnings == ["said before", "few_shot: 390: fewer than two classes have more rows than that"]
    encoder = embedding_spec(ModelConfig()).encoder
    folder = tmp_path / "topic"
    save_head(head.trained, folder, "t", ["en"], encoder, encoder_identity(encoder), {}, "topic", head.facts())
    loaded = load_head(head_spec(head_entry("t", str(folder), folder), "topic"))
    fresh, truth = blobs(2000, 0.4, seed=9)
    decided, _ = loaded.decide(fresh)
    given = decided >= 0
    assert (decided[given] == truth[given]).mean() > 0.94
    assert given.mean() == pytest.approx(head.coverage, abs=0.1)
    assert "4 examples of each of 4 classes, 2 draws" in label_report(head)


def test_one_file_per_class_teaches_all_classes() -> None:
    x, positions = blobs(200, 0.2)
    names = [CLASSES[i] for i in positions]
    assert make_labelled(x, names, names, CLASSES, knows_all=True).allowed.all()
    assert make_labelled(x, names, names, CLASSES).allowed.sum() == 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"labels": ["a", "a"]}, "named twice"),
        ({"labels": ["a", "b"], "task": "sentiment"}, "give other labels another task"),
        ({"hidden": 8}, "without validation sets the head is linear"),
        ({"labels": [str(i) for i in range(501)]}, "at most 500"),
        ({"min_precision": 0.9, "task": "sentiment"}, "every text gets a sentiment"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**settings)
