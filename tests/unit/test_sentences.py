"""Sentences of a text: where they are, in code points."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.personal_data.spans import personal_data
from udfs.sentences import sentences

LANGUAGES = ("en", "es", "zh", "ja", "ko", "ar", "hi", "und", "xx", "")
PIECES = (
    "The app crashed", "Dr. Smith", "3.5", "电池不错", "固件", "良い", "😀", "👩‍👩‍👧", "é", "e\u0301", "ß", "İ",
    "!", "?!", "...", "。", "！", "“", "”",
    ",", "，", "; ", ". ", " ", " - ", "¿Qué", "a.b@example.com", "+1 202. 555. 0100", "DE89 3704 0044 0532 0130 00",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        (
            "en",
            "I called Dr. Smith at 3.5 p.m. today. The app crashed!! Why?",
            ["I called Dr. Smith at 3.5 p.m. today.", "The app crashed!!", "Why?"],
        ),
        ("es", "¡Hola! ¿Por qué no funciona? El Sr. Pérez no contesta...",
         ["¡Hola!", "¿Por qué no funciona?", "El Sr. Pérez no contesta..."]),
        ("zh", "固件升级后断网。客服不回复！！怎么办？", ["固件升级后断网。", "客服不回复！！", "怎么办？"]),
        ("en", "Great! 😀😀 Bad.", ["Great!", "😀😀 Bad."]),
        ("en", "Great screen. 👍", ["Great screen. 👍"]),
        ("en", "It costs 3.50 now. Mr. A. Smith et al. agree. We, e.g. I, do!",
         ["It costs 3.50 now.", "Mr. A. Smith et al. agree.", "We, e.g. I, do!"]),
        ("de", "Nr. 5 ist am 3. Mai da. Gut.", ["Nr. 5 ist am 3. Mai da.", "Gut."]),
        ("zh", "“断网了。”他说：好！不好？再见", ["“断网了。”", "他说：好！", "不好？", "再见"]),
        ("en", "Title\n\n- first\n- second", ["Title", "- first", "- second"]),
        ("en", "Call +1 202. 555. 0100 now. It is bad.", ["Call +1 202. 555. 0100 now.", "It is bad."]),
        ("en", "👍👍 !!!", []),
        ("en", "", []),
    ],
)  # fmt: skip
def test_sentences_end_where_a_reader_ends_them(lang: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text, lang)] == expected


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40), st.sampled_from(LANGUAGES))
def test_every_word_is_in_one_sentence_and_no_personal_data_is_cut(pieces: list[str], lang: str) -> None:
    text = " ".join("".join(pieces).split())
    spans = sentences(text, lang, 60)
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for start, end in spans:
        assert text[start:end] == text[start:end].strip()
    outside = [c for i, c in enumerate(text) if not any(start <= i < end for start, end in spans)]
    assert not [c for c in outside if c.isalnum()]
    for low, high, _ in personal_data(text):
        assert not any(low < edge < high for span in spans for edge in span)


def test_a_text_without_marks_is_cut_at_a_space() -> None:
    text = "word " * 300 + "end"
    spans = sentences(text, "en", 100)
    assert {word for start, end in spans for word in text[start:end].split()} == {"word", "end"}
    assert max(end - start for start, end in spans) <= 100
    assert sum(len(text[start:end].split()) for start, end in spans) == 301


def test_a_long_sentence_is_cut_at_a_comma_first() -> None:
    text = "the first part of it goes on and on, the second part of it goes on as well"
    assert [text[start:end] for start, end in sentences(text, "en", 50)] == [
        "the first part of it goes on and on,",
        "the second part of it goes on as well",
    ]


@given(st.text(alphabet="ab. \n!?。！”) A1é的-", max_size=80))
@settings(max_examples=300, deadline=None)
def test_sentences_of_a_text_as_it_is_written_hold_every_letter_once_and_in_order(text: str) -> None:
    spans = sentences(text, "en", max_chars=None)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    held = "".join(text[start:end] for start, end in spans)
    assert [c for c in held if c.isalnum()] == [c for c in text if c.isalnum()]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["a. ", ".", "\n", "\n ", "。", "?!", "\n1. x", "e.g. ", "a.\"'”)", "word ", "a@b.co. ", "+1 202. 555. 0100. "],
)
def test_a_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    assert all(end <= len(text) for _, end in sentences(text, "en"))
