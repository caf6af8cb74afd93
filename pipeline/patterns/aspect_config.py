"""Settings of aspects."""

import hashlib
import json
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from pipeline.settings import Fraction, Frozen
from udfs.aspects import ANY
from udfs.language import SUPPORTED_LANGUAGES

_NAME_CHARS, _TERM_CHARS, _MOST_TERMS = 100, 100, 50


def _check_name(value: str) -> str:
    name = " ".join(value.split())
    if not 0 < len(name) <= _NAME_CHARS:
        raise ValueError(f"must have 1 to {_NAME_CHARS} characters")
    return name


def _check_terms(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    unknown = sorted(set(value) - SUPPORTED_LANGUAGES - {ANY})
    if unknown:
        raise ValueError(f"no language {', '.join(unknown)}; write a code of ISO 639-1, or {ANY} for all texts")
    if not any(value.values()):
        raise ValueError(f"must hold at least one term, for example {{{ANY}: [battery]}}")
    for lang, terms in value.items():
        if len(terms) > _MOST_TERMS:
            raise ValueError(f"{lang}: {len(terms)} terms, at most {_MOST_TERMS}")
        bad = [t for t in terms if len(t) > _TERM_CHARS or not any(c.isalnum() for c in t)]
        if bad:
            raise ValueError(f"{lang}: {bad[0]!r} must hold a letter or a digit, and at most {_TERM_CHARS} characters")
    return value


class GivenAspect(Frozen):
    """An aspect to follow: the words that name it, by language; those of `any` count in all texts."""

    name: Annotated[str, AfterValidator(_check_name)]
    terms: Annotated[dict[str, tuple[str, ...]], AfterValidator(_check_terms)]


class AspectsConfig(Frozen):
    """Sentiment towards aspects: those of `given`, and each night and language's `max_mined` best noun keyphrases.

    A keyphrase is a noun where surely at least `min_noun_share` of the texts that hold it use it as one; it needs `min_docs`
    distinct texts with an opinion, see `pipeline.patterns.aspects`. Of a text `max_chars` characters are read; of each aspect
    the first `max_sentences` sentences that mention it count. Sentences are cut where longer than `max_sentence_chars`.
    """

    enabled: bool = True
    given: tuple[GivenAspect, ...] = Field(default=(), max_length=100)
    max_mined: int = Field(default=10, ge=0, le=200)
    min_docs: int = Field(default=5, ge=1, le=1_000_000)
    min_noun_share: Fraction = 0.25
    max_chars: int = Field(default=5_000, ge=100, le=1_000_000)
    max_sentences: int = Field(default=5, ge=1, le=100)
    max_sentence_chars: int = Field(default=400, ge=50, le=5_000)

    def definitions(self) -> dict[str, str]:
        """Return name and fingerprint of each given aspect: of its terms and of what is read of a text."""
        read = [self.max_chars, self.max_sentences, self.max_sentence_chars]
        return {
            aspect.name: hashlib.sha256(
                json.dumps([{lang: sorted(set(terms)) for lang, terms in sorted(aspect.terms.items())}, read]).encode()
            ).hexdigest()[:16]
            for aspect in self.given
        }

    @model_validator(mode="after")
    def _distinct(self) -> "AspectsConfig":
        names = [aspect.name.casefold() for aspect in self.given]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"the same aspect is given twice: {', '.join(repeated)}; put all its terms in one entry")
        return self
