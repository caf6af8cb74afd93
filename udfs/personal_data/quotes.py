"""Quotes of a text that show no personal data."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from udfs.personal_data.spans import personal_data
from udfs.quiet import without_texts

_QUOTE_CHARS = 200
_BEFORE = 60
_WHOLE_WORD = 20
"""A cut moves at most this many characters to reach a space."""


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
    pieces, place = [], start
    for span in spans:
        if start <= span.start and span.end <= end:
            pieces += [text[place : span.start], span.mask]
            place = span.end
    return "".join([*pieces, text[place:end]]), start, end


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

    return without_texts(quoted)
