"""Where the personal data of a text is, and the text without it."""

import re

from udfs.personal_data.addresses import emails, ip_addresses, urls
from udfs.personal_data.bank_accounts import ibans
from udfs.personal_data.categories import NIGHT, URL, Span
from udfs.personal_data.national_ids import national_ids
from udfs.personal_data.numbers import numbers

_TWO_DIGITS = re.compile(r"\d\D{0,2}\d")


def personal_data(text: str, wanted: frozenset[str] = NIGHT) -> list[Span]:
    """Return the personal data of the categories `wanted`, in order and without overlaps; positions are code points.

    Time grows linearly with the text, whatever is in it.
    """
    found: list[Span] = []
    has_numbers = _TWO_DIGITS.search(text) is not None
    if URL in wanted:
        found = _with(found, list(urls(text)))
    if "@" in text:
        found = _with(found, list(emails(text)))
    if has_numbers:  # nearly no text has any
        found = _with(found, list(ip_addresses(text)))
        found = _with(found, list(ibans(text)))
        found = _with(found, list(national_ids(text)))
        found = _with(found, list(numbers(text, found)))
    return [span for span in found if span.category in wanted]


def masked(text: str, wanted: frozenset[str] = NIGHT, mask: str | None = None) -> str:
    """Replace personal data by `mask`, or by its category in brackets: `[EMAIL]`, `[PHONE]`."""
    pieces, place = [], 0
    for span in personal_data(text, wanted):
        pieces += [text[place : span.start], span.mask if mask is None else mask]
        place = span.end
    return "".join([*pieces, text[place:]])


def _with(found: list[Span], more: list[Span]) -> list[Span]:
    """Add spans that overlap none before them: what is found first is surer. Both come back in order."""
    merged: list[Span] = []
    i = 0
    for span in sorted(more):
        while i < len(found) and found[i].start < span.end:
            merged.append(found[i])
            i += 1
        if not merged or merged[-1].end <= span.start:
            merged.append(span)
    return [*merged, *found[i:]]
