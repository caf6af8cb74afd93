"""Phrases of a text: words, stop words and what must not be in a table."""

import datetime as dt

import pyarrow as pa
import pytest

from udfs.personal_data.quotes import quote
from udfs.phrases import PhraseSpec, make_phrases, phrases
from udfs.stop_words import stop_words

PROJECT_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "ru", "zh")


def found(text: str, lang: str) -> set[str]:
    return set(phrases(text, lang)[0])


@pytest.mark.parametrize(
    ("lang", "text", "wanted", "unwanted"),
    [
        (
            "en",
            "The battery life is bad",
            {"battery", "battery life", "life", "bad"},
            {"the", "the battery", "life is"},
        ),
        ("en", "A waste of money. It doesn’t work", {"waste of money", "doesn't work"}, {"of", "doesn't", "money it"}),
        (
            "zh",
            "路由器固件升级以后断网了，客服不回复",
            {"路由器", "固件 升级", "不 回复", "断网"},
            {"了", "不", "断网 客服"},
        ),
        ("es", "La atención al cliente no funciona", {"atención al cliente", "no funciona"}, {"la", "no"}),
        ("pt", "O serviço de entrega não chega", {"serviço de entrega", "não chega"}, {"o", "não"}),
        ("it", "Il servizio clienti non risponde", {"servizio clienti", "non risponde"}, {"il", "non"}),
        ("fr", "L'appli ne marche pas", {"appli", "marche pas"}, {"l'appli", "ne", "pas"}),
        ("de", "Der Kundendienst antwortet nicht", {"kundendienst", "antwortet nicht"}, {"der", "nicht"}),
        ("ru", "Приложение не работает", {"приложение", "не работает"}, {"не"}),
        ("id", "layanan pelanggan sangat lambat", {"layanan pelanggan", "lambat"}, {"sangat"}),
        ("ar", "خدمة العملاء سيئة", {"خدمة العملاء", "سيئة"}, {"من"}),
        ("hi", "ग्राहक सेवा बहुत खराब है", {"ग्राहक सेवा", "खराब"}, {"बहुत", "है"}),
        ("ja", "ルーターの接続が切れます", {"ルーター", "接続"}, {"の", "が"}),
        ("ko", "라우터가 고장", {"라우터", "라우터 고장"}, {"라우터가"}),
    ],
)
def test_phrases_of_each_language(lang: str, text: str, wanted: set[str], unwanted: set[str]) -> None:
    assert wanted <= found(text, lang)
    assert not unwanted & found(text, lang)


def test_personal_data_links_handles_and_numbers_are_no_phrases_and_separate() -> None:
    text = "refund john.doe@example.com delayed @helpdesk https://t.example/abc order 12345 card 4111 1111 1111 1111 &amp; v7"
    assert found(text, "en") == {"refund", "delayed", "order", "card"}


def test_marks_separate() -> None:
    assert "late refund" not in found("It was late. Refund now", "en")


def test_the_surface_is_kept_and_the_phrase_folded() -> None:
    assert phrases("Heron Router's firmware", "en")[0]["heron router"] == "Heron Router's"
    assert phrases("固件升级", "zh")[0]["固件 升级"] == "固件升级"


def test_negations_are_parts_but_no_phrases() -> None:
    one, parts = phrases("not helpful", "en")
    assert (set(one), parts) == ({"not helpful", "helpful"}, {"not"})


def test_a_long_text_is_read_up_to_a_bound() -> None:
    text = " ".join(f"{a}{b}{c}" for a in "bcdf" for b in "aeiou" for c in "lmnprst")
    assert len(phrases(text, "en", PhraseSpec(max_phrases=50))[0]) == 50
    assert len(found("x" * 5_000, "en")) == 0


@pytest.mark.parametrize("text", ["", " ", "!!!", "12 34", "🙂🙂", "的了", "a" * 41])
def test_texts_without_words_have_none(text: str) -> None:
    assert phrases(text, "zh") == ({}, set())


def test_every_language_of_the_project_has_stop_words() -> None:
    for lang in PROJECT_LANGUAGES:
        assert len(stop_words(lang).stops) > 100, lang
    assert stop_words("und") == stop_words("en")


def test_batches_keep_rows_and_order() -> None:
    batch = pa.RecordBatch.from_pylist(
        [
            {"run_date": dt.date(2026, 10, 5), "content_key": k, "lang": lang, "text": text}
            for k, lang, text in [("a", "en", "late parcel"), ("b", None, None), ("c", "zh", "不回复")]
        ],
        schema=pa.schema([("run_date", pa.date32()), *[(n, pa.string()) for n in ("content_key", "lang", "text")]]),
    )
    (out,) = make_phrases(PhraseSpec())(iter([batch]))
    assert [(r["content_key"], r["phrases"], r["parts"]) for r in out.to_pylist()] == [
        ("a", ["late", "late parcel", "parcel"], []),
        ("b", [], []),
        ("c", ["不 回复", "回复"], ["不"]),
    ]


def test_a_quote_shows_the_phrase_and_hides_personal_data() -> None:
    text = "word " * 40 + "call 555 010 0999 about the Firmware Update now, " + "word " * 40
    shown, start, end = quote(text, "firmware update")
    assert "Firmware Update" in shown
    assert "[PHONE]" in shown
    assert "0999" not in shown
    assert (text[start:end].count("Firmware Update"), len(text[start:end])) == (1, pytest.approx(190, abs=12))
    assert quote("路由器固件升级失败", "固件 升级")[0] == "路由器固件升级失败"
    assert quote("short", None) == ("short", 0, 5)
    assert quote("card 4111 1111 1111 1111 ok", "absent") == ("card [CARD] ok", 0, 27)


@pytest.mark.parametrize("cut", range(120, 260, 7))
def test_a_quote_never_cuts_through_personal_data(cut: int) -> None:
    text = "a " * (cut // 2) + "4111 1111 1111 1111 " + "needle " + "b " * 90
    shown = quote(text, "needle")[0] + quote(text, None)[0]
    assert "1111" not in shown.replace("[CARD]", "")
