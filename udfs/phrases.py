"""The phrases of a text: one to three words in a row, as they would stand in an index.

Words: Chinese by rjieba (MIT, the dictionary inside its wheel); Japanese by script, a run of kanji or of katakana is a word and
hiragana separates; Korean by spaces, with a frequent particle cut off; all others by spaces and marks. Inflected forms stay
apart.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from udfs.personal_data.spans import personal_data
from udfs.quiet import without_texts
from udfs.stop_words import stop_words

_LIST = pa.list_(pa.string())
PHRASE_LISTS = pa.schema([("phrases", _LIST), ("surfaces", _LIST), ("parts", _LIST)])
"""`phrases` are case-folded words joined by spaces, distinct, in order of appearance; `surfaces` are the same as first written;
`parts` are the words that are no phrase themselves but stand in one (negations, Chinese words of one character)."""

_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|@\w+|&#?\w+;")
MARK = "\u0300-\u036f\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d"
HAN, KATAKANA = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005", "\u30a1-\u30fa\u30fc"
_TOKEN = re.compile(rf"[{HAN}]+|[{KATAKANA}]+|[\u3041-\u309f]+|(?:[^\W_{HAN}{KATAKANA}\u3041-\u309f]|[{MARK}])+"
                    rf"(?:['’-](?:[^\W_{HAN}{KATAKANA}\u3041-\u309f]|[{MARK}])+)*|[^\w\s]")  # fmt: skip
_IS_HAN, _IS_KANA = re.compile(f"[{HAN}]"), re.compile("[\u3041-\u309f\u30a1-\u30fa]")
PARTICLE = "(?:에서|으로|에게|까지|부터|은|는|이|가|을|를|에|의|도|로|와|과)"
_HANGUL_WORD = re.compile(rf"([\uac00-\ud7a3]{{2,}}?){PARTICLE}$")
_CONTRACTION = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m))$")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|all|dall|dell|nell|sull)['’](?=\w\w)", re.IGNORECASE)
_LONGEST = 40
_BREAK = ""
"""In a list of words: no phrase goes across it."""


@dataclass(frozen=True)
class PhraseSpec:
    """How much of a text is read.

    Attributes:
        max_chars: characters from the beginning.
        max_phrases: distinct phrases kept, the first ones.
    """

    max_chars: int = 5_000
    max_phrases: int = 400


DEFAULT = PhraseSpec()


def words(text: str, lang: str) -> list[str]:
    """Return the words as written, with an empty string where something separates them (marks, numbers, personal data)."""
    for start, end, _ in reversed(personal_data(text)):
        text = text[:start] + " . " + text[end:]
    text = _NOISE.sub(" . ", text)
    japanese = lang == "ja" or (lang != "zh" and _IS_KANA.search(text) is not None)
    found: list[str] = []
    for token in _TOKEN.findall(text):
        first = token[0]
        if _IS_HAN.match(first):
            found += [token] if japanese else _segmented(token)
        elif (
            "\u3041" <= first <= "\u309f"
            or not first.isalpha()
            or any(c.isdigit() for c in token)
            or len(token) > _LONGEST
        ):
            found.append(_BREAK)
        elif "\uac00" <= first <= "\ud7a3":
            match = _HANGUL_WORD.match(token)
            found.append(match.group(1) if match else token)
        else:
            found.append(token)
    return found


def _segmented(run: str) -> list[str]:
    import rjieba

    return list(rjieba.cut(run))


def phrases(text: str, lang: str, spec: PhraseSpec = DEFAULT) -> tuple[dict[str, str], set[str]]:
    """Return the distinct phrases with how each was first written, and the words that are only parts of phrases."""
    listed = words(text[: spec.max_chars], lang)
    known = [_kind(word, lang) for word in listed]
    folded, kinds = [w for w, _ in known], "".join(kind for _, kind in known)
    ends = stop_words(lang).ends
    found: dict[str, str] = {}
    parts: set[str] = set()
    for i in range(len(listed)):
        if kinds[i] in "|sl":
            continue
        for j in range(i + 1, min(i + 3, len(listed)) + 1):
            shape = kinds[i:j]
            if shape[-1] == "|":
                break
            if not _is_phrase(shape, ends):
                continue
            if len(found) == spec.max_phrases:
                return found, parts
            found.setdefault(" ".join(folded[i:j]), _joined([_ELISION.sub("", w) for w in listed[i:j]]))
            parts.update(w for w, kind in known[i:j] if kind in "nc")
    return found, parts


@lru_cache(maxsize=100_000)
def _kind(word: str, lang: str) -> tuple[str, str]:
    """Return the folded word and w (word), c (Chinese word of one character), n (negation), l (link), s (stop word) or |."""
    if not word:
        return "", "|"
    rules = stop_words(lang)
    folded = word.casefold().replace("’", "'")
    if folded.endswith("n't"):
        return folded, "n"
    folded = _ELISION.sub("", _CONTRACTION.sub("", folded))
    if folded in rules.negations:
        return folded, "n"
    if folded in rules.links:
        return folded, "l"
    if folded in rules.stops or not folded:
        return folded, "s"
    if len(folded) == 1:
        return folded, "c" if _IS_HAN.match(folded) else "s"
    return folded, "w"


_SHAPES = re.compile(r"w|[wcn][wc]|[wcn][wcln][wc]")
_SHAPES_NEGATION_LAST = re.compile(r"w|[wcn][wcn]|[wcn][wcln][wcn]")


@lru_cache(maxsize=1_000)
def _is_phrase(shape: str, negation_ends: bool) -> bool:
    if shape.count("c") == len(shape) or ("w" not in shape and "c" not in shape):
        return shape == "ccc"
    return (_SHAPES_NEGATION_LAST if negation_ends else _SHAPES).fullmatch(shape) is not None


def _joined(chosen: list[str]) -> str:
    """Join words by spaces; Chinese and Japanese words without."""
    text = chosen[0]
    for word in chosen[1:]:
        tight = _IS_HAN.match(text[-1]) or _IS_KANA.match(text[-1])
        text += word if tight and (_IS_HAN.match(word[0]) or _IS_KANA.match(word[0])) else f" {word}"
    return text


def make_phrases(spec: PhraseSpec) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: in, `text`, `lang` and any columns; out, those but `text`, then `PHRASE_LISTS`.

    One row out per row in, in order. A null text or one without words has empty lists.
    """

    def phrase(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found, rest = [], []
            for text, lang in zip(batch.column("text").to_pylist(), batch.column("lang").to_pylist(), strict=True):
                one, parts = phrases(text or "", lang or "und", spec)
                found.append(one)
                rest.append(sorted(parts - one.keys()))
            kept = [name for name in batch.schema.names if name != "text"]
            lists = ([list(one) for one in found], [list(one.values()) for one in found], rest)
            columns = [*(batch.column(name) for name in kept), *(pa.array(values, _LIST) for values in lists)]
            yield pa.RecordBatch.from_arrays(columns, names=[*kept, *PHRASE_LISTS.names])

    return without_texts(phrase)
