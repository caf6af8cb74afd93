"""`ai_mask` and `ai_redact_spans`: personal data of the categories of `udfs.personal_data`; no names of people, no addresses."""

from typing import Any

import pandas as pd

from udfs.personal_data.categories import PERSONAL, UnknownCategoryError, named
from udfs.personal_data.spans import masked, personal_data
from udfs.sql.rows import ERROR, Problem
from udfs.sql_function import SqlFunction
from udfs.sql_text.texts import BadArgumentError, answered, nothing

MASKED = f"STRUCT<masked: STRING, n_spans: INT, error: {ERROR}>"
SPANS = f"ARRAY<STRUCT<category: STRING, start: INT, `end`: INT, text: STRING, error: {ERROR}>>"


def ai_mask(text: "pd.Series[Any]", labels: Any = None, mask: Any = None) -> "pd.Series[Any]":
    """Return the text with personal data replaced by `[EMAIL]`, `[PHONE]` …, or by `mask`.

    Names of people and postal addresses stay: no category covers them. Null also where `ai_mask_full` has an error, so that a
    text that could not be masked is never shown.
    """
    return answered(text, (labels, mask), lambda one, wanted, by: _masked(one, wanted, by)["masked"], nothing)


def ai_mask_full(text: "pd.Series[Any]", labels: Any = None, mask: Any = None) -> "pd.Series[Any]":
    """Return the struct `MASKED`; null only for null text."""
    return answered(text, (labels, mask), _masked, lambda error: {"masked": None, "n_spans": None, "error": error})


def ai_redact_spans(text: "pd.Series[Any]", labels: Any = None) -> "pd.Series[Any]":
    """Return `SPANS`: what is found, in order; `start` and `end` count code points from 0, `end` excluded.

    An error is one element without a category. Null only for null text.
    """
    return answered(text, (labels,), _spans, _failed_spans)


def _masked(text: str, labels: Any, mask: Any) -> dict[str, Any]:
    wanted = _wanted(labels)
    if mask is not None and not isinstance(mask, str):
        raise BadArgumentError(f"mask: a {type(mask).__name__}, not a string")
    n_spans = len(personal_data(text, wanted))
    return {"masked": masked(text, wanted, mask) if n_spans else text, "n_spans": n_spans, "error": None}


def _spans(text: str, labels: Any) -> list[dict[str, Any]]:
    return [
        {"category": s.category, "start": s.start, "end": s.end, "text": text[s.start : s.end], "error": None}
        for s in personal_data(text, _wanted(labels))
    ]


def _failed_spans(error: Problem) -> list[dict[str, Any]]:
    return [{"category": None, "start": None, "end": None, "text": None, "error": error}]


def _wanted(labels: Any) -> frozenset[str]:
    """Return the categories an argument names; null is all personal data.

    Raises:
        BadArgumentError: no list, an empty one, or a label that is not detected.
    """
    if labels is None:
        return PERSONAL
    if not isinstance(labels, list | tuple) or not labels:
        raise BadArgumentError("labels: an array of at least one category is wanted; leave it out for all")
    try:
        return named(labels)
    except UnknownCategoryError as error:
        raise BadArgumentError(str(error)) from None


FUNCTIONS = (
    SqlFunction("ai_mask", ai_mask, "STRING"),
    SqlFunction("ai_mask_full", ai_mask_full, MASKED),
    SqlFunction("ai_redact_spans", ai_redact_spans, SPANS),
)
