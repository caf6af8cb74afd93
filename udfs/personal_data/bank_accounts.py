"""Payment cards (ISO/IEC 7812: issuer prefix, length, Luhn) and IBANs (ISO 13616: length of the country, ISO 7064 mod 97-10)."""

import re
from collections.abc import Iterator, Sequence

from udfs.personal_data.categories import IBAN, Span

_LENGTHS = {
    code: int(length)
    for length, codes in {
        "15": "NO", "16": "BE", "18": "DK FI FO GL NL SD FK", "19": "MK SI", "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM TL SO",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "AO CV GW LY MZ PT ST", "26": "DZ IR IS TR",
        "27": "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
        "28": "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG",
        "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC", "32": "LC", "33": "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip
"""Characters of an IBAN by country: SWIFT's IBAN registry, and countries that use the form without being in it."""
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9])", re.ASCII)
_SEPARATORS = " \u00a0-"


def ibans(text: str) -> Iterator[Span]:
    """Find IBANs in print form (groups) or without spaces, in either case, whose check digits are right."""
    for match in _IBAN_START.finditer(text):
        length = _LENGTHS.get(match.group()[:2].upper())
        end = _end_of(text, match.start(), length) if length else None
        if end and mod97_is_one(text[match.start() : end]):
            yield Span(match.start(), end, IBAN)


def _end_of(text: str, start: int, length: int) -> int | None:
    """Return where `length` letters and digits end, single separators not counted; None if they do not, or more follow."""
    n, at = 0, start
    while at < len(text) and n < length:
        char = text[at]
        if char.isascii() and char.isalnum():
            n += 1
        elif char not in _SEPARATORS or text[at - 1] in _SEPARATORS:
            return None
        at += 1
    follows = at < len(text) and text[at].isascii() and text[at].isalnum()
    return at if n == length and not follows else None


def mod97_is_one(iban: str) -> bool:
    """Return whether the check digits of an IBAN are right (ISO 7064, mod 97-10)."""
    characters = [c for c in iban.upper() if c not in _SEPARATORS]
    return int("".join(str(int(c, 36)) for c in characters[4:] + characters[:4])) % 97 == 1


def luhn_is_zero(digits: str) -> bool:
    """Return whether the last digit is the right check digit (ISO/IEC 7812-1, annex B)."""
    values = [int(c) for c in reversed(digits)]
    return (sum(values[::2]) + sum(sum(divmod(2 * value, 10)) for value in values[1::2])) % 10 == 0


_ISSUERS = (
    ((13, 16, 19), re.compile(r"4")),
    ((16,), re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|220[0-4]")),  # Mastercard, Mir
    ((15,), re.compile(r"3[47]|1800|2131")),  # American Express, older JCB
    ((14, 15, 16, 17, 18, 19), re.compile(r"30[0-59]|36|3[89]")),  # Diners Club
    ((16, 17, 18, 19), re.compile(r"35|6011|64[4-9]|65|62|81|60|508")),  # JCB, Discover, UnionPay, RuPay
    ((12, 13, 14, 15, 16, 17, 18, 19), re.compile(r"50|5[6-8]|6[0-9]")),  # Maestro
)


def is_card(groups: Sequence[str]) -> bool:
    """Return whether groups of digits are a card number: printed in fours or 4-6-5, of an issuer's length, Luhn right."""
    sizes = [len(group) for group in groups]
    digits = "".join(groups)
    in_fours = all(size == 4 for size in sizes[:-1]) and 1 <= sizes[-1] <= 5
    if not (12 <= len(digits) <= 19) or not (len(sizes) == 1 or in_fours or (sizes[:2] == [4, 6] and len(sizes) == 3)):
        return False
    plain = "".join(str(int(c)) for c in digits)
    known = any(len(plain) in lengths and prefix.match(plain) for lengths, prefix in _ISSUERS)
    return known and luhn_is_zero(plain)
