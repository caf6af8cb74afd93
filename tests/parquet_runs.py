"""Runs written by pyarrow into the folders where a nightly job stages them: for tests that publish often."""

import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import types as T
from tiny_nights import row

from pipeline.manifest import Manifest, Published, write_manifest
from pipeline.run_schemas import RUNS
from pipeline.staging import night_folder
from pipeline.table import RUN_DATE, Table
from udfs.iceberg_source import arrow_schema

N_FILES = 2


def rows_of(table: Table, day: date, run_id: str, n: int) -> list[dict[str, Any]]:
    """The rows of a night; `runs` has one."""
    names = [c.name for c in table.all_columns]
    n_rows = 1 if table.name == RUNS.name else n
    return [dict(zip(names, row(table, day, i, run_id, run_id), strict=True)) for i in range(n_rows)]


def write_run(
    root: Path, run_id: str, counts: dict[date, int], tables: Sequence[Table], catalog: str = "nightjar"
) -> Manifest:
    """Write nights with the given numbers of rows, in two files each, and the run's manifest."""
    nights = [_write_night(root, table, day, run_id, n) for table in tables for day, n in counts.items()]
    columns = {table.name: tuple(c.name for c in table.all_columns) for table in tables}
    manifest = Manifest(run_id, catalog, tuple(sorted(counts)), columns, tuple(nights))
    write_manifest(root, manifest)
    return manifest


def _write_night(root: Path, table: Table, day: date, run_id: str, n: int) -> Published:
    folder = night_folder(root, table.name, day, run_id)
    folder.mkdir(parents=True)
    in_files = T.StructType([f for f in table.struct() if f.name != RUN_DATE.name])
    schema = arrow_schema(in_files)
    rows = rows_of(table, day, run_id, n)
    files = {}
    for k in range(N_FILES):
        part = [{name: value for name, value in r.items() if name != RUN_DATE.name} for r in rows[k::N_FILES]]
        if part:
            path = folder / f"part-{k:05}.parquet"
            pq.write_table(pa.Table.from_pylist(part, schema), path)
            files[str(path.relative_to(root))] = path.stat().st_size
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:32]
    return Published(table.name, day, len(rows), digest, str(folder.relative_to(root)), files)
