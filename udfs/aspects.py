"""Mentions of aspects: which sentences of a text name them.

A term is found as a word or words of its own, whatever its case: *app* is not in *happy*. A given term in Latin letters is also
found in its regular plural (*app*: *apps*, *battery*: *batteries*); a mined one as it was mined. Chinese is segmented by rjieba,
and a term begins and ends where words do: 服务 is not in 服务器. Japanese has no segmenter here and is matched by characters; a
Korean word may carry one particle.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pyarrow as pa

from udfs.personal_data.spans import masked, personal_data
from udfs.phrases import HAN, KATAKANA, MARK, PARTICLE
from udfs.sentences import Span, sentences
from udfs.stop_words import generic_words, stop_words

MENTIONS = pa.schema(
    [
        ("run_date", pa.date32()),
        ("doc_id", pa.string()),
        ("lang", pa.string()),
        ("aspect", pa.string()),
        ("aspect_source", pa.string()),
        ("place", pa.int32()),
        ("is_noun", pa.bool_()),
        ("sentence", pa.string()),
        ("quote", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("is_whole", pa.bool_()),
    ]
)
"""One row per text, aspect and sentence that mentions it. `place` is the aspect's in its list; `quote` is the sentence with
personal data masked, null where there is none; `is_whole` says that the sentence is the whole text."""

ANY = "any"
GIVEN, MINED, HEAD = "given", "mined", "head"
"""Where an aspect comes from; heads are the last words of mined phrases and are looked for to see whether they are nouns."""
MINED_LANGUAGES = ("en", "es", "zh")
"""Languages for which `is_noun` can be told."""

_KANA = f"\u3041-\u309f{KATAKANA}"
_WORD = rf"[^\W{HAN}{_KANA}]|[{MARK}]"
_RUN = re.compile(rf"[{HAN}]+|[{_KANA}]+|(?:{_WORD})+")
_IS_HAN, _IS_KANA, _IS_HANGUL = re.compile(f"[{HAN}]"), re.compile(f"[{_KANA}]"), re.compile("[\uac00-\ud7a3]")
_PLURAL = re.compile(r"[a-zà-öø-ÿ]{2,}", re.IGNORECASE)
_BEFORE_NOUN = {
    "en": frozenset(
        "the a an my your our their his her its this that these those no any every each some of with for from by in on about "
        "at without".split()
    ),
    "es": frozenset(
        "el la los las un una unos unas mi mis tu tus su sus este esta estos estas ese esa esos esas del al de con sin por "
        "para en".split()
    ),
}


@dataclass(frozen=True)
class AspectSpec:
    """What is looked for and how far.

    Attributes:
        given: name and terms, a tuple per language, of each aspect; the language `any` holds for all texts.
        mined: by night and language, phrases (words joined by spaces) that may be aspects, best first. Generic words are not
            looked for.
        max_chars: characters of a text that are read.
        max_sentences: sentences kept per text and aspect, the first ones.
        max_sentence_chars: see `udfs.sentences`.
    """

    given: tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...]
    mined: Mapping[tuple[object, str], Sequence[str]]
    max_chars: int = 5_000
    max_sentences: int = 5
    max_sentence_chars: int = 400


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
        if text[slice(*tokens[i - 1])].casefold() not in _BEFORE_NOUN.get(self._lang, frozenset()):
            return False
        after = next((token for token in tokens[i + 1 :] if token[0] >= end), None)
        if after is None or text[end : after[0]].strip():
            return True
        rules = stop_words(self._lang)
        return text[slice(*after)].casefold() in rules.stops | rules.links | rules.negations


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


def mentions(text: str, matcher: Matcher, spec: AspectSpec, lang: str) -> list[tuple[Aspect, Span, bool]]:
    """Return the sentences of a text that mention an aspect: aspect, sentence, whether it stands as a noun in it.

    In the order of the text; each aspect once per sentence, in its first `max_sentences` sentences.
    """
    read = text[: spec.max_chars]
    named = matcher.find(read)
    if not named:
        return []
    spans = sentences(read, lang, spec.max_sentence_chars)
    if len(read) < len(text):
        del spans[-1:]  # cut, perhaps within a number that would be masked
    starts = [start for start, _ in spans]
    found: dict[tuple[str, str, int], tuple[Aspect, Span, bool]] = {}
    counts: dict[tuple[str, str], int] = {}
    for mention in named:
        i = bisect_right(starts, mention.start) - 1
        if i < 0 or mention.end > spans[i][1]:
            continue  # across a cut
        who = (mention.aspect.source, mention.aspect.name)
        before = found.get((*who, i))
        if before is None:
            if counts.get(who, 0) == spec.max_sentences:
                continue
            counts[who] = counts.get(who, 0) + 1
        found[(*who, i)] = (mention.aspect, spans[i], mention.is_noun or (before is not None and before[2]))
    return list(found.values())


def make_mentions(spec: AspectSpec) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: run_date, doc_id, lang, text in; `MENTIONS` out. A null text mentions nothing."""

    def mention(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        matchers: dict[tuple[object, str], Matcher] = {}
        for batch in batches:
            rows: list[dict[str, Any]] = []
            for row in batch.select(["run_date", "doc_id", "lang", "text"]).to_pylist():
                text, key = row.pop("text") or "", (row["run_date"], row["lang"] or "und")
                if key not in matchers:
                    matchers[key] = Matcher(aspects_of(spec, *key), key[1])
                for aspect, (start, end), is_noun in mentions(text, matchers[key], spec, key[1]):
                    sentence = text[start:end]
                    quote = masked(sentence)
                    rows.append(
                        {
                            **row, "aspect": aspect.name, "aspect_source": aspect.source, "place": aspect.place,
                            "is_noun": is_noun, "sentence": sentence, "quote": None if quote == sentence else quote,
                            "start": start, "end": end, "is_whole": (start, end) == (0, len(text)),
                        }
                    )  # fmt: skip
            yield pa.RecordBatch.from_pylist(rows, schema=MENTIONS)

    return mention


def aspects_of(spec: AspectSpec, night: object, lang: str) -> list[Aspect]:
    """Return what to look for in the texts of a night and language: given aspects, mined phrases, and the heads of these.

    A mined phrase that is a given term or a generic word is left out.
    """
    given = []
    for place, (name, by_language) in enumerate(spec.given):
        terms = tuple(dict.fromkeys((*by_language.get(ANY, ()), *by_language.get(lang, ()))))
        if terms:
            given.append(Aspect(name, GIVEN, terms, place))
    taken = {" ".join(term.casefold().split()) for aspect in given for term in aspect.terms}
    taken |= {term.replace(" ", "") for term in taken}
    phrases = spec.mined.get((night, lang), ())
    taken |= generic_words(lang)
    free = [(place, p) for place, p in enumerate(phrases) if p not in taken and p.replace(" ", "") not in taken]
    heads = dict.fromkeys(p.rpartition(" ")[2] for _, p in free if " " in p and lang in _BEFORE_NOUN)
    mined = [Aspect(phrase, MINED, (phrase,), place) for place, phrase in free]
    return [*given, *mined, *(Aspect(word, HEAD, (word,), place) for place, word in enumerate(heads))]
