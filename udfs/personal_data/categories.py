"""The categories of personal data, and what their names in SQL mean."""

from collections.abc import Iterable
from typing import NamedTuple

EMAIL, PHONE, CARD, IBAN, NATIONAL_ID, IP, URL = "email", "phone", "card", "iban", "national_id", "ip", "url"
NUMBER = "number"
"""Any other number of seven or more digits that is no date: an account, an order, a mistyped card."""

PERSONAL = frozenset((EMAIL, PHONE, CARD, IBAN, NATIONAL_ID, IP, URL))
"""What functions in SQL look for where nobody says otherwise."""
NIGHT = (PERSONAL | {NUMBER}) - {URL}
"""What no published quote shows. Links stay: they say what a text is about."""
ALL = PERSONAL | {NUMBER}

_OTHER_NAMES = {
    "email_address": EMAIL, "e_mail": EMAIL, "phone_number": PHONE, "telephone": PHONE, "credit_card": CARD,
    "credit_card_number": CARD, "card_number": CARD, "iban_code": IBAN, "ssn": NATIONAL_ID, "us_ssn": NATIONAL_ID,
    "id_number": NATIONAL_ID, "ip_address": IP, "domain_name": URL, "link": URL,
}  # fmt: skip


class Span(NamedTuple):
    """Personal data at `text[start:end]`, counted in Unicode code points."""

    start: int
    end: int
    category: str

    @property
    def mask(self) -> str:
        """Return what stands in its place."""
        return f"[{self.category.upper()}]"


class UnknownCategoryError(ValueError):
    """A category that is not looked for; the message names it and those that are."""


def named(labels: Iterable[object]) -> frozenset[str]:
    """Return the categories of `labels`; case, spaces and hyphens do not matter, other systems' names are understood.

    Raises:
        UnknownCategoryError: a label is none, such as `person`: names and addresses are not detected.
    """
    return frozenset(_named(label) for label in labels)


def _named(label: object) -> str:
    name = str(label).strip().lower().replace(" ", "_").replace("-", "_")
    name = _OTHER_NAMES.get(name, name)
    if name not in ALL:
        raise UnknownCategoryError(f"labels: {str(label)[:40]!r} is not detected; known are {', '.join(sorted(ALL))}")
    return name
