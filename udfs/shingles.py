"""Texts to sets of weighted hashed shingles, whole batches at a time.

A text is folded (NFKC, lower case, no punctuation, no emoji) and cut into tokens: words, or single characters in scripts that
put no blanks between words. Its shingles are its distinct tokens; words of one to three letters, which carry the grammar, weigh
half. A text of few tokens is compared by character n-grams, since one changed word of three would leave nothing to compare.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Longs = NDArray[np.int64]
WEIGHTS = np.array([0.5, 1.0, 1.0, 1.0])
"""Weight of a shingle by its class, the two lowest bits of its hash: short word, word or character, n-gram of a short text."""
SHORT_WORD, WORD, SHORT_TEXT = 0, 1, 2
_NO_BLANKS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0dff"
"""Vowel signs and accents that `\\w` does not count as letters."""
_TOKEN = re.compile(f"[{_NO_BLANKS}]|(?:[^\\W{_NO_BLANKS}]|[{_MARKS}])+")
_IS_CHARACTER = re.compile(f"[{_NO_BLANKS}]")


class Shingled(NamedTuple):
    """Shingles of n texts: `values[starts[i]:starts[i + 1]]` are text i's, ascending; `fold` hashes its tokens in order."""

    values: Longs
    starts: Longs
    fold: Longs
    n_tokens: NDArray[np.int32]


def tokens(text: str) -> list[str]:
    """Return the tokens of a text in order; of a text without letters and digits, its characters but blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _TOKEN.findall(folded) or [c for c in folded if not c.isspace()]


def shingled(texts: Sequence[str | None], short_tokens: int, sketch_size: int) -> Shingled:
    """Return the shingles of texts; those of null or blank texts are empty.

    Args:
        short_tokens: texts of fewer tokens are compared by character n-grams.
        sketch_size: at most so many shingles of a text, those with the smallest hashes: a bottom-k sketch (Cohen and Kaplan
            2007), from which the similarity of long texts is estimated.
    """
    per_text = [tokens(t) if t else [] for t in texts]
    counts = np.fromiter(map(len, per_text), np.int64, len(per_text))
    token_hashes, owners = _hashed([t for ts in per_text for t in ts], per_text)
    folds = _folded(token_hashes, owners, counts)
    names: list[str] = []
    classes: list[int] = []
    sizes = np.zeros(len(per_text), np.int64)
    for i, ts in enumerate(per_text):
        if len(ts) < short_tokens:
            grams = _grams(ts)
            names += grams
            classes += [SHORT_TEXT] * len(grams)
            sizes[i] = len(grams)
        else:
            names += ts
            classes += [SHORT_WORD if len(t) <= 3 and not _IS_CHARACTER.match(t) else WORD for t in ts]
            sizes[i] = len(ts)
    hashes, rows = _hashed(names, sizes)
    values = ((hashes >> np.uint64(1)) & ~np.uint64(3)).astype(np.int64) | np.array(classes, np.int64)
    return _distinct(values, rows, len(per_text), sketch_size, folds, counts.astype(np.int32))


def mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of integers: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _grams(ts: Sequence[str]) -> list[str]:
    """Return the character n-grams of a short text with its borders: 3 characters, or 2 where characters are words."""
    if not ts:
        return []
    characters = any(_IS_CHARACTER.match(t) for t in ts)
    n, joined = (2, "".join(ts)) if characters else (3, " ".join(ts))
    padded = f"\x02{joined}\x03"
    return [padded[i : i + n] for i in range(max(1, len(padded) - n + 1))]


def _hashed(names: Sequence[str], sizes: Longs | Sequence[Sequence[str]]) -> tuple[NDArray[np.uint64], Longs]:
    """Return the hash of each name, and the row it belongs to."""
    lengths = sizes if isinstance(sizes, np.ndarray) else np.fromiter(map(len, sizes), np.int64, len(sizes))
    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    if not names:
        return np.zeros(0, np.uint64), rows
    codes, uniques = pd.factorize(np.array(names, object))
    hashes = mixed(pd.util.hash_array(np.asarray(uniques, object), categorize=False).astype(np.uint64))
    return hashes[codes], rows


def _folded(hashes: NDArray[np.uint64], rows: Longs, counts: Longs) -> Longs:
    """Return a hash of each text's tokens and their order; 0 where there are none."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = (np.arange(len(rows)) - starts[rows]).astype(np.uint64)
    terms = mixed(hashes + mixed(place + np.uint64(1)))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    return mixed(sums[starts[1:]] - sums[starts[:-1]]).view(np.int64)


def _distinct(values: Longs, rows: Longs, n: int, size: int, fold: Longs, n_tokens: NDArray[np.int32]) -> Shingled:
    """Sort the values of each row, drop repeats, keep the first `size`."""
    order = np.lexsort((values, rows))
    values, rows = values[order], rows[order]
    fresh = np.ones(len(values), bool)
    fresh[1:] = (values[1:] != values[:-1]) | (rows[1:] != rows[:-1])
    values, rows = values[fresh], rows[fresh]
    counts = np.bincount(rows, minlength=n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    kept = np.arange(len(rows)) - starts[rows] < size
    counts = np.minimum(counts, size)
    return Shingled(values[kept], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), fold, n_tokens)
