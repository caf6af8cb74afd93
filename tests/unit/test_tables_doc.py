"""The generated page of tables."""

import pytest

from pipeline.schemas import TABLES
from pipeline.table import COMMON, RUN_DATE
from pipeline.tables_doc import PAGE, tables_page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == tables_page(), "run `make docs`"


def test_every_column_of_every_table_is_on_the_page() -> None:
    page = tables_page()
    for table in TABLES:
        section = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        assert [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")][1:] == [
            f"| {column.name}" for column in table.columns
        ]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_comments_fit_the_metastore_and_a_line_of_markdown(table: object) -> None:
    """A Hive metastore keeps 256 characters of a column's comment and fails on more."""
    columns = [*getattr(table, "columns", ()), *COMMON, RUN_DATE]
    assert all(len(c.comment) <= 256 and "\n" not in c.comment for c in columns)
