"""`ai_count_tokens`."""

from typing import Any

import pandas as pd

from udfs.sql.rows import ERROR, Problem
from udfs.sql_function import SqlFunction
from udfs.sql_text.bundled import TOKENIZERS, tokenizer
from udfs.sql_text.texts import BadArgumentError, answered, nothing

DEFAULT_MODEL = "multilingual"
COUNT = f"STRUCT<tokens: INT, model: STRING, error: {ERROR}>"


def ai_count_tokens(text: "pd.Series[Any]", model: Any = None) -> "pd.Series[Any]":
    """Return how many tokens a text has, special ones not counted; null also where `ai_count_tokens_full` has an error."""
    return answered(text, (model,), lambda one, name: _count(one, name)["tokens"], nothing)


def ai_count_tokens_full(text: "pd.Series[Any]", model: Any = None) -> "pd.Series[Any]":
    """Return the struct `COUNT`; null only for null text."""
    return answered(text, (model,), _count, _failed)


def _count(text: str, model: Any) -> dict[str, Any]:
    name = model or DEFAULT_MODEL
    if name not in TOKENIZERS:
        raise BadArgumentError(
            f"model: {str(model)[:40]!r} has no tokenizer here; known are {', '.join(TOKENIZERS)}", "UNKNOWN_MODEL"
        )
    counted = tokenizer(TOKENIZERS[name]).chunks([text], 1_000_000, 1).n_tokens
    return {"tokens": int(counted[0]), "model": name, "error": None}


def _failed(error: Problem) -> dict[str, Any]:
    return {"tokens": None, "model": None, "error": error}


FUNCTIONS = (
    SqlFunction("ai_count_tokens", ai_count_tokens, "INT"),
    SqlFunction("ai_count_tokens_full", ai_count_tokens_full, COUNT),
)
