"""Zero-shot heads on synthetic vectors: labels found, and as many texts of no label accepted as was said."""

import numpy as np
import pytest
from numpy.typing import NDArray

from udfs.models.head import Head
from udfs.models.zero_shot import ZeroShot, label_vectors, make_head, smallest_background

RNG = np.random.default_rng(11)
DIM, LABELS = 24, 5
MIXING = RNG.normal(size=(DIM, DIM)) * 0.6 + np.eye(DIM)
CENTRE = RNG.normal(size=DIM)
DIRECTIONS = np.linalg.qr(RNG.normal(size=(DIM, LABELS)))[0].T


def unit(x: NDArray[np.float64]) -> NDArray[np.float32]:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def background(n: int) -> NDArray[np.float32]:
    """Texts of no label: unequal spread in all directions round a centre, as encoders give."""
    return unit(CENTRE + RNG.normal(size=(n, DIM)) @ MIXING)


def of_labels(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    return unit(14 * DIRECTIONS[labels] + CENTRE + RNG.normal(size=(len(labels), DIM)) @ MIXING)


def head(made: ZeroShot) -> Head:
    return Head(tuple("abcde"), [(made.weight, np.zeros(LABELS))], 1.0, none_below=made.none_below)


def test_none_is_accepted_at_the_rate_that_was_said() -> None:
    vectors = label_vectors(DIRECTIONS.astype(np.float32), np.arange(LABELS), LABELS)
    made = make_head(vectors, background(3_000), 0.1)
    decided, chances = head(made).decide(background(5_000))
    assert (decided >= 0).mean() == pytest.approx(0.1, abs=0.025)
    truth = RNG.integers(0, LABELS, 500)
    decided, _ = head(made).decide(of_labels(truth))
    assert (decided == truth).mean() > 0.95
    assert ((chances > 0) & (chances <= 1)).all()
    decided, _ = head(made).decide(np.zeros((0, DIM), np.float32))
    assert decided.shape == (0,)


def test_a_label_near_to_everything_does_not_take_the_acceptances_of_others() -> None:
    """One label lies near the centre of all texts: one limit of the cosine for all would refuse what is of other labels."""
    vectors = label_vectors(unit(np.vstack([CENTRE, DIRECTIONS[:3]])), np.arange(4), 4)
    made = make_head(vectors, background(2_000), 0.1)
    assert made.none_below[0] > made.none_below[1:].max() + 0.1


def test_several_descriptions_are_one_vector() -> None:
    vectors = label_vectors(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]), 2)
    assert np.allclose(vectors, np.array([[1, 1, 0, 0], [0, 0, 1, 1]]) / np.sqrt(2))


def test_labelled_texts_in_the_background_make_the_threshold_stricter() -> None:
    vectors = label_vectors(DIRECTIONS.astype(np.float32), np.arange(LABELS), LABELS)
    pure = background(1_000)
    mixed = np.concatenate([pure, of_labels(RNG.integers(0, LABELS, 300))])
    fresh = background(3_000)
    strict, plain = (make_head(vectors, sample, 0.1) for sample in (mixed, pure))
    accepted = [(head(made).decide(fresh)[0] >= 0).mean() for made in (strict, plain)]
    assert accepted[0] < accepted[1]


def test_a_sample_that_is_too_small_is_refused() -> None:
    assert smallest_background(0.05) == 19
    vectors = label_vectors(DIRECTIONS.astype(np.float32), np.arange(LABELS), LABELS)
    make_head(vectors, background(19), 0.05)
    with pytest.raises(ValueError, match="19 can"):
        make_head(vectors, background(18), 0.05)
