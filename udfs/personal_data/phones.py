"""Phone numbers: international ones by `phonenumbers` (Apache-2.0), national ones by their grouping or by the words around.

Which country a text is from is not known, so a national number cannot be checked against a numbering plan; only the mobile
numbers of China, eleven digits from 13 to 19, are told by themselves.
"""

import re
from dataclasses import dataclass
from functools import cached_property

_BEFORE_CHARS, _AFTER_CHARS = 40, 14
MOST_SINGLE = 3
"""Groups of one digit in a phone number: `1 (800) …`, `(0)`."""
_OPENING, _CLOSING, _PLUS = "(（", ")）", "+＋"
_EXTENSION = re.compile(
    r"(?:,? ?(?:extension|extn?\.?|durchwahl|poste|anexo|分机)[ .:]{0,2}| ?x ?|#)\d{1,6}(?!\w)", re.IGNORECASE
)
_GOES_ON = re.compile(r"[-.‐‑/]\d")
_PHONE_BEFORE = re.compile(
    r"(?:\b(?:phones?|tele(?:phone|fone|fono|fon|foon)|tel|telf|tél(?:éphone)?|teléfono|telefono|mobil\w{0,2}|móvil|movil|cel(?:l|ular)?|"
    r"celulares?|cellphone|hand(?:y|phone)|fax|whats ?app|wechat|sms|hotline|call(?:ed|ing)?|dial(?:ed|ing)?|ring|text(?:ed)?|"
    r"reach(?:ed)?|contact|answer(?:ing|s)?|desk|office|landline|registered|numbers?|llam\w{1,4}|ligue|appel\w{1,3}|rufen|anrufen|chiam\w{1,4}|"
    r"телефон|тел|звон\w{1,5}|hubungi|telepon|hp)\b|电话|手机|座机|传真|热线|致电|拨打|联系|微信|号码|電話|手機|携帯|전화|핸드폰|연락처|फ़ोन|هاتف|جوال)"
    r"(?:\W{1,3}(?:is|are|was|at|on|to|me|us|him|her|them|you|my|our|the|this|that|number|no|nr|num|via|by|or|and|es|el|al|la|las|los|a|"
    r"número|numero|de|do|da|é|ist|unter|le|au|est|il|è|не|по|на|di|ke))*(?:是|为|為|号码?|號碼?|の?番号は?|[:：])?[^\w\n\[]{0,6}\Z",
    re.IGNORECASE,
)
_PHONE_AFTER = re.compile(
    r"[ \-–(,:/]{0,3}(?:office|mobile|cell|fax|home|work|phone|tel|desk|móvil|fijo)\b", re.IGNORECASE
)
_OTHER_BEFORE = re.compile(
    r"(?:licen[cs]e|passport|account|acct|a/c|order|invoice|receipt|tracking|parcel|ticket|case|ref(?:erence)?|policy|serial|model|"
    r"isbn|issn|sku|asin|ean|upc|imei|vin|zip|postal|postcode|version|bid|patent|registration|member(?:ship)?|customer|booking|"
    r"confirmation|transaction|tag|bag|claim|file|flight|card|iban|swift|routing|"
    r"social security|ssn|tax|identity|id|pin|code|serie|pedido|factura|cuenta|"
    r"référence|commande|bestell\w*|rechnung\w*|konto\w*|订单号?|单号|账号|账户|卡号|编号|代码|邮编|身份证号?|发票号?)"
    r"\W{0,3}(?:(?:numbers?|no|nr|num|code|号码?|is|es|was|number is|no is)\W{0,3}){0,3}\Z",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹₽₩#]|\b(?:usd|eur|gbp|rmb|cny|rs\.?|inr|jpy))\s?\Z", re.IGNORECASE)
_UNIT_AFTER = re.compile(
    r"\s?(?:[$€£¥₹₽₩%°]|(?:usd|eur|euros?|gbp|dollars?|pesos?|rmb|yuan|km|kg|people|users|views|tokens?|bytes?|元|万|亿|人|个|次|公里)"
    r"(?![a-z]))",
    re.IGNORECASE,
)
_CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")


@dataclass(frozen=True)
class Digits:
    """Groups of digits in a text, as `places` (start and end of each), read together as one number."""

    text: str
    places: tuple[tuple[int, int], ...]

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups; digits of other scripts and full-width ones as ASCII."""
        return tuple("".join(str(int(c)) for c in self.text[start:end]) for start, end in self.places)

    @cached_property
    def start(self) -> int:
        """Where the number begins: at its plus sign or opening bracket, if it has one."""
        start = self.places[0][0]
        if start and self.text[start - 1] in _OPENING and any(c in _CLOSING for c in self.text[start : self.end]):
            start -= 1
        return start - 1 if start and self.text[start - 1] in _PLUS else start

    @property
    def end(self) -> int:
        """Where the last group ends."""
        return self.places[-1][1]

    @cached_property
    def between(self) -> tuple[str, ...]:
        """What stands between the groups."""
        return tuple(self.text[a:b] for (_, a), (b, _) in zip(self.places, self.places[1:], strict=False))

    @cached_property
    def stands_alone(self) -> bool:
        """Whether no Latin letter or digit touches it, so that it is no part of a code."""
        before = self.text[self.start - 1 : self.start]
        after = self.text[self.end : self.end + 1]
        is_code = any(c == "_" or c.isdigit() or (c.isascii() and c.isalpha()) for c in before)
        touches = after == "_" or after.isdigit() or (after.isascii() and after.isalpha())
        return not is_code and not (touches and not _EXTENSION.match(self.text, self.end))


def extension_end(text: str, end: int) -> int:
    """Return where the extension after a number ends (`x4587`, `ext. 12`); `end` where it has none."""
    match = _EXTENSION.match(text, end)
    return match.end() if match else end


class Context:
    """What the words before a number say; read once for all readings that begin at the same place."""

    def __init__(self, text: str, start: int) -> None:
        self._before = text[max(0, start - _BEFORE_CHARS) : start]

    @cached_property
    def says_phone(self) -> bool:
        """Whether a word before says that a phone number follows."""
        return _PHONE_BEFORE.search(self._before) is not None

    @cached_property
    def says_other(self) -> bool:
        """Whether a word or sign before says that something else follows: an order's number, an amount."""
        return _OTHER_BEFORE.search(self._before) is not None or _MONEY_BEFORE.search(self._before) is not None


def is_phone(digits: Digits, context: Context, *, named: bool) -> bool:
    """Return whether a number is a phone's.

    Args:
        named: False accepts what shows by itself: a country code, or groups as phones have them; True what a word says, such as
            `call` or `office`.
    """
    joined = "".join(digits.groups)
    if not 6 <= len(joined) <= 15 or not digits.stands_alone or _GOES_ON.match(digits.text, digits.end):
        return False
    if digits.text[digits.start] in _PLUS:
        return context.says_phone if named else _is_international(joined)
    if not (_may_be_named(digits, joined) if named else _shows(digits, joined)):
        return False
    after = digits.text[digits.end : digits.end + _AFTER_CHARS]
    if named and not (context.says_phone or _PHONE_AFTER.match(after)):
        return False
    return not context.says_other and not _UNIT_AFTER.match(after)


def _may_be_named(digits: Digits, joined: str) -> bool:
    """Return whether a number is a phone's if a word says so: not years, and not cut into single digits."""
    groups = digits.groups
    if len(joined) < 7 and len(groups) == 1:
        return False
    return not _is_years(groups) and sum(len(group) == 1 for group in groups) <= MOST_SINGLE


def _shows(digits: Digits, joined: str) -> bool:
    if len(digits.groups) == 1:
        return _is_chinese_mobile(joined)
    return len(joined) >= 7 and _has_form(digits, joined)


def _is_international(joined: str) -> bool:
    """Return whether a number after a plus has a country's code and as many digits as are possible there."""
    import phonenumbers

    # people write the trunk zero too: +46 (0)8 928 571 38
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse("+" + joined, None)))
    except phonenumbers.NumberParseException:
        return False


