"""Dealing buckets of texts to tasks: every bucket once, loads even, the same whatever the order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.placement import MAX_OVER_MEAN, Load, deal, n_tasks

COSTS = st.lists(st.integers(5, 8_196), min_size=1, max_size=400)


def load(tokens: list[int]) -> Load:
    return Load(np.ones(len(tokens), np.int64), np.arange(len(tokens)) * 7, np.array(tokens, np.int64))


@settings(deadline=None)
@given(COSTS, st.integers(1_024, 50_000))
def test_no_task_has_much_more_than_the_mean_unless_one_bucket_alone_does(tokens: list[int], per_task: int) -> None:
    tasks, dealt = deal(load(tokens), per_task)
    assert len(dealt) == len(tokens)
    assert set(dealt.tolist()) == set(range(tasks)), "every task has work"
    cost = np.bincount(dealt, weights=tokens, minlength=tasks)
    for task in range(tasks):
        assert (dealt == task).sum() == 1 or cost[task] <= MAX_OVER_MEAN * cost.mean()


@settings(deadline=None)
@given(COSTS, st.randoms(use_true_random=False))
def test_a_bucket_goes_to_the_same_task_whatever_the_order(tokens: list[int], random: object) -> None:
    first = load(tokens)
    order = np.arange(len(tokens))
    random.shuffle(order)  # type: ignore[attr-defined]
    other = Load(first.texts[order], first.buckets[order], first.tokens[order])
    tasks, dealt = deal(first, 2_048)
    assert deal(other, 2_048)[0] == tasks
    np.testing.assert_array_equal(deal(other, 2_048)[1], dealt[order])


@pytest.mark.parametrize(
    ("tokens", "wanted"),
    [
        ([], 1),
        ([100], 1),
        ([5] * 100, 1),
        ([4_096] * 4, 2),
        ([4_096] * 100, 16),
        ([1_000_000], 1),
        ([8_192] * 3_200, 100),
        ([2_000_000] * 65_536, 8_192),
    ],
)
def test_tasks_follow_from_the_predicted_tokens_alone(tokens: list[int], wanted: int) -> None:
    """A small night has up to sixteen tasks, each worth starting; a large one tasks of the configured size, to a limit."""
    assert n_tasks(load(tokens), 262_144) == wanted


def test_equal_long_texts_that_do_not_fill_the_tasks_evenly_get_fewer_tasks() -> None:
    tasks, dealt = deal(load([8_192] * 17), 262_144)
    cost = np.bincount(dealt, minlength=tasks)
    assert 1 < tasks < 16
    assert cost.max() <= MAX_OVER_MEAN * cost.mean()
