"""The sentences of a text, as positions in it.

Boundaries are those of sentencex (Wikimedia, MIT): abbreviations, numbers and quotations by language, the marks of some 300.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from udfs.personal_data.spans import personal_data

Span = tuple[int, int]
"""Start (included) and end (excluded), in code points of the text."""

_HAS_WORD = re.compile(r"[^\W_]")
_SOFT_BREAK = re.compile(r"[,;:，；：、](?:\s|(?<=[，；：、]))|\s[-–—]\s")
_SPACE = re.compile(r"\s")
_PARAGRAPH = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")
_BLOCK = 2_000


def sentences(text: str, lang: str, max_chars: int | None = 400) -> list[Span]:
    """Return the sentences of a text in order, without white space at their ends; each holds a letter or a digit.

    What has neither (emoji, marks) belongs to the sentence before it. A blank line and a list item end a sentence too. No
    boundary lies within personal data, so that masking a sentence masks what masking the text would. A sentence of more than
    `max_chars` characters is cut: at a comma or the like, else at a space, else anywhere; pieces are longer only where personal
    data is. Work grows linearly with the text.

    Args:
        lang: ISO 639-1; a language sentencex does not know, and `und`, has the rules of English.
        max_chars: None cuts no sentence.
    """
    private = [(low, high) for low, high, _ in personal_data(text)]
    found: list[Span] = []
    start = 0
    for end in _ends(text, "en" if lang in ("", "und") else lang):
        if _around(private, end) is not None:
            continue
        if found and not _HAS_WORD.search(text, start, end):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
        start = end
    pieces = found if max_chars is None else [p for span in found for p in _pieces(text, span, max_chars, private)]
    stripped = [_stripped(text, piece) for piece in pieces]
    return [(low, high) for low, high in stripped if _HAS_WORD.search(text, low, high)]


def _ends(text: str, lang: str) -> Iterator[int]:
    """Yield where the sentences of a text end.

    Paragraphs are read one by one, and long ones in blocks: sentencex takes quadratic time over many short sentences.
    """
    from sentencex import get_sentence_boundaries

    for paragraph in _PARAGRAPH.finditer(text):
        start, size = paragraph.start(), _BLOCK
        while start < paragraph.end():
            block = text[start : min(start + size, paragraph.end())]
            ends = [start + boundary["end_index"] for boundary in get_sentence_boundaries(lang, block)]
            is_last = start + size >= paragraph.end()
            if is_last or len(ends) > 1:
                yield from ends if is_last else ends[:-1]  # the last one of a block may go on
                start, size = (paragraph.end() if is_last else ends[-2]), _BLOCK
            else:
                size *= 2


def _around(private: Sequence[Span], place: int) -> Span | None:
    """Return the span, of some in order that do not overlap, that a place is within; None where it is in none."""
    i = bisect_left(private, (place, 0)) - 1
    return private[i] if i >= 0 and place < private[i][1] else None


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
        if span_around := _around(private, cut):
            low, high = span_around
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
