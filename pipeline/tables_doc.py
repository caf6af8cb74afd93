"""Write `docs/tables.md` from `pipeline/schemas.py`: `python -m pipeline.tables_doc`."""

import logging
from collections.abc import Iterator
from pathlib import Path

from pipeline.schemas import TABLES
from pipeline.table import COMMON, RUN_DATE, Column, Table
from pipeline.view_schemas import VIEWS, View

logger = logging.getLogger(__name__)
PAGE = Path(__file__).parents[1] / "docs" / "tables.md"

_HEAD = """\
# Tables

<!-- Generated from pipeline/schemas.py by `make docs`; do not edit. -->

Every night publishes these tables, partitioned by `run_date`. All times are UTC. "Null" says whether a published row may hold
null; a night that breaks this, or a key, is not published. [publishing.md](publishing.md) says how, and what readers see.
"""


def tables_page() -> str:
    """Return the page."""
    sections = (line for table in TABLES for line in _section(table))
    return "\n".join([_HEAD, *_index(), *_common(), *sections, *(line for view in VIEWS for line in _view(view))])


def _index() -> Iterator[str]:
    yield "| table | content |"
    yield "|---|---|"
    for named in (*TABLES, *VIEWS):
        yield f"| [{named.name}](#{named.name}) | {_cell(named.comment)} |"
    yield ""


def _common() -> Iterator[str]:
    yield "## Columns of every table"
    yield ""
    yield from _columns((*COMMON, RUN_DATE))


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield table.comment
    yield ""
    if table.key:
        yield f"One row per night and ({', '.join(f'`{name}`' for name in table.key)})."
    else:
        yield "No key: equal rows are possible."
    if table.volatile:
        yield f"Not part of the content hash: {', '.join(f'`{name}`' for name in table.volatile)}."
    yield ""
    yield from _columns(table.columns)


def _view(view: View) -> Iterator[str]:
    yield f"## {view.name}"
    yield ""
    yield f"{view.comment} A view over {', '.join(f'`{table.name}`' for table in view.reads)}, in both engines."
    yield ""
    yield from _columns(view.columns)


def _columns(columns: tuple[Column, ...]) -> Iterator[str]:
    yield "| column | type | null | meaning |"
    yield "|---|---|---|---|"
    for column in columns:
        kind = column.dtype.simpleString().replace(",", ", ").replace(":", ": ")
        yield f"| {column.name} | {kind} | {'yes' if column.nullable else 'no'} | {_cell(column.comment)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(tables_page(), encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logger.info(f"wrote {PAGE}")
