"""`ai_keyphrases`: the phrases of a text nearest to the whole text.

A phrase's score is the cosine of its vector and the text's, both of the static encoder (method: KeyBERT, Grootendorst 2020, with
the phrases of `udfs.phrases`). A phrase that shares its words with a better one is left out.
"""

from typing import Any

import pandas as pd

from udfs.phrases import PhraseSpec, phrases
from udfs.sql.rows import ERROR, Problem
from udfs.sql_function import SqlFunction
from udfs.sql_text.bundled import embed, identifier
from udfs.sql_text.texts import answered, number_within

KEYPHRASES = f"ARRAY<STRUCT<phrase: STRING, score: DOUBLE, error: {ERROR}>>"
DEFAULT_TOP_K, MOST = 10, 100
_SPEC = PhraseSpec(max_chars=20_000, max_phrases=1_000)


def ai_keyphrases(text: "pd.Series[Any]", top_k: Any = None) -> "pd.Series[Any]":
    """Return `KEYPHRASES`, the best first; empty for a text without words. An error is one element without a phrase.

    Reads the first 20,000 characters. Null only for null text.
    """
    return answered(text, (top_k,), _keyphrases, _failed)


def _keyphrases(text: str, top_k: Any) -> list[dict[str, Any]]:
    wanted = number_within("top_k", top_k, DEFAULT_TOP_K, MOST)
    found, _ = phrases(text, identifier().identify(text).code, _SPEC)
    if not found:
        return []
    vectors = embed([text[: _SPEC.max_chars], *found.values()])
    cosines = vectors[1:] @ vectors[0]
    order = sorted(range(len(found)), key=lambda i: (-round(float(cosines[i]), 6), i))
    keys, shown = list(found), list(found.values())
    chosen: list[int] = []
    taken: list[set[str]] = []
    for i in order:
        words = set(keys[i].split())
        if not any(words <= other or other <= words for other in taken):
            chosen.append(i)
            taken.append(words)
        if len(chosen) == wanted:
            break
    return [{"phrase": shown[i], "score": round(float(cosines[i]), 6), "error": None} for i in chosen]


def _failed(error: Problem) -> list[dict[str, Any]]:
    return [{"phrase": None, "score": None, "error": error}]


FUNCTIONS = (SqlFunction("ai_keyphrases", ai_keyphrases, KEYPHRASES),)
