"""Mentions of aspects: which sentences of a text name them. How a term is found: `udfs.aspect_terms`."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from udfs.aspect_terms import BEFORE_NOUN, GIVEN, HEAD, MINED, Aspect, Matcher
from udfs.personal_data.spans import masked
from udfs.quiet import without_texts
from udfs.sentences import Span, sentences
from udfs.stop_words import generic_words

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
"""The language of terms that hold in all texts."""


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

    return without_texts(mention)


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
    heads = dict.fromkeys(p.rpartition(" ")[2] for _, p in free if " " in p and lang in BEFORE_NOUN)
    mined = [Aspect(phrase, MINED, (phrase,), place) for place, phrase in free]
    return [*given, *mined, *(Aspect(word, HEAD, (word,), place) for place, word in enumerate(heads))]
