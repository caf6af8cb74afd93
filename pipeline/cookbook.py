"""Write `docs/cookbook.md`: questions of analysts with their SQL and its answer on the sample corpus.

    python -m pipeline.cookbook out/warehouse

The questions are the files of `conf/sql/cookbook`, in order of name: a comment with the question, then SQL for Spark and DuckDB.
"""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.query import Answer, ask_duckdb, check_query
from pipeline.read_tables import open_duckdb
from pipeline.render import render_table

logger = logging.getLogger(__name__)
_PROJECT = Path(__file__).parents[1]
FOLDER = _PROJECT / "conf" / "sql" / "cookbook"
PAGE = _PROJECT / "docs" / "cookbook.md"
MAX_ROWS = 40

_HEAD = """\
# Cookbook

<!-- Generated from conf/sql/cookbook by `python -m pipeline.cookbook out/warehouse`; do not edit. -->

What an analyst asks, as SQL that Spark and DuckDB both run, and the answer on the sample corpus ([sample.md](sample.md)) after
`make run`. Floats are shown with three digits. `tests/jobs/test_night.py` asks every question of a night of its own.

    .venv/bin/python jobs/sql.py --root out/warehouse "$(cat conf/sql/cookbook/01_last_nights.sql)"

Columns and tables: [tables.md](tables.md). Shares carry Wilson 95 % intervals; `n_docs` counts documents, `n_effective` counts
near-duplicates once.
"""


@dataclass(frozen=True)
class Question:
    """A question and the SQL that answers it."""

    name: str
    text: str
    sql: str


def questions(folder: Path = FOLDER) -> list[Question]:
    """Read the questions, in order of file name."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        comment, _, sql = path.read_text(encoding="utf-8").strip().partition("\n")
        found.append(Question(path.stem, comment.removeprefix("-- "), sql))
    return found


def page(root: Path) -> str:
    """Return the page, with answers from the tables published under `root`."""
    sections = [_HEAD]
    with open_duckdb(root) as db:
        for n, question in enumerate(questions(), start=1):
            answer = ask_duckdb(db, check_query(question.sql), MAX_ROWS)
            sections.append(
                f"## {n}. {question.text}\n\n```sql\n{question.sql}\n```\n\n```\n{render_table(shown(answer))}```\n"
            )
    return "\n".join(sections)


def shown(answer: Answer) -> Answer:
    """Return the answer with floats cut to three significant digits."""
    return Answer(answer.columns, tuple(tuple(_shown(v) for v in row) for row in answer.rows), answer.cut)


def _shown(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logger.info(f"wrote {PAGE}")
