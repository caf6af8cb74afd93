"""`ai_language`."""

from typing import Any

import pandas as pd

from udfs.language import UNDECIDED
from udfs.sql.rows import ERROR, Problem, problem
from udfs.sql_function import SqlFunction
from udfs.sql_text.bundled import identifier, lingua_version
from udfs.sql_text.texts import answered

LANGUAGE = f"STRUCT<lang: STRING, confidence: DOUBLE, model: STRING, error: {ERROR}>"


def ai_language(text: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the struct `LANGUAGE`: an ISO 639-1 code, `und` below a confidence of 0.5; null only for null text."""
    return answered(text, (), _language, _failed)


def _language(text: str) -> dict[str, Any]:
    if not text.strip():
        return _failed(problem("EMPTY_INPUT", "the text is empty, or white space only"))
    found = identifier().identify(text)
    return {"lang": found.code, "confidence": found.confidence, "model": f"lingua {lingua_version()}", "error": None}


def _failed(error: Problem) -> dict[str, Any]:
    return {"lang": UNDECIDED, "confidence": 0.0, "model": f"lingua {lingua_version()}", "error": error}


FUNCTIONS = (SqlFunction("ai_language", ai_language, LANGUAGE),)
