"""`ai_topics_agg` and `ai_summarize_agg`: what the texts of a group are about, and the sentences that stand for them.

A group is read by one process, so what is computed is capped: of its distinct texts those with the smallest digests are read, a
sample that depends on nothing but the texts. Topics are spherical k-means (Dhillon and Modha, 2001, Machine Learning 42, 143-175)
on their embeddings; a topic's words are those with the largest c-TF-IDF (Grootendorst, 2022, arXiv:2203.05794). For topics of a
whole corpus that keep their meaning from night to night there is the nightly job.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.phrases import phrases
from udfs.sql.embed import vectors_of
from udfs.sql.rows import ERROR, each, problem, read_texts
from udfs.sql.scorer import Scored, scorer_of
from udfs.sql.spec import SqlSpec
from udfs.sql.texts import content_key
from udfs.sql_function import SqlFunction
from udfs.sql_text.bundled import STATIC
from udfs.sql_text.extract import extract

TOPICS = (
    "STRUCT<topics: ARRAY<STRUCT<label: STRING, words: ARRAY<STRING>, n: BIGINT, share: DOUBLE, example: STRING>>, "
    f"n_rows: BIGINT, n_read: BIGINT, model: STRING, error: {ERROR}>"
)
SUMMARY = f"STRUCT<summary: STRING, n_rows: BIGINT, n_read: BIGINT, model: STRING, error: {ERROR}>"
DEFAULT_TOPICS, MAX_TOPICS = 5, 50
DEFAULT_WORDS, MAX_WORDS = 100, 2_000
_MAX_SENTENCES = 100
_WORDS, _LABEL_WORDS = 8, 3
_EXAMPLE_CHARS = 200
_ROUNDS = 50
_SEED = 20_260_101
Vectors = NDArray[np.float64]


def aggregates(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the aggregate functions; each takes a group's Series and returns one value."""

    def ai_topics_agg(text: Any, topics: Any = DEFAULT_TOPICS) -> dict[str, Any]:
        """Return the struct `TOPICS` of a group; `n` and `share` are of the texts that were read."""
        wanted = next(iter(each(topics, len(text))), DEFAULT_TOPICS)
        if not isinstance(wanted, int) or not 1 <= wanted <= MAX_TOPICS:
            return _answer(len(text), error=problem("BAD_TOPICS", f"topics is a number from 1 to {MAX_TOPICS}"))
        texts = read_texts(text.tolist(), spec.max_text_chars).distinct
        sample = sorted(texts, key=content_key)[: spec.agg_rows]
        scores = vectors_of(scorer_of(spec), spec.models[0], sample, "ai_topics_agg")
        has = [(one, scored) for one, scored in zip(sample, scores, strict=True) if scored.vector is not None]
        if not has:
            return _answer(len(text), error=problem("EMPTY_INPUT", "no text of the group has an embedding"))
        return _topics(len(text), has, wanted, spec.models[0].scoring.encoder.name)

    def ai_summarize_agg(text: Any, max_words: Any = DEFAULT_WORDS) -> dict[str, Any]:
        """Return the struct `SUMMARY` of a group: sentences of its texts, as they are written, in the order of digests."""
        wanted = next(iter(each(max_words, len(text))), DEFAULT_WORDS)
        if not isinstance(wanted, int) or not 1 <= wanted <= MAX_WORDS:
            return _summary(len(text), error=problem("BAD_ARGUMENT", f"max_words is a number from 1 to {MAX_WORDS:,}"))
        texts = read_texts(text.tolist(), spec.max_text_chars).distinct
        sample = sorted(texts, key=content_key)[: spec.agg_rows]
        found = extract("\n\n".join(sample), wanted, _MAX_SENTENCES)
        if not found.summary:
            return _summary(len(text), error=problem("EMPTY_INPUT", "no text of the group has a sentence"))
        return _summary(len(text), summary=found.summary, n_read=len(sample), model=STATIC)

    return (
        SqlFunction("ai_topics_agg", ai_topics_agg, TOPICS),
        SqlFunction("ai_summarize_agg", ai_summarize_agg, SUMMARY),
    )


def _topics(n_rows: int, has: Sequence[tuple[str, Scored]], wanted: int, model: str) -> dict[str, Any]:
    vectors = np.stack([scored.vector for _, scored in has if scored.vector is not None]).astype(np.float64)
    assigned, centres = spherical_kmeans(vectors, min(wanted, len(vectors)))
    found = [_words_of(text, scored.lang or "") for text, scored in has]
    topics = []
    for topic in sorted(set(assigned.tolist()), key=lambda t: (-int((assigned == t).sum()), t)):
        mine = np.flatnonzero(assigned == topic)
        best = _telling([found[i] for i in mine], found)
        nearest = int(mine[(vectors[mine] @ centres[topic]).argmax()])
        topics.append(
            {
                "label": ", ".join(best[:_LABEL_WORDS]),
                "words": best,
                "n": len(mine),
                "share": round(len(mine) / len(has), 6),
                "example": has[nearest][0][:_EXAMPLE_CHARS],
            }
        )
    return _answer(n_rows, topics=topics, n_read=len(has), model=model)


def spherical_kmeans(unit_rows: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
    """Return (n,) clusters and (k, d) unit centres; the same for the same rows in the same order."""
    random = np.random.default_rng(_SEED)
    centres = unit_rows[[int(random.integers(len(unit_rows)))]]
    while len(centres) < k:  # k-means++: far from what is there
        far = np.clip(1 - (unit_rows @ centres.T).max(axis=1), 0, None)
        at = int(random.choice(len(far), p=far / far.sum())) if far.sum() > 1e-9 else len(centres)
        centres = np.concatenate([centres, unit_rows[[at]]])
    assigned = np.full(len(unit_rows), -1, np.int64)
    for _ in range(_ROUNDS):
        nearest = (unit_rows @ centres.T).argmax(axis=1)
        if (nearest == assigned).all():
            break
        assigned = nearest
        sums = np.zeros_like(centres)
        np.add.at(sums, assigned, unit_rows)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(norms > 0, sums / np.where(norms > 0, norms, 1), centres)
    return assigned, centres


def _words_of(text: str, lang: str) -> set[str]:
    return set(phrases(text, lang)[0])


def _telling(mine: Sequence[set[str]], all_texts: Sequence[set[str]]) -> list[str]:
    """Return the words of a topic with the largest c-TF-IDF: share in the topic times log(1 + texts / texts with the word)."""
    here = Counter(word for found in mine for word in found)
    everywhere = Counter(word for found in all_texts for word in found)
    weight = {word: n / len(mine) * np.log1p(len(all_texts) / everywhere[word]) for word, n in here.items()}
    return sorted(weight, key=lambda word: (-weight[word], word))[:_WORDS]


def _answer(n_rows: int, **fields: Any) -> dict[str, Any]:
    names = ("topics", "model", "error")
    return {name: fields.get(name) for name in names} | {"n_rows": n_rows, "n_read": fields.get("n_read", 0)}


def _summary(n_rows: int, **fields: Any) -> dict[str, Any]:
    names = ("summary", "model", "error")
    return {name: fields.get(name) for name in names} | {"n_rows": n_rows, "n_read": fields.get("n_read", 0)}
