"""Normalisation of text as Column expressions, and the content key. `docs/documents.md` states the rules."""

from pyspark.sql import Column
from pyspark.sql import functions as F

# Removed: control characters that are not white space, soft hyphen, zero-width space, word joiner, byte order mark and the
# bidirectional controls. Kept: zero-width joiner and non-joiner, which emoji, Persian and Indic scripts need.
_REMOVED = r"[\x00-\x08\x0E-\x1F\x7F\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]"
_SPACES = r"[\s\p{Z}\u0085]+"


def normalised(text: Column) -> Column:
    """Drop invisible characters, fold runs of white space to one space, strip. Null in, null out."""
    return F.trim(F.regexp_replace(F.regexp_replace(text, _REMOVED, ""), _SPACES, " "))


def content_key(normalised_text: Column) -> Column:
    """Return sha256 (64 hex digits) of the UTF-8 bytes of the normalised text. Null in, null out."""
    return F.sha2(normalised_text.cast("binary"), 256)


_TWO_LETTERS = {
    "ara": "ar", "chi": "zh", "cmn": "zh", "deu": "de", "dut": "nl", "eng": "en", "fra": "fr", "fre": "fr", "ger": "de",
    "hin": "hi", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "rus": "ru",
    "spa": "es", "swe": "sv", "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""ISO 639-2 and 639-3 codes of languages that have a two-letter code, as far as we identify them by default."""


def language_hint(declared: Column) -> Column:
    """Return the first subtag of a declared language in lower case (`en-US` and `eng` -> `en`), or '' where there is none."""
    subtag = F.lower(F.regexp_extract(F.trim(declared), r"^([A-Za-z]{2,3})(?:[-_].*)?$", 1))
    short = F.create_map(*[F.lit(code) for pair in _TWO_LETTERS.items() for code in pair])[subtag]
    return F.when(subtag == "und", "").otherwise(F.coalesce(short, subtag, F.lit("")))


_EMAIL = r"(?U)[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_IBAN = r"(?U)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"
_LONG_NUMBER = r"(?U)[+＋]?\d(?:[ ().-]{0,2}\d){6,}"


def masked(text: Column) -> Column:
    """Replace e-mail addresses, IBANs and numbers of seven or more digits (phones, cards) by `[EMAIL]`, `[IBAN]`, `[NUMBER]`."""
    without_email = F.regexp_replace(text, _EMAIL, "[EMAIL]")
    return F.regexp_replace(F.regexp_replace(without_email, _IBAN, "[IBAN]"), _LONG_NUMBER, "[NUMBER]")
