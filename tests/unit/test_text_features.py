"""The bag of n-grams: hashes, padding, and its place among an encoder's features."""

import pytest
import torch

from udfs.models.text_features import NgramBag


@pytest.fixture(scope="module")
def bag() -> NgramBag:
    torch.manual_seed(2)
    return NgramBag(1_009, 5)


def test_a_bag_is_the_sum_of_its_ngrams_over_the_root_of_their_number(bag: NgramBag) -> None:
    ids = torch.tensor([[7, 8, 9, 7]])
    pairs = [bag(ids[:, i : i + 2])[0] for i in range(3)]
    # three tokens hold two pairs and one triple
    triples = [bag(ids[:, i : i + 3])[0] * 3**0.5 - pairs[i] - pairs[i + 1] for i in range(2)]
    expected = (sum(pairs) + sum(triples)) / 5**0.5
    assert torch.allclose(bag(ids)[0], expected, atol=1e-6)


def test_order_matters_and_padding_does_not(bag: NgramBag) -> None:
    ids = torch.tensor([[7, 8, 9], [9, 8, 7]])
    alone = bag(ids)
    assert not torch.allclose(alone[0], alone[1])
    padded = torch.tensor([[7, 8, 9, 0, 0], [9, 8, 7, 0, 0]])
    assert torch.allclose(bag(padded, padded != 0), alone, atol=1e-6)


def test_ngrams_spread_over_the_buckets(bag: NgramBag) -> None:
    pairs = torch.cartesian_prod(torch.arange(5, 69), torch.arange(5, 69))
    hit = torch.unique((bag(pairs) * 1e6).round().long(), dim=0)
    assert len(hit) > 0.95 * bag.buckets


def test_a_text_of_one_token_has_no_ngram(bag: NgramBag) -> None:
    assert bag(torch.tensor([[7]])).abs().sum() == 0
