"""Arguments of a call, row by row: which texts there are to score, and what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from udfs.sql.spec import ModelSpec, SqlSpec
from udfs.sql.texts import normalised

Problem = dict[str, str]
ERROR = "STRUCT<code: STRING, message: STRING>"
_MESSAGES = {
    "LANG_UNSUPPORTED": "no model of this call covers the language of the text",
    "NON_FINITE": "the model gave numbers that are not finite",
    "MODEL": "the model failed on this text",
    "TOKENISE": "the tokenizer failed on this text",
}


def problem(code: str, message: str | None = None) -> Problem:
    """Return an error as a struct: a documented code, and a message that holds no text of the row."""
    return {"code": code, "message": message or _MESSAGES.get(code, code)}


@dataclass(frozen=True)
class Texts:
    """The texts of a batch.

    Attributes:
        distinct: normalised, not empty, none too long.
        places: for each row its text's place in `distinct`; None where it has none.
        problems: for each row what is wrong with its text; None also where the text is null.
    """

    distinct: list[str]
    places: list[int | None]
    problems: list[Problem | None]


def read_texts(values: Sequence[Any], max_chars: int) -> Texts:
    """Normalise the texts of a batch and find the distinct ones. Numbers, dates and the like count as their text."""
    seen: dict[str, int] = {}
    places: list[int | None] = []
    problems: list[Problem | None] = []
    for value in values:
        text, wrong = read_text(value, max_chars)
        places.append(None if text is None else seen.setdefault(text, len(seen)))
        problems.append(wrong)
    return Texts(list(seen), places, problems)


def read_text(value: Any, max_chars: int) -> tuple[str | None, Problem | None]:
    """Return a normalised text, or what is wrong with it; (None, None) for null."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None, None
    if isinstance(value, list | dict | tuple | bytes | bytearray):
        return None, problem("BAD_INPUT", f"the text is a {type(value).__name__}, not a string; cast it")
    text = value if isinstance(value, str) else str(value)
    if len(text) > max_chars:
        return None, problem("TOO_LONG", f"the text has {len(text):,} characters; at most {max_chars:,} are read")
    text = normalised(text)
    if not text:
        return None, problem("EMPTY_INPUT", "the text is empty, or white space only")
    return text, None


def each(value: Any, n: int) -> list[Any]:
    """Return an argument's value for each of n rows: a Series' values, or its default n times."""
    return value.tolist() if isinstance(value, pd.Series) else [value] * n


def models_of(spec: SqlSpec, model: Any, n: int) -> list[tuple[ModelSpec | None, list[int]]]:
    """Return the models that the rows of a batch name, each with its rows; None for a name that no model has."""
    rows: dict[Any, list[int]] = {}
    for i, name in enumerate(each(model, n)):
        rows.setdefault(name, []).append(i)
    return [(spec.model(name) if name is None or isinstance(name, str) else None, mine) for name, mine in rows.items()]


def unknown_model(spec: SqlSpec) -> Problem:
    """Return the error of a model that was not registered."""
    return problem("UNKNOWN_MODEL", f"no model of that name; registered are {', '.join(m.name for m in spec.models)}")


def series(values: Sequence[Any]) -> "pd.Series[Any]":
    """Return values as a Series of objects."""
    return pd.Series(list(values), dtype=object)
