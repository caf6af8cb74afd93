"""Reading the published tables from Iceberg: with pyiceberg, with DuckDB, and with Spark without a jar."""

from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.target import local_properties, open_catalog
from udfs.iceberg_source import FORMAT, IcebergSource, source_options

if TYPE_CHECKING:
    import duckdb
    from pyiceberg.table import Table


def load_table(root: Path, config: IcebergConfig, name: str) -> "Table":
    """Return a table as pyiceberg has it, at its current snapshot."""
    return open_catalog(root, config).load_table((config.namespace, name))


def duckdb_table(root: Path, config: IcebergConfig, name: str) -> "duckdb.DuckDBPyConnection":
    """Return a DuckDB connection with the table in memory, under its name; narrow `load_table(...).scan()` for a large one."""
    connection = load_table(root, config, name).scan().to_duckdb(table_name=name)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def spark_frame(
    spark: SparkSession, root: Path, config: IcebergConfig, name: str, row_filter: str = "", *, view: str | None = None
) -> DataFrame:
    """Return a table as a frame of the snapshot that is current now; see `udfs.iceberg_source`. For a later one call it again.

    Args:
        row_filter: of pyiceberg, for example `run_date >= '2026-10-05'`; prunes nights before anything is read.
        view: name of a temporary view to make of it.
    """
    spark.dataSource.register(IcebergSource)
    properties = config.properties or ({} if config.properties_from_env else local_properties(root))
    snapshot = load_table(root, config, name).current_snapshot()
    identifier, snapshot_id = (config.namespace, name), snapshot.snapshot_id if snapshot else None
    options = source_options(
        config.catalog, properties, config.properties_from_env, identifier, snapshot_id, row_filter
    )
    frame = spark.read.format(FORMAT).options(**options).load()
    if view is not None:
        frame.createOrReplaceTempView(view)
    return frame
