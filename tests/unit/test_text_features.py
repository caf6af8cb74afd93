"""The bag of n-grams: hashes, padding, and its place among an encoder's features."""

import pytest
import torch

from udfs.models.text_features import NgramBag, ngram_buckets


@pytest.fixture(scope="module")
def bag() -> NgramBag:
    torch.manual_seed(2)
    return NgramBag(1_009, 5)


def test_a_bag_is_the_sum_of_its_ngrams_over_the_root_of_their_number(bag: NgramBag) -> None:
    ids = torch.tensor([[7, 8, 9, 7]])
    table, found = bag.vectors.weight, ngram_buckets(ids, bag.buckets)[0]
    assert len(found) == 4 + 3 + 2
    assert found[0] == found[3], "a token has one bucket, wherever it is"
    expected = sum(table[i] for i in found) / 9**0.5
    assert torch.allclose(bag(ids)[0], expected, atol=1e-6)
    pair = ngram_buckets(torch.tensor([[8, 9]]), bag.buckets)[0]
    assert pair.tolist() == [found[1], found[2], found[5]], "and so has a pair"


def test_order_matters_and_padding_does_not(bag: NgramBag) -> None:
    ids = torch.tensor([[7, 8, 9], [9, 8, 7]])
    alone = bag(ids)
    assert not torch.allclose(alone[0], alone[1])
    padded = torch.tensor([[7, 8, 9, 0, 0], [9, 8, 7, 0, 0]])
    assert torch.allclose(bag(padded, padded != 0), alone, atol=1e-6)


def test_ngrams_spread_over_the_buckets(bag: NgramBag) -> None:
    pairs = torch.cartesian_prod(torch.arange(5, 69), torch.arange(5, 69))
    counts = torch.bincount(ngram_buckets(pairs, bag.buckets)[:, 2], minlength=bag.buckets)
    # 4,096 pairs in 1,009 buckets: as many as chance would put there
    assert (counts > 0).float().mean() > 0.96
    assert counts.max() < 20


def test_a_text_of_one_token_is_that_token(bag: NgramBag) -> None:
    ids = torch.tensor([[7]])
    assert torch.equal(bag(ids)[0], bag.vectors.weight[ngram_buckets(ids, bag.buckets)[0, 0]])
