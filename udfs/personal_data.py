"""Personal data in a text: where it is. The patterns are those of `pipeline.text.masked`, for code that needs positions."""

import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

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

    Positions count characters of `text` as it is, before masking. Where a phrase does not occur as it is (*router's firmware*),
    its first word is looked for; without a needle the quote is the beginning. It never begins or ends within personal data.
    """
    at, needle = _place(text.lower(), needle)
    start = max(0, at - _BEFORE)
    end = min(len(text), max(start + _QUOTE_CHARS, at + len(needle)))
    if start:
        space = text.find(" ", start, start + _WHOLE_WORD)
        start = space + 1 if 0 <= space < at else start
    spans = personal_data(text)
    for low, high, _ in spans:
        start = high if low < start < high else start
        end = high if low < end < high else end
    return _masked(text, spans, start, end), start, end


def masked_quote(sentence: str) -> str:
    """Return a sentence with personal data masked."""
    return _masked(sentence, personal_data(sentence), 0, len(sentence))


def _masked(text: str, spans: Sequence[Span], start: int, end: int) -> str:
    """Return text[start:end] with the spans that lie within it masked."""
    pieces, place = [], start
    for low, high, mask in spans:
        if start <= low and high <= end:
            pieces += [text[place:low], mask]
            place = high
    return "".join([*pieces, text[place:end]])


def _place(low: str, needle: str | None) -> tuple[int, str]:
    """Return where the needle is and as what: itself, without spaces (Chinese), or its first word; -1 and '' if nowhere."""
    words = (needle or "").lower().split()
    for form in (" ".join(words), "".join(words), *words[:1]):
        at = low.find(form) if form else -1
        if at >= 0:
            return at, form
    return -1, ""


def make_quotes() -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: `text`, `needle` and others in; the others, quote, start and end out."""

    def quoted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            pairs = zip(batch.column("text").to_pylist(), batch.column("needle").to_pylist(), strict=True)
            found = [quote(text or "", needle) for text, needle in pairs]
            kept = [name for name in batch.schema.names if name not in ("text", "needle")]
            columns = [
                *(batch.column(name) for name in kept),
                pa.array([shown for shown, _, _ in found], pa.string()),
                pa.array([start for _, start, _ in found], pa.int32()),
                pa.array([end for _, _, end in found], pa.int32()),
            ]
            yield pa.RecordBatch.from_arrays(columns, names=[*kept, "quote", "start", "end"])

    return quoted
