"""Mentions of aspects in a text, and the settings."""

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.patterns.aspect_config import AspectsConfig
from udfs.aspect_terms import GIVEN, HEAD, MINED, Aspect, Matcher
from udfs.aspects import MENTIONS, AspectSpec, aspects_of, make_mentions, mentions

DAY = dt.date(2026, 10, 13)
FILLERS = (
    "😀",
    "👩‍👩‍👧",
    "好",
    "的",
    "ß",
    "İ",
    "e\u0301",
    "happy",
    "apps",
    "wrapped",
    "the",
    ".",
    "!",
    "。",
    " ",
    "，",
    "İstanbul ",
)


def found(text: str, lang: str, *terms: str) -> list[str]:
    """What of a text is taken for a mention of one given aspect."""
    matcher = Matcher([Aspect("a", GIVEN, terms, 0)], lang)
    return [text[m.start : m.end] for m in matcher.find(text)]


@pytest.mark.parametrize(
    ("lang", "text", "terms", "expected"),
    [
        ("en", "The APP is slow, I am not happy with the app's wrapper.", ("app",), ["APP", "app"]),
        ("en", "in-app purchase; Apps", ("app",), ["app", "Apps"]),
        ("en", "apply, appointment, newspapers", ("app", "new"), []),
        ("en", "Batteries! The glasses, the glass's", ("battery", "glass"), ["Batteries", "glasses", "glass"]),
        ("en", "Keys, keies, house keys", ("key", "house key"), ["Keys", "house keys", "keys"]),
        ("en", "The firmware  Update failed, update-7", ("firmware update", "update"), ["firmware  Update", "Update", "update"]),
        ("en", "The router’s firmware", ("router firmware",), ["router’s firmware"]),
        ("en", "It doesn’t work", ("doesn't work",), ["doesn’t work"]),
        ("en", "C++ is not C", ("C++",), ["C++"]),
        ("en", "mail bank@bank.com about the bank", ("bank",), ["bank"]),
        ("es", "La BATERÍA dura poco, las baterías no", ("batería",), ["BATERÍA", "baterías"]),
        ("fr", "l'app plante", ("app",), ["app"]),
        ("zh", "服务器坏了，服务很差", ("服务",), ["服务"]),
        ("zh", "固件升级后断网", ("固件 升级", "固件"), ["固件升级", "固件"]),
        ("zh", "AI客服不回复", ("客服",), ["客服"]),
        ("ja", "バッテリーの電池が悪い", ("電池", "バッテリー"), ["バッテリー", "電池"]),
        ("ko", "배터리가 빨리 닳아요. 앱스토어", ("배터리", "앱"), ["배터리가"]),
        ("hi", "ऐप अच्छा है", ("ऐ", "ऐप"), ["ऐप"]),
        ("und", "ok battery ok", ("battery",), ["battery"]),
        ("en", "", ("battery",), []),
    ],
)  # fmt: skip
def test_a_term_is_found_as_a_word_of_its_own(
    lang: str, text: str, terms: tuple[str, ...], expected: list[str]
) -> None:
    assert found(text, lang, *terms) == expected


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(FILLERS), max_size=20),
    st.lists(st.sampled_from(FILLERS), max_size=20),
    st.sampled_from(("en", "zh", "und")),
)
def test_positions_count_code_points(before: list[str], after: list[str], lang: str) -> None:
    text = " ".join(f"{''.join(before)} The Battery, {''.join(after)}".split())
    spec = AspectSpec((("battery", {"any": ("battery",)}),), {})
    aspects = aspects_of(spec, DAY, lang)
    rows = mentions(text, Matcher(aspects, lang), spec, lang)
    assert len(rows) == 1
    _, (start, end), _ = rows[0]
    assert "The Battery," in text[start:end]
    mention = Matcher(aspects, lang).find(text)[0]
    assert text[mention.start : mention.end] == "Battery"
    assert start <= mention.start < mention.end <= end


@pytest.mark.parametrize(
    ("lang", "text", "phrase", "is_noun"),
    [
        ("en", "The battery is bad.", "battery", True),
        ("en", "I have a great phone.", "great", False),
        ("en", "They cancelled flights.", "cancelled", False),
        ("en", "What a gorgeous day!", "gorgeous", False),
        ("en", "Still waiting with customer service!", "customer service", True),
        ("es", "No funciona la aplicación.", "aplicación", True),
        ("es", "La app no funciona.", "funciona", False),
        ("zh", "客服不回复", "客服", True),
        ("zh", "客服不回复", "回复", False),
        ("zh", "周洁说很好", "周洁", False),
        ("de", "Der Akku ist leer.", "akku", False),
    ],
)
def test_a_mined_phrase_is_a_noun_where_it_stands_as_one(lang: str, text: str, phrase: str, is_noun: bool) -> None:
    (mention,) = Matcher([Aspect(phrase, MINED, (phrase,), 0)], lang).find(text)
    assert mention.is_noun is is_noun


