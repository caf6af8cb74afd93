"""Where readers see published tables: the Spark catalog always, Apache Iceberg where `output.iceberg` is set.

Each shows the same files, those of the runs' folders. `tests/spark/test_publisher_contract.py` holds both to one contract.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline.catalog import create_tables, drop_partitions, point_partitions, shown_folders, verify_partitions
from pipeline.errors import PublishError
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.target import check_target
from pipeline.manifest import Published
from pipeline.table import Table
from pipeline.views import create_views


class Publisher(Protocol):
    """A place where readers see tables. After any call, and after a kill in one, a reader sees each night of a table whole.

    Every call may be repeated, and raises `PublishError` where the place refuses or cannot be reached.

    Attributes:
        failpoint: what the named place after a table is called, with the number of the table; see `pipeline.failpoints`.
    """

    failpoint: str

    def prepare(self, tables: Sequence[Table]) -> None:
        """Create tables that are missing, and add columns that are new in this version; readers see no row change."""
        ...

    def point(self, table: Table, nights: Sequence[Published]) -> None:
        """Let some nights of a table show exactly the given files, none for an empty night; other nights stay as they are."""
        ...

    def drop(self, tables: Sequence[Table], dates: Sequence[date]) -> None:
        """Let tables show nothing on some nights; their files stay. What is not there is passed over."""
        ...

    def verify(self, table: Table, nights: Sequence[Published]) -> None:
        """Ask as a reader would which files these nights show; anything but the given ones is an error."""
        ...

    def shown(self, tables: Sequence[Table]) -> set[str]:
        """Return the folders, relative to the output root, that the tables show now."""
        ...


class SparkCatalog:
    """External tables in Spark's catalog whose partitions point at the folders of runs; see `pipeline.catalog`."""

    failpoint = "after_flip"

    def __init__(self, spark: SparkSession, root: Path, catalog: str) -> None:
        self._spark, self._root, self._catalog = spark, root, catalog

    def prepare(self, tables: Sequence[Table]) -> None:
        """Create the database, the tables and the views."""
        try:
            create_tables(self._spark, self._root, self._catalog, tables)
            create_views(self._spark, self._catalog, tables)
        except (PySparkException, Py4JError) as error:
            raise self._refused("creating tables and views", error) from error

    def point(self, table: Table, nights: Sequence[Published]) -> None:
        """Point partitions at folders: nights that are new in one step, known ones one by one."""
        try:
            point_partitions(self._spark, self._root, self._catalog, table, nights)
        except (PySparkException, Py4JError) as error:
            raise self._refused(table.name, error) from error

    def drop(self, tables: Sequence[Table], dates: Sequence[date]) -> None:
        """Drop partitions."""
        try:
            drop_partitions(self._spark, self._catalog, tables, dates)
        except (PySparkException, Py4JError) as error:
            raise self._refused("taking out nights", error) from error

    def verify(self, table: Table, nights: Sequence[Published]) -> None:
        """Compare the input files of a query."""
        try:
            verify_partitions(self._spark, self._root, self._catalog, table, nights)
        except (PySparkException, Py4JError) as error:
            raise self._refused(f"reading back {table.name}", error) from error

    def shown(self, tables: Sequence[Table]) -> set[str]:
        """Return the folders that partitions point at, empty ones included."""
        return shown_folders(self._spark, self._root, self._catalog, tables)

    def _refused(self, step: str, error: Exception) -> PublishError:
        return stopped(f"Spark catalog {self._catalog}: {step}", error)


def stopped(step: str, error: Exception) -> PublishError:
    """Return the error to raise where a catalog refused, the first line of its reason in it."""
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return PublishError(
        f"publishing stopped at {step}: {type(error).__name__}: {reason}. Every night of every table is whole; run again"
    )


def publishers(spark: SparkSession, root: Path, catalog: str, iceberg: IcebergConfig | None) -> list[Publisher]:
    """Return every place a root is published to, in the order in which they change.

    Raises:
        ConfigError: the Iceberg catalog cannot be opened.
        PublishError: the root has published to Iceberg before, and the configuration does not name it any more.
    """
    check_target(root, iceberg)
    places: list[Publisher] = [SparkCatalog(spark, root, catalog)]
    if iceberg is not None:
        from pipeline.iceberg.tables import IcebergTables

        places.append(IcebergTables(root, iceberg))
    return places
