"""The sentences of a text, as positions in it.

Boundaries are those of sentencex (Wikimedia, MIT): abbreviations, numbers and quotations by language, the marks of some 300.
"""

import re
from collections.abc import Sequence

from udfs.personal_data.spans import personal_data

Span = tuple[int, int]
"""Start (included) and end (excluded), in code points of the text."""

_HAS_WORD = re.compile(r"[^\W_]")
_SOFT_BREAK = re.compile(r"[,;:，；：、](?:\s|(?<=[，；：、]))|\s[-–—]\s")
_SPACE = re.compile(r"\s")


def sentences(text: str, lang: str, max_chars: int = 400) -> list[Span]:
    """Return the sentences of a normalised text in order, without blanks at their ends; each holds a letter or a digit.

    What has neither (emoji, marks) belongs to the sentence before it. No boundary lies within personal data, so that masking a
    sentence masks what masking the text would. A sentence of more than `max_chars` characters is cut: at a comma or the like,
    else at a space, else anywhere; pieces are longer only where personal data is.

    Args:
        lang: ISO 639-1; a language sentencex does not know, and `und`, has the rules of English.
    """
    if not text:
        return []
    from sentencex import get_sentence_boundaries

    private = [(low, high) for low, high, _ in personal_data(text)]
    ends = [found["end_index"] for found in get_sentence_boundaries("en" if lang in ("", "und") else lang, text)]
    found: list[Span] = []
    start = 0
    for end in ends:
        if any(low < end < high for low, high in private):
            continue
        if found and not _HAS_WORD.search(text, start, end):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
        start = end
    pieces = [piece for span in found for piece in _pieces(text, span, max_chars, private)]
    stripped = [_stripped(text, piece) for piece in pieces]
    return [(low, high) for low, high in stripped if _HAS_WORD.search(text, low, high)]


def _stripped(text: str, span: Span) -> Span:
    low, high = span
    inside = text[low:high]
    return low + len(inside) - len(inside.lstrip()), high - len(inside) + len(inside.rstrip())


def _pieces(text: str, span: Span, limit: int, private: Sequence[Span]) -> list[Span]:
    """Cut a span into pieces of at most `limit` characters."""
    start, end = span
    pieces = []
    while end - start > limit:
        cut = _cut(text, start, start + limit)
        for low, high in private:
            if low < cut < high:
                cut = low if low > start else high
        if cut >= end:
            break
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, end)]


def _cut(text: str, start: int, end: int) -> int:
    """Return where to cut: behind the last soft break of the second half of start:end, else its last space, else at `end`."""
    half = (start + end) // 2
    for pattern in (_SOFT_BREAK, _SPACE):
        places = [match.end() for match in pattern.finditer(text, half, end)]
        if places:
            return places[-1]
    return end
