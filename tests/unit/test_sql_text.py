"""Functions of SQL over text alone: answers, nulls, errors, positions, languages."""

from typing import Any

import pandas as pd
import pytest

from udfs.sql_text import FUNCTIONS
from udfs.sql_text.extract import extract, n_words

CALL = {function.name: function.function for function in FUNCTIONS}
REVIEW = (
    "I bought the router in May. The router loses its connection every evening. Dr. Smith told me to call. "
    "The weather was nice. Support says the router connection is fine, but the router drops it."
)
CHINESE = "我五月买了这个路由器。路由器每天晚上都断网。天气很好。客服说路由器的网络没有问题，可是路由器还是断网！"


def one(name: str, text: Any, **arguments: Any) -> Any:
    series = {key: pd.Series([value], dtype=object) for key, value in arguments.items()}
    (answer,) = CALL[name](pd.Series([text], dtype=object), **series).tolist()
    return answer


def test_names_and_types() -> None:
    assert sorted(CALL) == [
        "ai_count_tokens", "ai_count_tokens_full", "ai_keyphrases", "ai_language", "ai_mask", "ai_mask_full", "ai_redact_spans",
        "ai_summarize", "ai_summarize_full",
    ]  # fmt: skip
    assert all("error: STRUCT" in f.return_type for f in FUNCTIONS if f.return_type not in ("STRING", "INT"))


@pytest.mark.parametrize("name", sorted(CALL))
def test_null_gives_null_and_an_empty_batch_an_empty_one(name: str) -> None:
    texts = pd.Series([None, "a word", None], dtype=object)
    assert [answer is None for answer in CALL[name](texts).tolist()] == [True, False, True]
    assert len(CALL[name](texts[:0])) == 0


@pytest.mark.parametrize("name", sorted(CALL))
@pytest.mark.parametrize(
    "text", ["\ud800 half \udfff a character", "x" * 5_000, "🙂🙂", "\x00\x01 \n", 42, "的" * 3_000]
)
def test_no_text_fails_and_every_answer_can_be_written(name: str, text: Any) -> None:
    repr(one(name, text)).encode("utf-8")


@pytest.mark.parametrize("name", sorted(CALL))
@pytest.mark.parametrize(("text", "code"), [("x" * 2_000_001, "TOO_LONG"), (["a"], "BAD_INPUT")])
def test_what_is_not_read_has_a_code(name: str, text: Any, code: str) -> None:
    answer = one(name, text)
    if isinstance(answer, list):
        (answer,) = answer
    assert answer is None if name in ("ai_mask", "ai_summarize", "ai_count_tokens") else answer["error"]["code"] == code


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("ai_mask_full", {"labels": ["person"]}, "BAD_ARGUMENT"),
        ("ai_mask_full", {"labels": []}, "BAD_ARGUMENT"),
        ("ai_mask_full", {"labels": ["'; DROP TABLE t"]}, "BAD_ARGUMENT"),
        ("ai_mask_full", {"mask": 3}, "BAD_ARGUMENT"),
        ("ai_redact_spans", {"labels": "email"}, "BAD_ARGUMENT"),
        ("ai_keyphrases", {"top_k": 0}, "BAD_ARGUMENT"),
        ("ai_keyphrases", {"top_k": 101}, "BAD_ARGUMENT"),
        ("ai_summarize_full", {"max_words": 0}, "BAD_ARGUMENT"),
        ("ai_summarize_full", {"max_sentences": 1.5}, "BAD_ARGUMENT"),
        ("ai_count_tokens_full", {"model": "nobody's"}, "UNKNOWN_MODEL"),
    ],
)
def test_refused_arguments_have_a_code_and_fail_no_other_row(name: str, arguments: dict[str, Any], code: str) -> None:
    texts = pd.Series(["a@b.co is good", "a@b.co is good"], dtype=object)
    both = {key: pd.Series([value, None], dtype=object) for key, value in arguments.items()}
    refused, answered = CALL[name](texts, **both).tolist()
    refused = refused[0] if isinstance(refused, list) else refused
    assert refused["error"]["code"] == code
    assert next(iter(arguments)) in refused["error"]["message"]
    assert (answered[0] if isinstance(answered, list) else answered)["error"] is None
    plain = name.removesuffix("_full")
    assert name == plain or one(plain, "a@b.co", **arguments) is None  # and never the text unmasked


