"""A row's text as these functions read it: unchanged, so that positions hold, and bounded."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from udfs.sql.rows import Problem, each, problem, series

MAX_CHARS = 2_000_000
_SURROGATES = re.compile("[\ud800-\udfff]")
Answer = Any


def read(value: Any) -> tuple[str | None, Problem | None]:
    """Return a text, or what is wrong with it; (None, None) for null. A surrogate that is half a character becomes U+FFFD."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return None, None
    if isinstance(value, list | dict | tuple | bytes | bytearray):
        return None, problem("BAD_INPUT", f"the text is a {type(value).__name__}, not a string; cast it")
    text = value if isinstance(value, str) else str(value)
    if len(text) > MAX_CHARS:
        return None, problem("TOO_LONG", f"the text has {len(text):,} characters; at most {MAX_CHARS:,} are read")
    return _SURROGATES.sub("\ufffd", text), None


def answered(
    text: "pd.Series[Any]",
    arguments: Sequence[Any],
    answer: Callable[..., Answer],
    failed: Callable[[Problem], Answer],
) -> "pd.Series[Any]":
    """Answer each row: null for a null text, `failed` where the text cannot be read or an argument is refused.

    Args:
        arguments: each a Series or one value for all rows.
        answer: of the text and the row's arguments; raises `BadArgumentError`.
    """
    rows = zip(*(each(argument, len(text)) for argument in arguments), strict=True) if arguments else [()] * len(text)
    answers: list[Answer] = []
    for value, row in zip(text.tolist(), rows, strict=True):
        one, wrong = read(value)
        if one is None:
            answers.append(failed(wrong) if wrong else None)
            continue
        try:
            answers.append(answer(one, *row))
        except BadArgumentError as error:
            answers.append(failed(error.problem))
    return series(answers)


class BadArgumentError(ValueError):
    """An argument of one row is refused; `problem` is its error struct."""

    def __init__(self, message: str, code: str = "BAD_ARGUMENT") -> None:
        super().__init__(message)
        self.problem = problem(code, message)


def nothing(_: Problem) -> None:
    """Return null: what a function of a plain type says where its struct has an error."""


def number_within(name: str, value: Any, default: int, most: int) -> int:
    """Return an argument that is a whole number from 1 to `most`; null is the default.

    Raises:
        BadArgumentError: it is none, or out of range.
    """
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or not 1 <= value <= most:
        raise BadArgumentError(f"{name}: {str(value)[:40]} is no whole number from 1 to {most:,}")
    return int(value)
