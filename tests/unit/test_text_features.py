"""The bag of n-grams: hashes, padding, and its place among an encoder's features."""

import json
from pathlib import Path

import pytest
import torch

from udfs.models.files import ModelFileError
from udfs.models.piece_characters import piece_characters
from udfs.models.text_features import NgramBag, ngram_buckets, spelt


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


def test_characters_are_spelt_without_gaps() -> None:
    table = torch.tensor([[0, 0, 0], [97, 98, 0], [99, 0, 0], [32, 100, 101]])  # token 0 spells nothing
    ids = torch.tensor([[1, 0, 3], [2, 2, 1]])
    mask = torch.tensor([[True, True, True], [True, False, True]])
    units, real = spelt(table[ids], mask)
    assert units.tolist() == [[97, 98, 32, 100, 101], [99, 97, 98, 0, 0]]
    assert real.sum(dim=1).tolist() == [5, 3]


def test_ngrams_of_characters_do_not_depend_on_how_tokens_cut_them() -> None:
    torch.manual_seed(3)
    table = torch.tensor([[0, 0], [97, 98], [97, 0], [98, 0]])
    characters = NgramBag(1_009, 4, longest=4, characters=table)
    whole, cut = characters(torch.tensor([[1, 2]])), characters(torch.tensor([[2, 3, 2]]))
    assert torch.allclose(whole, cut, atol=1e-6)
    assert len(ngram_buckets(torch.tensor([[97, 98, 97]]), 1_009, 4)[0]) == 3 + 2 + 1
    tokens = NgramBag(1_009, 4)
    tokens.load_state_dict(characters.state_dict())
    assert not torch.allclose(tokens(torch.tensor([[1, 2]])), tokens(torch.tensor([[2, 3, 2]])), atol=1e-3)


def test_the_characters_of_tokens_come_from_the_tokeniser(tmp_path: Path) -> None:
    vocabulary = [["<pad>", 0.0], ["\u2581re", -1.0], ["<0xF0>", -2.0], ["\u4eca\u5929", -3.0]]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "Unigram", "vocab": vocabulary}}), encoding="utf-8")
    table = piece_characters(path, 5, frozenset({0}))
    assert table.tolist() == [[0, 0, 0], [32, 114, 101], [0x1100F0, 0, 0], [0x4ECA, 0x5929, 0], [0, 0, 0]]
    with pytest.raises(ModelFileError, match="has 4 tokens, the model vocabulary_size 3"):
        piece_characters(path, 3, frozenset())
    path.write_text('{"model": {"type": "BPE", "vocab": {}}}', encoding="utf-8")
    with pytest.raises(ModelFileError, match="model BPE; n-grams of characters need a Unigram tokeniser"):
        piece_characters(path, 3, frozenset())
