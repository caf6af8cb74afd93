"""Where aspects are named in a text.

A term is found as a word or words of its own, whatever its case: *app* is not in *happy*. A given term in Latin letters is also
found in its regular plural (*app*: *apps*, *battery*: *batteries*); a mined one as it was mined. Chinese is segmented by rjieba,
and a term begins and ends where words do: 服务 is not in 服务器. Japanese has no segmenter here and is matched by characters; a
Korean word may carry one particle.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from udfs.personal_data.spans import personal_data
from udfs.phrases import HAN, KATAKANA, MARK, PARTICLE
from udfs.stop_words import stop_words

Span = tuple[int, int]
GIVEN, MINED, HEAD = "given", "mined", "head"
"""Where an aspect comes from; heads are the last words of mined phrases and are looked for to see whether they are nouns."""
MINED_LANGUAGES = ("en", "es", "zh")
"""Languages for which `is_noun` can be told."""

_KANA = f"\u3041-\u309f{KATAKANA}"
_WORD = rf"[^\W{HAN}{_KANA}]|[{MARK}]"
_RUN = re.compile(rf"[{HAN}]+|[{_KANA}]+|(?:{_WORD})+")
_IS_HAN, _IS_KANA, _IS_HANGUL = re.compile(f"[{HAN}]"), re.compile(f"[{_KANA}]"), re.compile("[\uac00-\ud7a3]")
_PLURAL = re.compile(r"[a-zà-öø-ÿ]{2,}", re.IGNORECASE)
BEFORE_NOUN = {
    "en": frozenset(
        "the a an my your our their his her its this that these those no any every each some of with for from by in on about "
        "at without".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas mi mis tu tus su sus este esta estos estas ese esa esos esas del al de con sin por "
        "para en".split()
    ),
}

_STOP_NOUNS = frozenset(
    "day days time times thing things way kind lot lots one ones year years week weeks month months hour hours minute "
    "minutes".split()
)
"""English stop words that are nouns: what stands before them does not stand as one (*a big thing*)."""


@dataclass(frozen=True)
class Aspect:
    """An aspect to look for: its name, `given`, `mined` or `head`, its terms, and its place in the list it comes from."""

    name: str
    source: str
    terms: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class Mention:
    """An aspect in a text, positions in code points; `is_noun`: it stands as a noun does."""

    aspect: Aspect
    start: int
    end: int
    is_noun: bool


class Matcher:
    """Finds some aspects in texts of one language."""

    def __init__(self, aspects: Sequence[Aspect], lang: str) -> None:
        self._lang = lang
        self._index: dict[str, list[tuple[re.Pattern[str], bool, Aspect]]] = {}
        for aspect in aspects:
            for term in aspect.terms:
                for key, pattern, ends_word in _compiled(term, aspect.source == GIVEN):
                    self._index.setdefault(key, []).append((pattern, ends_word, aspect))

    def find(self, text: str) -> list[Mention]:
        """Return the mentions in the order of their beginnings; none within personal data."""
        private = personal_data(text)
        tokens = _tokens(text, self._lang)
        ends = {end for _, end in tokens}
        found = []
        for i, (start, end) in enumerate(tokens):
            for pattern, ends_word, aspect in self._index.get(_key(text[start:end]), ()):
                match = pattern.match(text, start)
                if match is None or (ends_word and match.end() not in ends):
                    continue
                if not any(low < match.end() and start < high for low, high, _ in private):
                    noun = aspect.source == GIVEN or self._is_noun(text, tokens, i, match.end())
                    found.append(Mention(aspect, start, match.end(), noun))
        return found

    def _is_noun(self, text: str, tokens: Sequence[Span], i: int, end: int) -> bool:
        """Return whether a mention stands as a noun does: behind an article or the like, and no content word after it.

        In Chinese the segmenter's tags say so; names of people and places are none.
        """
        if self._lang == "zh":
            return _is_chinese_noun(text[tokens[i][0] : end])
        if i == 0 or text[tokens[i - 1][1] : tokens[i][0]].strip():
            return False
        if text[slice(*tokens[i - 1])].casefold() not in BEFORE_NOUN.get(self._lang, frozenset()):
            return False
        after = next((token for token in tokens[i + 1 :] if token[0] >= end), None)
        if after is None or text[end : after[0]].strip():
            return True
        rules, then = stop_words(self._lang), text[slice(*after)].casefold()
        return then in rules.stops | rules.links | rules.negations and then not in _STOP_NOUNS


@lru_cache(maxsize=10_000)
def _is_chinese_noun(phrase: str) -> bool:
    import rjieba

    tags = [tag for word, tag in rjieba.tag(phrase) if word.strip()]
    return bool(tags) and all(tag in ("n", "nz", "nt", "vn", "eng") for tag in tags)


def _key(word: str) -> str:
    """Return what terms that begin with this word are listed under."""
    first = word[0]
    return first if _IS_HAN.match(first) or _IS_KANA.match(first) or _IS_HANGUL.match(first) else word.casefold()


def _tokens(text: str, lang: str) -> list[Span]:
    """Return the words of a text; of Japanese, every character."""
    japanese = lang == "ja" or (lang != "zh" and _IS_KANA.search(text) is not None)
    found: list[Span] = []
    for match in _RUN.finditer(text):
        start, end = match.span()
        if _IS_KANA.match(text[start]) or (japanese and _IS_HAN.match(text[start])):
            found += [(i, i + 1) for i in range(start, end)]
        elif _IS_HAN.match(text[start]):
            found += _segments(match[0], start)
        else:
            found.append((start, end))
    return found


def _segments(run: str, start: int) -> list[Span]:
    import rjieba

    found = []
    for word in rjieba.cut(run):
        found.append((start, start + len(word)))
        start += len(word)
    return found


def _compiled(term: str, has_plural: bool) -> list[tuple[str, re.Pattern[str], bool]]:
    """Return key, pattern, and whether a match must end where a word ends; nothing for a term without a word."""
    first = _RUN.search(term)
    if first is None:
        return []
    words = term[first.start() :].split()
    written = [re.sub("['’]", "['’]", re.escape(word)) for word in words]
    keys = [first[0]]
    if has_plural and _PLURAL.fullmatch(words[-1]):
        written[-1] = _with_plural(words[-1])
        keys += [] if len(words) > 1 else [f"{words[0]}s", f"{words[0]}es", f"{words[0][:-1]}ies"]
    pattern = written[0]
    for (before, word), then in zip(pairwise(words), written[1:], strict=True):
        is_tight = _is_cjk(before[-1]) and _is_cjk(word[0])
        pattern += (r"\s*" if is_tight else r"(?:['’]\w{1,2})?\s+") + then
    last = words[-1][-1]
    if _IS_HANGUL.match(last):
        pattern += f"{PARTICLE}?"
    if _RUN.match(last) and not _is_cjk(last):
        pattern += rf"(?!{_WORD})"
    whole = re.compile(pattern, re.IGNORECASE)
    return [(key, whole, _is_cjk(last)) for key in dict.fromkeys(map(_key, keys))]


def _with_plural(word: str) -> str:
    """Return the pattern of a word and its regular plural in -s, -es or, after a consonant and y, -ies."""
    return f"{word[:-1]}(?:y|ies)" if re.search(r"[^aeiou]y\Z", word, re.IGNORECASE) else f"{word}(?:e?s)?"


def _is_cjk(character: str) -> bool:
    return bool(_IS_HAN.match(character) or _IS_KANA.match(character))
