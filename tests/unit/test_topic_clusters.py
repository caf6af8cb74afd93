"""How many topics there are, and how a topic's usual distance and group are found."""

import numpy as np
import pytest

from pipeline.topic_clusters import Rows, chosen_number, fit_clusters, lloyd, parents, usual_distances
from pipeline.topic_refit import moved, resolution


def planted(k: int, n: int, noise: float, seed: int = 0, d: int = 24) -> tuple[Rows, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres, truth = rng.normal(size=(k, d)), rng.integers(0, k, n)
    rows = centres[truth] + noise * rng.normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


@pytest.mark.parametrize("k", [3, 8, 20])
def test_the_planted_number_of_topics_is_chosen(k: int) -> None:
    from sklearn.metrics import adjusted_rand_score

    rows, truth = planted(k, 1_500, 0.5)
    found = fit_clusters(rows, None, 0.8, seed=1)
    assert len(found.centroids) == k, found.agreement
    assert adjusted_rand_score(truth, found.assigned) > 0.95
    assert np.array_equal(found.assigned, (rows @ found.centroids.T).argmax(axis=1))


def test_the_finest_stable_number_is_chosen_and_the_fewest_where_none_is() -> None:
    assert chosen_number({2: 0.5, 4: 0.6, 8: 0.6, 16: 0.3}, 0.8) == 2
    assert chosen_number({2: 0.9, 4: 0.85, 8: 0.7, 16: 0.8}, 0.8) == 16
    assert chosen_number({10: 0.95, 20: 1.0, 40: 0.81}, 0.8) == 40
    assert chosen_number({10: 0.95, 20: 1.0, 30: 0.81}, 0.8) == 20


def test_there_are_never_fewer_than_wanted() -> None:
    rows, _ = planted(3, 1_500, 0.5)
    found = fit_clusters(rows, None, 0.8, seed=1, fewest=12)
    assert len(found.centroids) == 12
    assert min(found.agreement) == 12


def test_a_given_number_is_kept_and_few_rows_are_enough() -> None:
    rows, _ = planted(5, 60, 0.5)
    assert len(fit_clusters(rows, 7, 0.8, 1).centroids) == 7
    assert len(fit_clusters(rows[:3], None, 0.8, 1).centroids) <= 3
    assert len(fit_clusters(rows[:1], 2, 0.8, 1).centroids) == 1


def test_the_same_rows_give_the_same_topics() -> None:
    rows, _ = planted(6, 500, 0.8)
    first, second = (fit_clusters(rows, None, 0.8, 1) for _ in range(2))
    assert first.agreement == second.agreement
    assert np.array_equal(first.centroids, second.centroids)


def test_the_usual_distance_holds_the_given_share_of_a_topic() -> None:
    rows, _ = planted(4, 2_000, 0.7)
    found = fit_clusters(rows, 4, 0.8, 1)
    usual = usual_distances(rows, found.centroids, found.assigned, 0.95)
    fresh, _ = planted(4, 2_000, 0.7)
    other = np.random.default_rng(9).normal(size=(500, 24)).astype(np.float32)
    for new, low, high in ((fresh, 0.04, 0.06), (other / np.linalg.norm(other, axis=1, keepdims=True), 0.9, 1.0)):
        nearest = (new @ found.centroids.T).argmax(axis=1)
        distance = 1 - (new * found.centroids[nearest]).sum(axis=1)
        assert low <= (distance > usual[nearest]).mean() <= high


def test_topics_are_grouped_under_their_largest() -> None:
    axes = np.eye(3, 8, dtype=np.float32)
    pairs = np.concatenate([axes + 0.1, axes - 0.1])
    pairs /= np.linalg.norm(pairs, axis=1, keepdims=True)
    assert parents(pairs.astype(np.float32), np.array([9, 2, 5, 3, 8, 1])) == [0, 4, 2, 0, 4, 2]


def test_living_topics_stay_in_their_places_and_change_only_where_the_texts_do() -> None:
    rows, truth = planted(6, 1_200, 0.5)
    known = truth < 5
    start = fit_clusters(rows[known], 5, 0.8, 1)
    boundary = resolution(rows[known], start.centroids, start.assigned, 1)
    half = np.flatnonzero(known)[::2]
    same = moved(rows[half], start.centroids, boundary, 1)
    assert np.einsum("kd,kd->k", same.centroids, start.centroids).min() > 0.98
    more = moved(rows, start.centroids, boundary, 1)
    assert len(more.centroids) == 6
    assert np.einsum("kd,kd->k", more.centroids[:5], start.centroids).min() > 0.9
    less = moved(rows[known & (truth != 2)], start.centroids, boundary, 1)
    assert len(less.centroids) == 4
    assert len(moved(rows, start.centroids, boundary, 1, fixed=True).centroids) == 5


def test_an_empty_cluster_takes_the_farthest_row() -> None:
    rows, _ = planted(2, 50, 0.2)
    centroids, assigned = lloyd(rows, np.stack([rows[0], rows[1], -rows[0] - rows[1]]).astype(np.float32))
    assert len(np.unique(assigned)) == len(centroids) == 3
