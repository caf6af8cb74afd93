"""Reading published tables without a JVM: the publish log says which run each night shows, its manifest which files.

For example `open_duckdb(Path("out/warehouse")).sql("SELECT * FROM sentiment_daily")`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import types as T

from pipeline import schemas
from pipeline.errors import ConfigError
from pipeline.manifest import Manifest, check_root, published_runs, read_log, read_manifest
from pipeline.table import Table
from pipeline.view_schemas import VIEWS

if TYPE_CHECKING:
    import duckdb

_NAMES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "float": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "binary": "BLOB",
}


def published_catalog(root: Path) -> str:
    """Return the name of the database that holds the tables.

    Raises:
        ConfigError: there is no such folder, or no night was published there.
    """
    if not root.is_dir():
        raise ConfigError(f"{root}: no such folder; give the output.root of a nightly run")
    records = list(read_log(root))
    if not records:
        raise ConfigError(f"{root}: no night was published there; run jobs/nightly.py with this output.root")
    return read_manifest(root, records[-1]["run_id"]).catalog


def published_files(root: Path, table: str) -> list[Path]:
    """Return the files of a table as published now, in order of the nights."""
    return [path for _, files in _published(root, table, published_manifests(root)) for path in files]


def published_manifests(root: Path) -> list[Manifest]:
    """Return, for each published night in order, the manifest of its run, cut to that night.

    Raises:
        PublishError: the log or a manifest is unreadable.
    """
    runs = published_runs(root)
    whole = {run_id: read_manifest(root, run_id) for run_id in set(runs.values())}
    return [
        Manifest(run_id, m.catalog, (day,), m.columns, tuple(n for n in m.nights if n.run_date == day))
        for day, run_id in runs.items()
        for m in [whole[run_id]]
    ]


def open_duckdb(root: Path) -> "duckdb.DuckDBPyConnection":
    """Open an in-memory database with a view per table, and the project's own views, all of one state: what was published last.

    Nights published later show in a connection opened later. `sentiment_daily` and `nightjar.sentiment_daily` both work.

    Raises:
        ConfigError: there is no such folder, or no night was published there.
        PublishError: the log or a manifest is unreadable.
    """
    import duckdb

    root = root.absolute()
    check_root(root)
    catalog = published_catalog(root)
    manifests = published_manifests(root)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_name(catalog)}")
    connection.execute(f"SET search_path = '{catalog}'")
    for table in schemas.TABLES:
        select = " UNION ALL ".join(_selects(table, _published(root, table.name, manifests)))
        connection.execute(f"CREATE VIEW {_name(table.name)} AS {select}")
    names = {table.name for table in schemas.TABLES}
    for view in (view for view in VIEWS if names.issuperset(table.name for table in view.reads)):
        connection.execute(f"CREATE VIEW {_name(view.name)} AS {view.sql(_name(catalog))}")
    return connection


def duckdb_type(dtype: T.DataType) -> str:
    """Return DuckDB's name of a Spark type."""
    if isinstance(dtype, T.ArrayType):
        return f"{duckdb_type(dtype.elementType)}[]"
    if isinstance(dtype, T.StructType):
        return f"STRUCT({', '.join(f'{_name(f.name)} {duckdb_type(f.dataType)}' for f in dtype)})"
    return _NAMES[dtype.simpleString()]


def _published(root: Path, table: str, manifests: list[Manifest]) -> list[tuple[tuple[str, ...], list[Path]]]:
    """Return (columns, files) of each night of a table that has rows."""
    nights = [(m.columns[table], n) for m in manifests for n in m.nights if n.table == table and n.files]
    return [(columns, [root / path for path in night.files]) for columns, night in nights]


def _selects(table: Table, nights: list[tuple[tuple[str, ...], list[Path]]]) -> list[str]:
    """Return one SELECT per set of columns in the files: nights written by older versions lack the newer columns."""
    if not nights:
        nulls = ", ".join(f"CAST(NULL AS {duckdb_type(c.dtype)}) AS {_name(c.name)}" for c in table.all_columns)
        return [f"SELECT {nulls} WHERE false"]
    groups: dict[tuple[str, ...], list[Path]] = {}
    for present, files in nights:
        groups.setdefault(present, []).extend(files)
    selects = []
    for present, files in groups.items():
        columns = ", ".join(
            _name(c.name) if c.name in present else f"CAST(NULL AS {duckdb_type(c.dtype)}) AS {_name(c.name)}"
            for c in table.all_columns
        )
        paths = ", ".join(f"'{path}'" for path in files)
        options = "hive_partitioning = true, hive_types = {'run_date': DATE, 'run_id': VARCHAR}"
        selects.append(f"SELECT {columns} FROM read_parquet([{paths}], {options})")
    return selects


def _name(name: str) -> str:
    return f'"{name}"'