def _is_chinese_mobile(joined: str) -> bool:
    import phonenumbers

    if not _CHINESE_MOBILE.fullmatch(joined):
        return False
    return bool(phonenumbers.is_possible_number(phonenumbers.parse(joined, "CN")))


def _is_years(groups: tuple[str, ...]) -> bool:
    return all(len(group) == 4 and group[:2] in ("19", "20") for group in groups)


def _is_range(groups: tuple[str, ...]) -> bool:
    """Return whether two groups are from and to, as in `pages 1245-1246`."""
    sizes = [len(group) for group in groups]
    return sizes == [4, 4] and 0 < int(groups[1]) - int(groups[0]) < 1_000


_LISTED = {
    (3, 4), (3, 3, 4), (1, 3, 3, 4), (2, 4, 4), (3, 4, 4), (4, 4), (4, 3, 4), (4, 3, 3), (5, 3, 3), (2, 2, 2, 2), (2, 2, 2, 2, 2),
    (4, 2, 2, 2), (3, 2, 2, 2), (3, 3, 2, 2), (4, 3, 2, 2), (2, 3, 2, 2), (3, 2, 3), (5, 2, 2, 2), (2, 3, 3, 4), (2, 3, 4),
    (2, 4, 3), (3, 3, 3), (1, 2, 2, 2, 2), (1, 4, 4),
}  # fmt: skip
"""Sizes of the groups of national numbers as they are printed."""
_WITH_ZERO = {(2, 6), (2, 7), (2, 8), (3, 6), (3, 7), (3, 8), (4, 5), (4, 6), (4, 7), (5, 6), (5, 4), (5, 5), (3, 5)}
"""Sizes of groups that are a phone's where the first begins with 0, the trunk prefix of most countries."""


def _has_form(digits: Digits, joined: str) -> bool:
    """Return whether the groups are as phones are written, and neither an amount nor years."""
    groups, between = digits.groups, digits.between
    sizes = tuple(len(group) for group in groups)
    if joined.startswith("00") and len(joined) >= 10:
        return True
    if digits.text[digits.start] in _OPENING:
        return len(sizes) >= 2 and 1 <= sizes[0] <= 5 and max(sizes[1:]) <= 8
    if _is_years(groups) or _is_range(groups) or (any("." in each for each in between) and len(set(between)) > 1):
        return False
    in_thousands = sizes[0] <= 3 and set(sizes[1:]) == {3} and not joined.startswith("0")
    if in_thousands and (between[0] == "." or sizes[0] < 3):
        return False
    if any("/" in each for each in between):
        return joined.startswith("0") and len(sizes) >= 2
    if joined.startswith("0") and sizes in _WITH_ZERO:
        return True
    if (
        sizes == (3, 3, 3) and set(between) != {"-"} and joined[0] not in "0679"
    ):  # a first digit that mobile numbers have
        return False
    if len(joined) <= 8 and set(between) != {"-"}:  # 224 4966 Bond Street
        return False
    return sizes in _LISTED
