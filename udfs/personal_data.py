"""Personal data in a text: where it is. The patterns are those of `pipeline.text.masked`, for code that needs positions."""

import re

EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
IBAN = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"
LONG_NUMBER = r"[+＋]?\d(?:[ ().-]{0,2}\d){6,}"
_MASKS = (
    (re.compile(EMAIL), "[EMAIL]"),
    (re.compile(IBAN), "[IBAN]"),
    (re.compile(LONG_NUMBER), "[NUMBER]"),
)
_DIGITS = re.compile(r"\d\D{0,2}\d")
_QUOTE_CHARS = 200
_BEFORE = 60
_WHOLE_WORD = 20
"""A cut moves at most this many characters to reach a space."""

Span = tuple[int, int, str]
"""Start, end and mask."""


def personal_data(text: str) -> list[Span]:
    """Return what a reader must not see, in order: addresses, IBANs, numbers of seven or more digits."""
    found: list[Span] = []
    if "@" not in text and _DIGITS.search(text) is None:  # nearly every text; a pattern has two digits or @
        return found
    for pattern, mask in _MASKS:
        for match in pattern.finditer(text):
            if not any(match.start() < end and start < match.end() for start, end, _ in found):
                found.append((match.start(), match.end(), mask))
    return sorted(found)


def quote(text: str, needle: str | None) -> tuple[str, int, int]:
    """Return about 200 characters around the first occurrence of `needle`, personal data masked, with start and end.

    Positions count characters of `text` as it is, before masking. Without a needle, or where it does not occur (words of a
    phrase may stand on two lines), the quote is the beginning. It never begins or ends within personal data.
    """
    at = text.lower().find(needle.lower()) if needle else -1
    start = max(0, at - _BEFORE)
    end = min(len(text), max(start + _QUOTE_CHARS, at + len(needle or "")))
    if start:
        space = text.find(" ", start, start + _WHOLE_WORD)
        start = space + 1 if 0 <= space < at else start
    spans = personal_data(text)
    for low, high, _ in spans:
        start = high if low < start < high else start
        end = high if low < end < high else end
    pieces, place = [], start
    for low, high, mask in spans:
        if start <= low and high <= end:
            pieces += [text[place:low], mask]
            place = high
    return "".join([*pieces, text[place:end]]), start, end