def test_masking_takes_categories_and_a_mask() -> None:
    text = "a@b.co, +1 212 555 0123"
    assert one("ai_mask", text) == "[EMAIL], [PHONE]"
    assert one("ai_mask", text, labels=["e-mail"]) == "[EMAIL], +1 212 555 0123"
    assert one("ai_mask", text, mask="[MASKED]") == "[MASKED], [MASKED]"
    assert one("ai_mask_full", text) == {"masked": "[EMAIL], [PHONE]", "n_spans": 2, "error": None}
    assert one("ai_mask", "") == ""


def test_spans_count_code_points() -> None:
    found = one("ai_redact_spans", "👩‍👩‍👧😀客服 a@b.co")
    assert found == [{"category": "email", "start": 9, "end": 15, "text": "a@b.co", "error": None}]
    assert one("ai_redact_spans", "nothing") == []


@pytest.mark.parametrize(
    ("text", "lang"), [(REVIEW, "en"), (CHINESE, "zh"), ("La batería no dura nada", "es"), ("12", "und")]
)
def test_language(text: str, lang: str) -> None:
    answer = one("ai_language", text)
    assert (answer["lang"], answer["error"]) == (lang, None)
    assert answer["confidence"] > 0.5 or lang == "und"


def test_an_empty_text_has_no_language() -> None:
    assert one("ai_language", " ")["error"]["code"] == "EMPTY_INPUT"


def test_tokens_are_those_of_the_model() -> None:
    assert one("ai_count_tokens", "") == 0
    assert one("ai_count_tokens", "good day", model="all-MiniLM-L6-v2") == 2
    assert one("ai_count_tokens_full", "路由器断网")["model"] == "multilingual"
    assert one("ai_count_tokens", "good day " * 1_000, model="all-MiniLM-L6-v2") == 2_000


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(REVIEW, "router"), (CHINESE, "路由器"), ("La batería del móvil no dura. Odio la batería.", "batería")],
)
def test_keyphrases_name_what_a_text_is_about(text: str, wanted: str) -> None:
    found = one("ai_keyphrases", text, top_k=3)
    assert any(wanted in phrase["phrase"].lower() for phrase in found)
    assert len(found) == 3
    assert [p["score"] for p in found] == sorted((p["score"] for p in found), reverse=True)
    assert one("ai_keyphrases", "!!!") == []


def test_a_summary_is_sentences_of_the_text_within_the_limit() -> None:
    answer = one("ai_summarize_full", REVIEW, max_words=20)
    assert answer["summary"] == " ".join(REVIEW[s["start"] : s["end"]] for s in answer["sentences"])
    assert n_words(answer["summary"]) <= 20
    assert "router" in answer["summary"]
    assert "weather" not in answer["summary"]
    assert (answer["n_sentences"], answer["n_read"], answer["model"]) == (5, 5, "static-multilingual")
    assert one("ai_summarize", REVIEW, max_sentences=4).count(".") == 5  # four sentences and Dr.


def test_a_chinese_summary() -> None:
    answer = one("ai_summarize", CHINESE, max_words=14, max_sentences=1)
    assert answer in CHINESE
    assert "路由器" in answer
    assert one("ai_summarize", CHINESE) == CHINESE
    assert n_words(CHINESE) == 23.0


def test_repetition_is_left_out() -> None:
    text = "The router drops the connection. The router drops the connection! The invoice was wrong twice."
    assert one("ai_summarize", text, max_sentences=2).count("drops") == 1


def test_no_sentence_fits_so_one_is_cut() -> None:
    found = extract("A very long sentence without an end in sight", 3, 5)
    assert found.summary == "A very long…"
    assert [span for span, _ in found.chosen] == [(0, 11)]


@pytest.mark.parametrize("text", ["", " \n", "!!!", "🙂"])
def test_nothing_to_summarise(text: str) -> None:
    assert one("ai_summarize_full", text)["error"]["code"] == "EMPTY_INPUT"
    assert one("ai_summarize", text) is None


@pytest.mark.timeout(120)
def test_a_megabyte_has_a_summary_and_says_how_much_was_read() -> None:
    answer = one("ai_summarize_full", "The parcel came late. It was wet! " * 30_000, max_words=2_000)
    assert (answer["n_sentences"], answer["n_read"]) == (60_000, 20_000)
    assert n_words(answer["summary"]) <= 2_000
