"""`ai_summarize`: the sentences that stand for a text, as they are written; see `udfs.sql_text.extract`."""

from typing import Any

import pandas as pd

from udfs.sql.rows import ERROR, Problem
from udfs.sql_function import SqlFunction
from udfs.sql_text.bundled import STATIC
from udfs.sql_text.extract import extract
from udfs.sql_text.texts import BadArgumentError, answered, nothing, number_within

SUMMARY = (
    "STRUCT<summary: STRING, sentences: ARRAY<STRUCT<start: INT, `end`: INT, score: DOUBLE>>, "
    f"n_sentences: INT, n_read: INT, model: STRING, error: {ERROR}>"
)
DEFAULT_WORDS, MOST_WORDS, MOST_SENTENCES = 60, 2_000, 100


def ai_summarize(text: "pd.Series[Any]", max_words: Any = None, max_sentences: Any = None) -> "pd.Series[Any]":
    """Return the sentences that stand for the text, in its order; null also where `ai_summarize_full` has an error."""
    return answered(text, (max_words, max_sentences), lambda *row: _summary(*row)["summary"], nothing)


def ai_summarize_full(text: "pd.Series[Any]", max_words: Any = None, max_sentences: Any = None) -> "pd.Series[Any]":
    """Return the struct `SUMMARY`; `start` and `end` count code points of the text. Null only for null text."""
    return answered(text, (max_words, max_sentences), _summary, _failed)


def _summary(text: str, max_words: Any, max_sentences: Any) -> dict[str, Any]:
    words = number_within("max_words", max_words, DEFAULT_WORDS, MOST_WORDS)
    most = number_within("max_sentences", max_sentences, MOST_SENTENCES, MOST_SENTENCES)
    found = extract(text, words, most)
    if not found.chosen:
        raise BadArgumentError("the text has no sentence: it is empty, or holds no letter or digit", "EMPTY_INPUT")
    return {
        "summary": found.summary,
        "sentences": [{"start": start, "end": end, "score": round(score, 6)} for (start, end), score in found.chosen],
        "n_sentences": found.n_sentences,
        "n_read": found.n_read,
        "model": STATIC,
        "error": None,
    }


def _failed(error: Problem) -> dict[str, Any]:
    empty = dict.fromkeys(("summary", "sentences", "n_sentences", "n_read", "model"))
    return {**empty, "error": error}


FUNCTIONS = (
    SqlFunction("ai_summarize", ai_summarize, "STRING"),
    SqlFunction("ai_summarize_full", ai_summarize_full, SUMMARY),
)
