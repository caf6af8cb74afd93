"""Language identification by lingua (Apache-2.0, its models inside the wheel)."""

import re
from dataclasses import dataclass
from typing import Any

SUPPORTED_LANGUAGES = frozenset(
    "af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk ko la lg lt lv mi "
    "mk mn mr ms nb nl nn pa pl pt ro ru sk sl sn so sq sr st sv sw ta te th tl tn tr ts uk ur vi xh yo zh zu".split()
)
"""ISO 639-1 codes lingua 2.1 can tell apart."""

UNDECIDED = "und"
_NOT_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+|&\w+;")
_READ_CHARS = 1_000


@dataclass(frozen=True)
class LanguageSpec:
    """Language identification.

    Attributes:
        candidates: ISO 639-1 codes.
        version: of lingua; another one may decide otherwise.
        min_confidence: below it the language is `und` (0 to 1).
        min_covered: an `und` text is scored all the same if the languages the models cover have this confidence together.
    """

    candidates: tuple[str, ...]
    version: str
    min_confidence: float = 0.5
    min_covered: float = 0.2


@dataclass(frozen=True)
class Language:
    """The language of one text.

    Attributes:
        code: ISO 639-1, or `und`.
        confidence: of the best guess.
        scored_as: the language whose models score the text; None where no model covers it.
    """

    code: str
    confidence: float
    scored_as: str | None


class LanguageIdentifier:
    """Tells languages apart; loads its models lazily, once per process."""

    def __init__(self, spec: LanguageSpec, covered: tuple[str, ...]) -> None:
        self._spec = spec
        self._covers_all = "*" in covered
        self._covered = frozenset(covered)
        self._detector: Any = None

    def declared(self, code: str) -> Language:
        """Return the language a corpus declares, which is believed."""
        return Language(code, 1.0, code if self._covers_all or code in self._covered else None)

    def identify(self, text: str) -> Language:
        """Identify a text by its first 1,000 characters, links and handles left out; no letters, no language."""
        letters = _NOT_LANGUAGE.sub(" ", text[:_READ_CHARS])
        if not any(c.isalpha() for c in letters):
            return Language(UNDECIDED, 0.0, UNDECIDED if self._covers_all else None)
        guesses = self._load().compute_language_confidence_values(letters)
        codes = [(guess.language.iso_code_639_1.name.lower(), float(guess.value)) for guess in guesses]
        best, confidence = codes[0]
        confidence = round(confidence, 6)
        if confidence >= self._spec.min_confidence:
            return Language(best, confidence, best if self._covers_all or best in self._covered else None)
        if self._covers_all:
            return Language(UNDECIDED, confidence, best)
        covered = [(code, value) for code, value in codes if code in self._covered]
        is_covered = sum(value for _, value in covered) >= self._spec.min_covered
        return Language(UNDECIDED, confidence, covered[0][0] if is_covered else None)

    def _load(self) -> Any:
        if self._detector is None:
            from lingua import IsoCode639_1, LanguageDetectorBuilder

            codes = [getattr(IsoCode639_1, code.upper()) for code in self._spec.candidates]
            self._detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()
        return self._detector
