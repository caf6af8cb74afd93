"""`ai_embed` and `ai_similarity`, and the vectors that other functions compute with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from udfs.models.spec import covers
from udfs.sql.rows import models_of, read_texts, series
from udfs.sql.scorer import Scored, Scorer, scorer_of
from udfs.sql.spec import ModelSpec, SqlSpec
from udfs.sql_function import SqlFunction


def vectors_of(scorer: Scorer, model: ModelSpec, texts: Sequence[str], function: str, hint: str = "") -> list[Scored]:
    """Return scores with vectors of distinct texts; also of languages that have an encoder but no model of sentiment."""
    scores = scorer.scores(model.scoring, texts, function, hint=hint)
    wider = model.embedding.languages()
    left = [i for i, s in enumerate(scores) if s.error == "LANG_UNSUPPORTED" and (covers(wider, s.lang or "") or hint)]
    if left and set(wider) != set(model.scoring.languages()):
        again = scorer.scores(model.embedding, [texts[i] for i in left], function, hint=hint)
        for i, scored in zip(left, again, strict=True):
            scores[i] = scored
    return scores


def embed_functions(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the functions of vectors."""

    def ai_embed(text: Any, model: Any = None) -> "pd.Series[Any]":
        """Return the unit embedding; null where the text has an error or the model is unknown."""
        values = text.tolist()
        vectors: list[Any] = [None] * len(values)
        for named, rows in models_of(spec, model, len(values)):
            if named is None:
                continue
            texts = read_texts([values[i] for i in rows], spec.max_text_chars)
            scores = vectors_of(scorer_of(spec), named, texts.distinct, "ai_embed")
            for i, place in zip(rows, texts.places, strict=True):
                vectors[i] = None if place is None else scores[place].vector
        return series(vectors)

    def ai_similarity(a: Any, b: Any, model: Any = None) -> "pd.Series[Any]":
        """Return max(0, cosine) of the embeddings, 0 to 1; null where one of the texts has no embedding."""
        first, second = a.tolist(), b.tolist()
        answers: list[float | None] = [None] * len(first)
        for named, rows in models_of(spec, model, len(first)):
            if named is None:
                continue
            texts = read_texts([x[i] for x in (first, second) for i in rows], spec.max_text_chars)
            scores = vectors_of(scorer_of(spec), named, texts.distinct, "ai_similarity")
            vectors = [None if place is None else scores[place].vector for place in texts.places]
            for i, u, v in zip(rows, vectors, vectors[len(rows) :], strict=False):
                answers[i] = None if u is None or v is None else similarity(u, v)
        return series(answers)

    return (
        SqlFunction("ai_embed", ai_embed, "ARRAY<FLOAT>"),
        SqlFunction("ai_similarity", ai_similarity, "DOUBLE"),
    )


def similarity(a: Any, b: Any) -> float:
    """Return max(0, cosine) of two unit vectors, rounded to 6 decimals."""
    cosine = float(np.dot(a.astype(np.float64), b.astype(np.float64)))
    return round(min(1.0, max(0.0, cosine)), 6)
