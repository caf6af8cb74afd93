"""The phrases of a text that a topic's label may use: one to three words in a row."""

import re
from functools import cache

_NOISE = re.compile(r"https?://\S+|www\.\S+|[@#]\w+|&\w+;|\S+@\S+")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_HAN}]+|(?:[^\W\d_{_HAN}])+|[^\s]")
_IS_HAN = re.compile(f"[{_HAN}]")
_LONGEST = 3
_MORE_STOP_WORDS = frozenset(
    "just like got get gets getting ve ll don didn doesn isn wasn aren couldn wouldn won im ive dont amp really did does "
    "know want need say said let thing things going way make made lot use using used hi hello hey dear thanks thank please "
    "regards best".split()
)


def phrases(text: str, lang: str) -> set[str]:
    """Return the distinct phrases, case-folded; Chinese is segmented by rjieba (MIT) and written without blanks.

    A phrase goes over no mark and no number, and neither begins nor ends with a stop word of its language.
    """
    stops = _stop_words(lang)
    found: set[str] = set()
    run: list[str] = []
    for token in (*_TOKEN.findall(_NOISE.sub(" . ", text)), "."):
        if _IS_HAN.match(token):
            run += _segmented(token)
        elif token[0].isalpha():
            run.append(token.casefold())
        else:
            _add_phrases(run, stops, found)
            run = []
    return found


def is_chinese(phrase: str) -> bool:
    """Return whether a phrase begins with a Chinese character."""
    return _IS_HAN.match(phrase) is not None


def _add_phrases(run: list[str], stops: frozenset[str], found: set[str]) -> None:
    ends = [len(word) > 1 and word not in stops for word in run]
    for i, is_end in enumerate(ends):
        if is_end:
            for j in range(i, min(i + _LONGEST, len(run))):
                if ends[j]:
                    found.add(_joined(run[i : j + 1]))


def _joined(words: list[str]) -> str:
    return ("" if _IS_HAN.match(words[0]) and _IS_HAN.match(words[-1]) else " ").join(words)


def _segmented(run: str) -> list[str]:
    import rjieba

    return list(rjieba.cut(run))


@cache
def _stop_words(lang: str) -> frozenset[str]:
    """Return the stop words of a language; where it is not known, the English ones."""
    import stopwordsiso
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    if lang != "en" and stopwordsiso.has_lang(lang):
        return frozenset(word.casefold() for word in stopwordsiso.stopwords(lang))
    english: frozenset[str] = ENGLISH_STOP_WORDS
    return english | _MORE_STOP_WORDS
