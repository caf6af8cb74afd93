"""The published tables in a catalog of the session's own memory, which follows the publish log.

The root's embedded catalog belongs to one process, and a nightly run must be able to open it. So a server opens none: it keeps
the tables in memory, under `<catalog>_files`, with partitions as the manifests say, and a view of each under `<catalog>`. A view
cannot be written to.
"""

import os
from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline import schemas
from pipeline.catalog import create_tables, literal, point_partitions, quoted
from pipeline.manifest import Published, check_root
from pipeline.read_tables import published_catalog, published_manifests
from pipeline.table import RUN_DATE
from pipeline.view_schemas import VIEWS
from pipeline.views import create_views


class ServedTables:
    """Tables and views of an output root in the session's catalog. For one thread; other sessions read them."""

    def __init__(self, spark: SparkSession, root: Path, folder: Path) -> None:
        """Create them.

        Args:
            folder: a private one, where nothing is stored: what a client inserts by mistake as a new night would land there.

        Raises:
            ConfigError: no night was published under `root`.
            PublishError: the log or a manifest is unreadable.
        """
        self._spark, self._root = spark, root.absolute()
        check_root(self._root)
        self.catalog = published_catalog(self._root)
        self._files = f"{self.catalog}_files"
        self._seen: float | None = None
        self._shown: dict[str, dict[date, Published]] = {table.name: {} for table in schemas.TABLES}
        create_tables(spark, folder, self._files, schemas.TABLES)
        spark.sql(f"CREATE DATABASE IF NOT EXISTS {quoted(self.catalog)} COMMENT 'Tables published by Nightjar'")
        self.follow()
        self.restore()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables and views."""
        return (*(table.name for table in schemas.TABLES), *(view.name for view in VIEWS))

    def follow(self) -> int:
        """Show what was published since the last call; return how many nights of tables changed.

        Raises:
            PublishError: the log or a manifest is unreadable.
        """
        seen = os.stat(self._root / "_log").st_mtime
        if seen == self._seen:
            return 0
        nights = [night for manifest in published_manifests(self._root) for night in manifest.nights if night.files]
        changed = 0
        for table in schemas.TABLES:
            wanted = {night.run_date: night for night in nights if night.table == table.name}
            shown = self._shown[table.name]
            moved = [
                night for day, night in wanted.items() if day not in shown or shown[day].location != night.location
            ]
            point_partitions(self._spark, self._root, self._files, table, moved)
            gone = sorted(shown.keys() - wanted.keys())
            if gone:
                specs = ", ".join(f"PARTITION ({RUN_DATE.name} = '{day.isoformat()}')" for day in gone)
                self._spark.sql(f"ALTER TABLE {quoted(self._files, table.name)} DROP IF EXISTS {specs}")
            self._shown[table.name] = wanted
            changed += len(moved) + len(gone)
        self._seen = seen
        return changed

    def restore(self) -> None:
        """Make the views that are missing, at the start and where a client has dropped one."""
        rows = self._spark.sql(f"SHOW VIEWS IN {quoted(self.catalog)}").collect()  # bounded: our views
        found = {row["viewName"] for row in rows}
        for table in schemas.TABLES:
            if table.name not in found:
                name, files = quoted(self.catalog, table.name), quoted(self._files, table.name)
                self._spark.sql(
                    f"CREATE VIEW IF NOT EXISTS {name} COMMENT {literal(table.comment)} AS SELECT * FROM {files}"
                )
        if not found.issuperset(view.name for view in VIEWS):
            create_views(self._spark, self.catalog, schemas.TABLES)
