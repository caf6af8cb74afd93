"""The sentences of a text with their places, in scripts with and without spaces. Work grows linearly with the text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_END = re.compile(
    r"(?<![.!?…‽؟।۔])[.!?…‽؟।۔]++[\"'”’»)\]]*+(?=\s)"  # a space follows
    # Chinese and Japanese have none
    r"|(?<![。！？｡!?])[。！？｡!?]++[”’」』）)\"']*+(?=[\u2e80-\u9fff\uac00-\ud7a3\uff00-\uffef\s]|\Z)"
    r"|\n\s{0,20}\n|\r\n\s{0,20}\r\n|\n(?=\s{0,20}(?:[-*•·]|\d{1,3}[.)])\s)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|etc|vs|cf|ca|approx|resp|dr|mr|mrs|ms|prof|st|jr|sr|fig|figs|eq|eqs|sec|no|nos|vol|pp?|ed|eds|inc|"
    r"ltd|corp|co|dept|u\.s|u\.k|sra?|srta|dra|núm|pág|ej|"
    r"p\. ej|z\. ?b|bzw|usw|nr|m|mme|mlle|art|т\. ?е|г|ул|стр)|\b[^\W\d_])\.\Z",
    re.IGNORECASE,
)
_LOOK_BACK = 12


class Sentence(NamedTuple):
    """A sentence at `text[start:end]`, counted in code points, without the white space around it."""

    start: int
    end: int


def sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences in order; a paragraph, a list item and a line of its own end one too."""
    start = 0
    for match in _END.finditer(text):
        if _goes_on(text, match):
            continue
        yield from _stripped(text, start, match.end())
        start = match.end()
    yield from _stripped(text, start, len(text))


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Return whether a full stop belongs to an abbreviation or an initial, or small letters follow."""
    if match.group() != ".":
        return False
    following = text[match.end() : match.end() + 2].strip()
    if following and following[0].islower():
        return True
    return _ABBREVIATION.search(text, max(0, match.start() - _LOOK_BACK), match.end()) is not None


def _stripped(text: str, start: int, end: int) -> Iterator[Sentence]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(c.isalnum() for c in text[start:end]):
        yield Sentence(start, end)
