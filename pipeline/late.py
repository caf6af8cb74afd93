"""Late data: nights that were published, whose rows in the corpus are others by now.

Each run keeps, for each of its nights, how many rows there were and a hash of their values. A later run whose lookback window
holds the night compares.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import corpus as c
from pipeline.documents import RUN_DATE
from pipeline.manifest import published_runs, write_whole

_FORMAT = 1
_COLUMNS = (c.RAW_ID, c.RAW_TEXT, c.RAW_TIME, c.RAW_SOURCE, c.RAW_GROUP, c.RAW_LANG)


@dataclass(frozen=True)
class Mark:
    """What the corpus held of a night: rows, and a hash that depends on their values, not on their order or files."""

    rows: int
    digest: str


def marks_of(rows: DataFrame) -> dict[date, Mark]:
    """Return the mark of each night of rows as `pipeline.documents.with_run_date` gives them."""
    # xxhash64 passes over nulls; which columns are null is part of the row
    values = [F.xxhash64(F.lit(seed), *_COLUMNS, *[F.col(name).isNull() for name in _COLUMNS]) for seed in (1, 2)]
    sums = [F.sum(value.cast("decimal(38,0)")).cast("string").alias(f"sum_{i}") for i, value in enumerate(values)]
    found = rows.groupBy(RUN_DATE).agg(F.count("*").alias("n"), *sums).collect()  # bounded: one row per night
    return {row[RUN_DATE]: Mark(row["n"], f"{row['sum_0']}:{row['sum_1']}") for row in found}


def write_marks(root: Path, run_id: str, dates: Sequence[date], marks: Mapping[date, Mark]) -> None:
    """Keep the marks of a run's nights; a night without rows has a mark too."""
    nights = {day.isoformat(): vars(marks.get(day, Mark(0, ""))) for day in dates}
    write_whole(_path(root, run_id), json.dumps({"format": _FORMAT, "nights": nights}, indent=1) + "\n")


def changed_nights(root: Path, first: date, before: date, marks: Mapping[date, Mark]) -> tuple[list[date], list[date]]:
    """Return the published nights from `first` to before `before` whose rows changed, and those of which nobody knows.

    Raises:
        PublishError: the publish log is unreadable.
    """
    changed, unknown = [], []
    for day, run_id in published_runs(root).items():
        if not first <= day < before:
            continue
        then = _read(root, run_id).get(day.isoformat())
        if then is None:
            unknown.append(day)
        elif then != vars(marks.get(day, Mark(0, ""))):
            changed.append(day)
    return changed, unknown


def with_late(root: Path, dates: Sequence[date], changed: Sequence[date]) -> list[date]:
    """Return the nights to publish: from the earliest changed one on every published night, whose windows reach back to it."""
    if not changed:
        return list(dates)
    later = [day for day in published_runs(root) if min(changed) <= day < dates[0]]
    return sorted({*later, *dates})


def _read(root: Path, run_id: str) -> dict[str, Any]:
    """Return a run's marks by night; none where an older version published it."""
    try:
        body = json.loads(_path(root, run_id).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    nights: dict[str, Any] = body["nights"] if body.get("format") == _FORMAT else {}
    return nights


def _path(root: Path, run_id: str) -> Path:
    return root / "_runs" / run_id / "input.json"
