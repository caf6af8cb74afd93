"""Query answers as text: an aligned table, CSV or JSON. Equal values are printed alike, whatever engine found them."""

import json
import math
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pipeline.query import Answer

MAX_CELLS = 60
"""A cell of a table is cut to this many columns of the terminal."""

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def as_json(value: Any) -> str:
    """Return a value as JSON. Times are UTC in ISO 8601, bytes hexadecimal, NaN and infinities text."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_json(str(k))}: {as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_json, value)) + "]"
    return json.dumps(_scalar(value), ensure_ascii=False)


def as_text(value: Any) -> str:
    """Return a value as the text of a cell: strings as they are, everything else as in JSON without its quotes."""
    if isinstance(value, None | bool | int | float | Decimal | dict | list | tuple):
        text = as_json(value)
        return text.strip('"') if isinstance(value, float) else text
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def render_table(answer: Answer) -> str:
    """Return aligned columns, numbers to the right, and a last line with the number of rows."""
    cells = [[_cut(_visible("NULL" if v is None else as_text(v))) for v in row] for row in answer.rows]
    header = [_cut(_visible(name)) for name in answer.columns]
    widths = [max(map(cell_width, column)) for column in zip(header, *cells, strict=True)]
    numeric = [_is_numeric([row[i] for row in answer.rows]) for i in range(len(header))]
    lines = [_line(header, widths, numeric), "  ".join("-" * w for w in widths)]
    lines += [_line(row, widths, numeric) for row in cells]
    n = len(answer.rows)
    more = "; there are more, --limit shows them" if answer.cut else ""
    return "\n".join([*lines, f"({n} row{'' if n == 1 else 's'}{more})"]) + "\n"


def render_csv(answer: Answer) -> str:
    """Return RFC 4180 text with a header; null is an empty field, the empty string a quoted one."""
    rows = [answer.columns, *answer.rows]
    return "".join(",".join("" if v is None else _csv_field(as_text(v)) for v in row) + "\n" for row in rows)


def render_json(answer: Answer) -> str:
    """Return an array with one object per row, each on a line of its own."""
    names = [as_json(name) for name in answer.columns]
    objects = [
        "{" + ", ".join(f"{n}: {as_json(v)}" for n, v in zip(names, row, strict=True)) + "}" for row in answer.rows
    ]
    return "[" + ",".join(f"\n{o}" for o in objects) + "\n]\n"


FORMATS: dict[str, Callable[[Answer], str]] = {"table": render_table, "csv": render_csv, "json": render_json}


def cell_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide East Asian characters two, combining marks none."""
    return sum(map(_char_width, text))


def _char_width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _visible(text: str) -> str:
    """Escape what would break a line or turn its direction."""
    return "".join(
        repr(c)[1:-1] if c in _BIDI or unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") else c for c in text
    )


def _cut(text: str) -> str:
    if cell_width(text) <= MAX_CELLS:
        return text
    kept, width = [], 0
    for char in text:
        width += _char_width(char)
        if width > MAX_CELLS - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [v for v in values if v is not None]
    return bool(present) and all(isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in present)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = []
    for cell, width, right in zip(cells, widths, numeric, strict=True):
        space = " " * (width - cell_width(cell))
        padded.append(space + cell if right else cell + space)
    return "  ".join(padded).rstrip()


def _csv_field(text: str) -> str:
    plain = text != "" and text == text.strip() and not any(c in text for c in ',"\r\n')
    return text if plain else '"' + text.replace('"', '""') + '"'
