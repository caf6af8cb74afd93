"""Topics by neighbourhood: noise goes, small themes stay, and what is assigned is the rows as they are."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pipeline import topic_smoothing
from pipeline.topic_clusters import Rows, fit_clusters
from pipeline.topic_smoothing import as_they_are, fit_smoothed, move_smoothed, smoothed


def planted(sizes: list[int], noise: float, seed: int = 0, d: int = 64) -> tuple[Rows, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    rows = rng.normal(size=(len(sizes), d))[truth] + noise * rng.normal(size=(len(truth), d))
    order = rng.permutation(len(rows))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)[order], truth[order]


def drawn_out(k: int, n: int, seed: int = 0, d: int = 32) -> tuple[Rows, np.ndarray]:
    """k themes that lie along arcs, as texts do that pass from one thing to the next, with noise."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(k), n)
    first, last = rng.normal(size=(2, k, d))
    at = rng.random(len(truth))[:, None] * np.pi * 0.9
    rows = np.cos(at) * first[truth] + np.sin(at) * last[truth] + 0.8 * rng.normal(size=(len(truth), d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def test_drawn_out_themes_are_told_apart_better_than_without_neighbours() -> None:
    rows, truth = drawn_out(20, 150)
    plain = fit_clusters(rows, 20, 0.7, 1)
    found, boundary = fit_smoothed(rows, 20, 0.7, 1)
    assert adjusted_rand_score(truth, found.assigned) > adjusted_rand_score(truth, plain.assigned) + 0.03
    assert np.array_equal(found.assigned, (rows @ found.centroids.T).argmax(axis=1)), (
        "as documents are assigned at night"
    )
    assert np.linalg.norm(found.centroids, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert (np.diff(np.bincount(found.assigned)) <= 0).all(), "largest first"
    assert boundary > 0


def test_a_small_theme_in_a_small_sample_is_not_drowned() -> None:
    rows, truth = planted([200, 180, 8], 0.6)
    found, _ = fit_smoothed(rows, 3, 0.7, 1)
    assert adjusted_rand_score(truth, found.assigned) > 0.98


def test_few_rows_stay_what_they_are() -> None:
    rows, _ = planted([20, 20], 0.5)
    assert smoothed(rows, 1) is rows


def test_a_row_like_no_other_stays_what_it_is() -> None:
    rows, _ = planted([120, 120], 0.3, d=8)
    rows = np.concatenate([np.pad(rows, ((0, 0), (0, 1))), np.eye(9, dtype=np.float32)[[8]]])
    assert smoothed(rows, 1)[-1] == pytest.approx(rows[-1])


def test_of_many_rows_a_part_is_looked_at_and_the_result_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, truth = planted([400] * 5, 1.2)
    monkeypatch.setattr(topic_smoothing, "_SOUGHT", 500)
    first, second = smoothed(rows, 1), smoothed(rows, 1)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, smoothed(rows, 2))
    assert adjusted_rand_score(truth, fit_clusters(first, 5, 0.7, 1).assigned) > 0.95


def test_a_cluster_that_would_be_empty_keeps_its_rows() -> None:
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    found = np.full((2, 2), 0.5**0.5, dtype=np.float32)
    centroids, assigned = as_they_are(rows, found, np.array([0, 0, 1, 1]))
    assert centroids == pytest.approx(found)
    assert sorted(set(assigned.tolist())) == [0, 1]
    lone, assigned = as_they_are(rows, np.eye(2, dtype=np.float32), np.array([0, 0, 0, 0]))
    assert np.linalg.norm(lone, axis=1) == pytest.approx(1.0)
    assert sorted(set(assigned.tolist())) == [0, 1]


def test_topics_stay_where_the_texts_do() -> None:
    rows, _ = planted([200] * 6, 1.5)
    found, boundary = fit_smoothed(rows[:800], 6, 0.7, 1)
    later = move_smoothed(rows[400:], found.centroids, boundary, 1, fixed=True)
    before = (rows[400:] @ found.centroids.T).argmax(axis=1)
    assert (before == later.assigned).mean() > 0.95
