"""Personal data in a text: what is found where, what only looks like it, and that hostile texts cost no more than others."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sample.personal_data import CARDS, IBANS, disclosures
from pipeline.sample.planted import PERSONAL_DATA
from udfs.personal_data.categories import ALL, EMAIL, NIGHT, PERSONAL, URL, UnknownCategoryError, named
from udfs.personal_data.spans import masked, personal_data


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Write to joe.doe+x@mail.example.com.", "Write to [EMAIL]."),
        ("<x@y.org>,ann@y.org;bob@z.net", "<[EMAIL]>,[EMAIL];[EMAIL]"),
        ("我的邮箱是wangmin@example.com，请回复", "我的邮箱是[EMAIL]，请回复"),
        ("josé.núñez@ejemplo.es!", "[EMAIL]!"),
        ("@helpdesk user@host a@b.c1", "@helpdesk user@host a@b.c1"),
        ("see (http://a.example/b?x=1). Or www.test.org, or foo.com/bar!", "see ([URL]). Or [URL], or [URL]!"),
        ("看https://t.cn/abc这里", "看[URL]这里"),
        ("end.It was 3.com-like and e.g. this", "end.It was 3.com-like and e.g. this"),
        ("from 10.0.1.2 or fe80::1ff:fe23:4567:890a", "from [IP] or [IP]"),
        ("version 10.0.1.2, 256.1.1.1, 12:30:45, 1.2.3.4.5", "version 10.0.1.2, 256.1.1.1, 12:30:45, 1.2.3.4.5"),
        ("card 3782 822463 10005 ok", "card [CARD] ok"),
        ("card 4242424242424242 ok", "card [CARD] ok"),
        ("pay to de89370400440532013000.", "pay to [IBAN]."),
        ("退款请打到 GB29 NWBK 6016 1331 9268 19 。", "退款请打到 [IBAN] 。"),
        ("身份证号11010519491231002X。", "身份证号[NATIONAL_ID]。"),
        ("mi DNI es 12345678Z y mi NIE X1234567L", "mi DNI es [NATIONAL_ID] y mi NIE [NATIONAL_ID]"),
        ("SSN 123-45-6789, CPF 111.444.777-35", "SSN [NATIONAL_ID], CPF [NATIONAL_ID]"),
        ("my pesel is 44051401359 now", "my pesel is [NATIONAL_ID] now"),
        ("电话１３８００１３８０００谢谢", "电话[PHONE]谢谢"),
        ("call (020) 7946-0018 now", "call [PHONE] now"),
        ("Mi teléfono es el +34 790 000 123.", "Mi teléfono es el [PHONE]."),
        ("+46 (0)8 928 571 38 or 212.555.0123 x45", "[PHONE] or [PHONE]"),
        ("ring 71-33-52-22, 555-010-0999 or 06 12 34 56 78", "ring [PHONE], [PHONE] or [PHONE]"),
        ("781 1704 office, then 4155550132", "[PHONE] office, then 4155550132"),
        ("call 4155550132", "call [PHONE]"),
        ("call +1 555-0100-23", "call [PHONE]"),
    ],
)
def test_what_is_found(text: str, clean: str) -> None:
    assert masked(text, PERSONAL) == clean


@pytest.mark.parametrize(
    "text",
    [
        "order number 415-555-0132",
        "my driver's license number is 425700624",
        "on 2026-11-28 10:20:30, 12/1/1981 and 02.27.96",
        "2010-2015, pages 1245-1246",
        "12 345 678 users paid $12 345 678",
        "PO box 94103-1234, 224 4966 Bond Street",
        "150 160 170 180",
        "€18.50 4 times in version 7.1.6 5 stars",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert masked(text, PERSONAL) == text


@pytest.mark.parametrize("card", CARDS)
def test_a_card_with_a_wrong_check_digit_is_none(card: str) -> None:
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert masked(f"card {card} ok", PERSONAL) == "card [CARD] ok"
    assert masked(f"card {wrong} ok", PERSONAL) == f"card {wrong} ok"
    assert masked(f"card {wrong} ok", NIGHT) == "card [NUMBER] ok"


@pytest.mark.parametrize("iban", IBANS)
def test_an_iban_with_wrong_check_digits_is_none(iban: str) -> None:
    wrong = iban[:2] + f"{(int(iban[2:4]) + 1) % 97:02}" + iban[4:]
    assert masked(f"to {iban} please", PERSONAL) == "to [IBAN] please"
    assert not [s for s in personal_data(f"to {wrong} please", PERSONAL) if s.category == "iban"]
    left = masked(f"to {wrong} please", NIGHT)
    assert sum(c.isdigit() for c in left) <= 9


def test_a_wrong_national_id_is_none() -> None:
    assert (
        masked("身份证号110105194912310021。mi DNI es 12345678A", PERSONAL)
        == "身份证号110105194912310021。mi DNI es 12345678A"
    )


def test_the_night_keeps_links_and_masks_every_long_number() -> None:
    text = "http://a.example/x?m=a@b.co order 1234567"
    assert masked(text) == "http://a.example/x?m=[EMAIL] order [NUMBER]"
    assert masked(text, PERSONAL) == "[URL] order 1234567"


def test_names_of_categories() -> None:
    assert named(["E-Mail", " phone number ", "credit_card", "URL"]) == {"email", "phone", "card", "url"}
    with pytest.raises(UnknownCategoryError, match="'person' is not detected"):
        named(["person"])


PIECES = st.sampled_from(
    "a@b.co|http://x.org/y|10.0.0.1|4242 4242 4242 4242|+1 212 555 0123|😀|👩‍👩‍👧|客服|e\u0301| |\n|，|word|\ud800|7".split(
        "|"
    )
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(alphabet="0123456789@.-/:+() aZxv客😀", max_size=60))
@settings(max_examples=300, deadline=None)
def test_spans_are_in_order_apart_and_count_code_points(text: str) -> None:
    spans = personal_data(text, ALL)
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    rest, place = [], 0
    for span in spans:
        rest += [text[place : span.start], span.mask]
        place = span.end
    assert "".join([*rest, text[place:]]) == masked(text, ALL)
    assert all("@" in text[s.start : s.end] for s in spans if s.category == EMAIL)


SENTENCES = [(d.kind, d.sentence) for d in disclosures(PERSONAL_DATA, random.Random(7))]


@pytest.mark.parametrize(("kind", "sentence"), SENTENCES)
def test_what_the_sample_corpus_gives_away_is_found_and_nothing_else(kind: str, sentence: str) -> None:
    assert [span.category for span in personal_data(sentence, ALL)] == [kind]


@given(st.lists(st.sampled_from(["😀", "客服", "é", "𝒳", "，"]), max_size=6).map("".join))
def test_offsets_hold_after_any_script(before: str) -> None:
    text = f"{before} a@b.co {before}"
    (span,) = personal_data(text, frozenset((EMAIL,)))
    assert text[span.start : span.end] == "a@b.co"
    assert span.start == len(before) + 1


HOSTILE = (
    "a", "a.", "@", "a@", "a@b.", "1", "1 ", "12 34 ", "1.", "-1", "1:", "a:", "::", "(1) ", "http://", "www.a", "www.)", ")",
    "+1", "4111 ", "GB29 ", "AB12", "1-", "1/1/", "cpf 1", "id 1 ", "a.com", "a-", "phone 123 ", "http://a.b/(((", "784 ",
    "ssn number is ",
)  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (100_000 // len(unit))  # what grows with the square of the length takes hours here
    assert all(span.category in ALL for span in personal_data(text, ALL))


def test_a_long_text_is_read_to_its_end() -> None:
    text = "The parcel never came. " * 45_000 + "a@b.co"
    assert len(text) > 1_000_000
    assert [text[s.start : s.end] for s in personal_data(text, PERSONAL)] == ["a@b.co"]
    assert URL in PERSONAL
