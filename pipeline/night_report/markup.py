"""Pieces of HTML: tables, quotes, numbers. Everything that is not a title of ours is escaped."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from pipeline.night_report.queries import Rows


def section(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int], quoted: Rows,
    name: Callable[[dict[str, Any]], str],
) -> str:  # fmt: skip
    """Return a section: heading, table, and the evidence of some rows under their names; it says so where there are no rows."""
    if not rows:
        return f"<h2>{title}</h2><p>None.</p>"
    shown = "".join(quotes(name(row), row["evidence"]) for row in quoted)
    return f"<h2>{title}</h2>{table(head, rows, numeric)}{shown}"


def quotes(title: str, evidence: Iterable[dict[str, Any]] | None) -> str:
    """Return up to three pieces of evidence behind a title that opens; nothing where there is none."""
    lines = [
        f'<blockquote>{escape(str(e["quote"]))} <span class="id">{escape(str(e["doc_id"]))}</span></blockquote>'
        for e in list(evidence or [])[:3]
    ]
    return f"<details><summary>{escape(title)}</summary>{''.join(lines)}</details>" if lines else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """Return a table; the columns `numeric` are aligned to the right."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=n' if i in numeric else ''}>{escape(str(cell))}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def number(value: float, metric: str) -> str:
    """Return a value of a series as its metric is read."""
    if metric == "negative_share":
        return percent(value)
    return f"{value:+.2f}" if metric == "mean_sentiment" else f"{value:,.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """Return a share, 0 to 1, in per cent."""
    return f"{100 * share:.0f} %"


def plain(value: object) -> str:
    """Return a value of any column as text; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
