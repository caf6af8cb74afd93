"""The sentences that stand for a text.

A sentence's score is its cosine to the mean of the sentences' unit vectors (centroid: Radev et al. 2004), and a little more for
the first one. Sentences are chosen one after another by maximal marginal relevance (Carbonell and Goldstein 1998) as long as
they fit.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.sentences import Span, sentences
from udfs.sql_text.bundled import embed, identifier

FIRST = 0.05
"""What the first sentence has more: chosen on the training part of SciTLDR, see `docs/sql_text_functions.md`."""
_RELEVANCE = 0.7
_REPEATS = 0.9
"""A sentence whose cosine to a chosen one is above this says the same again."""
MAX_SENTENCES = 20_000
"""Sentences read, from the beginning."""
_MAX_CANDIDATES = 1_000
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f"
"""Japanese, Chinese, Thai: scripts without spaces between words."""
_WORD = re.compile(rf"(?P<character>[{_UNSPACED}])|[^\W{_UNSPACED}]+")
_NO_SPACES = re.compile(r"[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class Extract:
    """What stands for a text.

    Attributes:
        chosen: sentences in the order of the text, with their scores.
        summary: their text, joined; cut after the last word that fits where no sentence is short enough.
        n_sentences: how many the text has.
        n_read: how many of them were read.
    """

    chosen: tuple[tuple[Span, float], ...]
    summary: str
    n_sentences: int
    n_read: int


def n_words(text: str) -> float:
    """Return the length in words; in scripts without spaces two characters are one."""
    return sum(map(_length, _WORD.finditer(text)))


def _length(match: re.Match[str]) -> float:
    return 0.5 if match["character"] else 1.0


def extract(text: str, max_words: int, max_sentences: int) -> Extract:
    """Return the sentences that stand for a text, at most `max_words` long and `max_sentences` many."""
    every = sentences(text, identifier().identify(text).code, max_chars=None)
    read = every[:MAX_SENTENCES]
    if not read:
        return Extract((), "", 0, 0)
    pieces = [text[start:end] for start, end in read]
    lengths = [n_words(piece) for piece in pieces]
    vectors = embed(pieces)
    scores = _scores(vectors)
    chosen = _chosen(vectors, scores, lengths, max_words, max_sentences)
    if not chosen:
        best = int(np.argmax(scores))
        cut = _cut(pieces[best], max_words)
        start = read[best][0]
        return Extract((((start, start + len(cut)), float(scores[best])),), f"{cut}…", len(every), len(read))
    kept = tuple((read[i], float(scores[i])) for i in sorted(chosen))
    return Extract(kept, _joined([text[start:end] for (start, end), _ in kept]), len(every), len(read))


def _scores(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (n,) scores of the sentences, rounded so that ties are ties on every machine."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    norm = np.linalg.norm(mean)
    central = vectors @ mean / norm if norm else np.zeros(len(vectors))
    central[0] += FIRST
    return np.asarray(np.round(central, 6), np.float64)


def _chosen(
    vectors: NDArray[np.float32], scores: NDArray[Any], lengths: list[float], max_words: int, max_sentences: int
) -> list[int]:
    """Return the sentences chosen by maximal marginal relevance among the most central ones."""
    best = np.argsort(-scores, kind="stable")
    candidates = [int(i) for i in best if lengths[i] <= max_words][:_MAX_CANDIDATES]
    nearest = np.zeros(len(candidates))
    chosen: list[int] = []
    left = float(max_words)
    while candidates and len(chosen) < max_sentences:
        relevance = scores[candidates] if not chosen else _RELEVANCE * scores[candidates] - (1 - _RELEVANCE) * nearest
        i = candidates[int(np.argmax(np.round(relevance, 6)))]
        chosen.append(i)
        left -= lengths[i]
        kept = [place for place, c in enumerate(candidates) if c != i and lengths[c] <= left]
        candidates = [candidates[place] for place in kept]
        nearest = np.maximum(nearest[kept], vectors[candidates] @ vectors[i])
        is_new = np.flatnonzero(nearest <= _REPEATS)
        candidates, nearest = [candidates[int(place)] for place in is_new], nearest[is_new]
    return chosen


def _cut(sentence: str, max_words: int) -> str:
    """Return the beginning of a sentence, at most `max_words` long and ending with a word."""
    length, end = 0.0, 0
    for match in _WORD.finditer(sentence):
        length += _length(match)
        if length > max_words:
            break
        end = match.end()
    return sentence[:end]


def _joined(pieces: list[str]) -> str:
    """Join sentences by spaces; those of scripts without spaces by nothing."""
    text = pieces[0]
    for piece in pieces[1:]:
        text += piece if _NO_SPACES.match(text[-1]) else f" {piece}"
    return text
