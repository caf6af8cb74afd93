"""The conformance file, and how a client is held to it; the client is a function from a statement to its rows."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("sql") / "conformance.sql"
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Statement:
    """A statement without its semicolon, and the rows it gives."""

    sql: str
    rows: list[list[Any]]


def statements() -> list[Statement]:
    """Read the conformance file."""
    found, sql = [], ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("--> "):
            found.append(Statement(sql.strip().removesuffix(";"), json.loads(line.removeprefix("--> "))))
            sql = ""
        elif not re.match(r"\s*(--|$)", line):
            sql += line + "\n"
    assert not sql, f"a statement without an answer: {sql}"
    return found


def differences(run: Callable[[str], Rows]) -> list[str]:
    """Run every statement; return what differs from the file, one line each. An error of the client is a difference."""
    found = []
    for one in statements():
        try:
            rows = [[_plain(value) for value in row] for row in run(one.sql)]
        except Exception as error:
            found.append(f"{one.sql}: {type(error).__name__}: {str(error)[:300]}")
            continue
        if not _equal(rows, one.rows):
            found.append(f"{one.sql}: {rows}, not {one.rows}")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int) else float(value)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and math.isclose(one, other, abs_tol=1e-4)
    return bool(one == other)