def test_each_aspect_counts_once_per_sentence_and_in_its_first_sentences() -> None:
    spec = AspectSpec((("battery", {"any": ("battery", "akku")}), ("price", {"en": ("price",)})), {}, max_sentences=2)
    text = "Battery, oh battery! The akku is dead. The battery again. The price is fine. No."
    matcher = Matcher(aspects_of(spec, DAY, "en"), "en")
    rows = [(aspect.name, text[start:end]) for aspect, (start, end), _ in mentions(text, matcher, spec, "en")]
    assert rows == [
        ("battery", "Battery, oh battery!"),
        ("battery", "The akku is dead."),
        ("price", "The price is fine."),
    ]
    assert [a.name for a in aspects_of(spec, DAY, "es")] == ["battery"], "price has English terms only"


def test_a_mined_phrase_is_found_as_it_was_mined() -> None:
    matcher = Matcher([Aspect("flight", MINED, ("flight",), 0), Aspect("flights", MINED, ("flights",), 1)], "en")
    assert [m.aspect.name for m in matcher.find("My flight; two flights")] == ["flight", "flights"]


def test_only_so_much_of_a_text_is_read() -> None:
    spec = AspectSpec((("battery", {"any": ("battery",)}),), {}, max_chars=100)
    text = "Nothing here. " * 5 + "The battery is bad. " * 5
    rows = mentions(text, Matcher(aspects_of(spec, DAY, "en"), "en"), spec, "en")
    assert [span for _, span, _ in rows] == [(70, 89)], "the sentence at the cut is not whole"


def test_a_mined_phrase_that_is_a_given_term_is_left_out() -> None:
    terms = {"any": ("Battery",), "zh": ("固件升级",)}
    spec = AspectSpec((("akku", terms),), {(DAY, "en"): ["battery", "price"], (DAY, "zh"): ["固件 升级", "客服"]})
    assert [(a.name, a.source) for a in aspects_of(spec, DAY, "en")] == [("akku", GIVEN), ("price", MINED)]
    assert [a.name for a in aspects_of(spec, DAY, "zh")] == ["akku", "客服"]
    assert [a.name for a in aspects_of(spec, DAY + dt.timedelta(days=1), "en")] == ["akku"], "mined for one night"


def test_generic_words_are_left_out_and_the_last_words_of_phrases_looked_for() -> None:
    phrases = ["question", "serial number", "line dropped", "dropped"]
    spec = AspectSpec((), {(DAY, "en"): phrases, (DAY, "es"): ["saludo", "router"], (DAY, "zh"): ["同事", "固件 升级"]})
    assert [(a.name, a.source) for a in aspects_of(spec, DAY, "en")] == [
        ("serial number", MINED), ("line dropped", MINED), ("dropped", MINED), ("number", HEAD), ("dropped", HEAD),
    ]  # fmt: skip
    assert [a.name for a in aspects_of(spec, DAY, "es")] == ["router"]
    assert [a.name for a in aspects_of(spec, DAY, "zh")] == ["固件 升级"]


def test_rows_carry_masked_quotes_and_whether_the_text_is_one_sentence() -> None:
    spec = AspectSpec((("bank", {"any": ("bank",)}),), {})
    texts = ["The bank lost my mail a.b@example.com. Bye.", "The bank is closed.", None, "Nothing."]
    batch = pa.RecordBatch.from_pydict(
        {"run_date": [DAY] * 4, "doc_id": ["a", "b", "c", "d"], "lang": ["en", "en", "en", None], "text": texts}
    )
    (made,) = make_mentions(spec)(iter([batch]))
    assert made.schema == MENTIONS
    rows = made.to_pylist()
    assert [(r["doc_id"], r["sentence"], r["quote"], r["start"], r["end"], r["is_whole"]) for r in rows] == [
        ("a", "The bank lost my mail a.b@example.com.", "The bank lost my mail [EMAIL].", 0, 38, False),
        ("b", "The bank is closed.", None, 0, 19, True),
    ]


@pytest.mark.parametrize(
    ("given_aspects", "says"),
    [
        ([{"name": "a", "terms": {"any": ["x"]}}, {"name": "A", "terms": {"any": ["y"]}}], "the same aspect is given twice: a"),
        ([{"name": "a", "terms": {"klingon": ["x"]}}], "no language klingon"),
        ([{"name": "a", "terms": {"en": []}}], "at least one term"),
        ([{"name": "a", "terms": {"en": ["--"]}}], "'--' must hold a letter or a digit"),
        ([{"name": "a", "terms": {"en": ["x"] * 51}}], "51 terms, at most 50"),
        ([{"name": "  ", "terms": {"en": ["x"]}}], "must have 1 to 100 characters"),
        ([{"name": "a"}], "terms"),
    ],
)  # fmt: skip
def test_settings_say_what_is_wrong(given_aspects: list[dict[str, object]], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AspectsConfig.model_validate({"given": given_aspects})
