"""Normalisation of text as Column expressions, and the content key. `docs/documents.md` states the rules."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import pandas_udf

from udfs.personal_data.series import without_personal_data

# Removed: control characters that are not white space, soft hyphen, zero-width space, word joiner, byte order mark and the
# bidirectional controls. Kept: zero-width joiner and non-joiner, which emoji, Persian and Indic scripts need.
_REMOVED = r"[\x00-\x08\x0E-\x1F\x7F\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]"
_SPACES = r"[\s\p{Z}\u0085]+"


_SOMETHING = f"[^{_REMOVED[1:-1]}{_SPACES[1:-2]}]"


def normalised(text: Column) -> Column:
    """Drop invisible characters, fold runs of white space to one space, strip. Null in, null out."""
    return F.trim(F.regexp_replace(F.regexp_replace(text, _REMOVED, ""), _SPACES, " "))


def is_blank(text: Column) -> Column:
    """Return whether nothing is left of a text after normalisation; its first character that stays decides. Null in, null out."""
    return ~F.rlike(text, F.lit(_SOMETHING))


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


def masked(text: Column) -> Column:
    """Replace personal data by its category (`[EMAIL]`, `[PHONE]`, `[NUMBER]`); see `udfs.personal_data`. Null in, null out.

    Meant for few rows, the quotes of a table: they go to a Python worker.
    """
    shown: Column = pandas_udf(without_personal_data, T.StringType())(text)  # type: ignore[call-overload]
    return shown
