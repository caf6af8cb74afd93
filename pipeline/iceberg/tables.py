"""The published tables in an Iceberg catalog: per table and publication one snapshot that swaps the nights' files.

No file is written or copied: a snapshot lists files of the runs' folders. Whoever commits first wins; the other reads the table
anew and commits again, so that of two runs of one night one whole run shows.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    ValidationException,
)
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table as IcebergTable

from pipeline.errors import NightjarError, PublishError
from pipeline.failpoints import failpoint
from pipeline.iceberg.files import (
    data_file,
    iceberg_schema,
    location_of,
    partitioned_by_night,
    path_of,
    types_by_name,
)
from pipeline.iceberg.settings import IcebergConfig
from pipeline.iceberg.target import open_catalog, remember_target
from pipeline.manifest import Published
from pipeline.publishers import stopped
from pipeline.table import RUN_DATE, Table, changed_columns

logger = logging.getLogger(__name__)
R = TypeVar("R")

ATTEMPTS = 20
_CONFLICTS = (CommitFailedException, ValidationException, CommitStateUnknownException)
_NAME_MAPPING = "schema.name-mapping.default"
_ROOT = "nightjar.root"
_PROPERTIES = {
    # a conflict is met by reading the table anew here, not by moving a stale change onto it
    "commit.retry.num-retries": "0",
    # no values of texts, ids or groups in manifests, which outlive the rows; nights are pruned by partition
    "write.metadata.metrics.default": "counts",
    "write.metadata.delete-after-commit.enabled": "true",
}


class IcebergTables:
    """Tables of an Iceberg catalog; see `pipeline.publishers.Publisher`. Old snapshots: `pipeline.iceberg.snapshots`."""

    failpoint = "after_iceberg"

    def __init__(self, root: Path, config: IcebergConfig) -> None:
        self.root, self._config = root, config
        self._catalog = open_catalog(root, config)

    def prepare(self, tables: Sequence[Table]) -> None:
        """Create the namespace and the tables, and add columns.

        Raises:
            PublishError: a table of that name has other columns, or belongs to another output root.
        """
        remember_target(self.root, self._config)
        self.tried(
            "creating the namespace", partial(self._catalog.create_namespace_if_not_exists, self._config.namespace)
        )
        for table in tables:
            self.tried(f"creating {table.name}", partial(self._create, table))

    def point(self, table: Table, nights: Sequence[Published]) -> None:
        """Swap the nights' files in one snapshot; none is made where the table shows them already."""
        if nights:
            wanted = {location_of(self.root / path): night for night in nights for path in night.files}
            properties = {
                "nightjar.run_id": ", ".join(sorted({_run_of(night) for night in nights})),
                "nightjar.content_hash": json.dumps({str(night.run_date): night.content_hash for night in nights}),
            }
            dates = [night.run_date for night in nights]
            self.tried(table.name, partial(self._swap, table, dates, wanted, properties))

    def drop(self, tables: Sequence[Table], dates: Sequence[date]) -> None:
        """Take the nights' files out in one snapshot per table."""
        for table in tables if dates else ():
            self.tried(table.name, partial(self._swap, table, dates, {}, {}))

    def verify(self, table: Table, nights: Sequence[Published]) -> None:
        """Compare the files that a scan of the nights is planned to read.

        Raises:
            PublishError: they are not the given ones.
        """
        wanted = {location_of(self.root / path) for night in nights for path in night.files}
        dates = [night.run_date for night in nights]
        seen = set(self.tried(table.name, lambda: self._files(self.load(table.name), dates)))
        if seen != wanted:
            raise PublishError(
                f"Iceberg {self._config.namespace}.{table.name} does not show this run: {len(wanted - seen)} of its files are "
                f"missing, {len(seen - wanted)} are of another run (for example {min(seen ^ wanted)}). Another run published "
                "at the same time; run again"
            )

    def shown(self, tables: Sequence[Table]) -> set[str]:
        """Return the folders of the files that the current snapshots list."""
        found: set[str] = set()
        for table in tables:
            if (there := self.find(table.name)) is not None:
                files = self.tried(table.name, partial(self._files, there))
                found |= {str(path_of(location).parent.relative_to(self.root)) for location in files}
        return found

    def load(self, name: str) -> IcebergTable:
        """Return a table as it is now."""
        return self._catalog.load_table((self._config.namespace, name))

    def find(self, name: str) -> IcebergTable | None:
        """Return a table as it is now, or None where there is none.

        Raises:
            PublishError: the catalog cannot be asked.
        """
        try:
            return self.tried(name, partial(self.load, name))
        except PublishError as error:
            if isinstance(error.__cause__, NoSuchTableError):
                return None
            raise

    def _create(self, table: Table) -> None:
        schema = iceberg_schema(table)
        properties = {**_PROPERTIES, _ROOT: str(self.root), "comment": table.comment}
        there = self.find(table.name)
        if there is None:
            # writes a metadata file even where the table is there
            there = self._catalog.create_table_if_not_exists(
                (self._config.namespace, table.name),
                schema,
                partition_spec=partitioned_by_night(schema),
                properties=properties,
            )
        name = f"Iceberg table {self._config.namespace}.{table.name}"
        if (owner := there.properties.get(_ROOT)) != str(self.root):
            raise PublishError(
                f"{name} belongs to {owner or 'somebody else'}, not to {self.root}: give this root an "
                "output.iceberg.namespace of its own, or drop the table (the files stay) and publish again"
            )
        present, wanted = types_by_name(there.schema()), types_by_name(schema)
        odd = changed_columns(present, wanted)
        if odd:
            raise PublishError(
                f"{name} has other columns than this version of Nightjar: {'; '.join(odd)}. Set output.iceberg.namespace to a "
                "new name, or drop the table (the files stay), and publish its nights again"
            )
        if wanted.keys() != present.keys():
            with there.update_schema() as update:
                for field in schema.fields:
                    if field.name not in present:
                        update.add_column(field.name, field.field_type, field.doc)

    def _swap(
        self, table: Table, dates: Sequence[date], wanted: dict[str, Published], properties: dict[str, str]
    ) -> None:
        there = self.load(table.name) if wanted else self.find(table.name)
        if there is None:
            return
        shown = self._files(there, dates)
        if shown.keys() == wanted.keys():
            return
        with there.transaction() as transaction:
            if transaction.table_metadata.name_mapping() is None:
                mapping = transaction.table_metadata.schema().name_mapping
                transaction.set_properties({_NAME_MAPPING: mapping.model_dump_json()})
            new = [
                data_file(transaction.table_metadata, path_of(location), wanted[location].run_date)
                for location in sorted(wanted.keys() - shown.keys())
            ]
            with transaction.update_snapshot(snapshot_properties=properties).overwrite() as snapshot:
                for location in shown.keys() - wanted.keys():
                    snapshot.delete_data_file(shown[location])
                for file in new:
                    snapshot.append_data_file(file)
            failpoint("before_iceberg_commit")

    def _files(self, there: IcebergTable, dates: Sequence[date] | None = None) -> dict[str, DataFile]:
        """Return the files that a reader of some nights, or of all, would read now, by location."""
        row_filter = "true"
        if dates is not None:
            nights = ", ".join(f"'{day.isoformat()}'" for day in dates)
            row_filter = f"{RUN_DATE.name} in ({nights})" if dates else "false"
        scan = there.scan(row_filter=row_filter)
        files = [task.file for task in scan.plan_files()]
        found = {file.file_path: file for file in files}
        if len(found) != len(files):
            name = f"{self._config.namespace}.{there.name()[-1]}"
            raise PublishError(
                f"Iceberg {name} lists {len(files) - len(found)} files twice; drop the table (the files stay) and publish again"
            )
        return found

    def tried(self, step: str, action: Callable[[], R]) -> R:
        """Do something, again from the start where another writer was faster."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return action()
            except _CONFLICTS as error:
                if attempt == ATTEMPTS:
                    raise self._refused(step, error) from error
                logger.info(f"iceberg   {step}: another writer was faster, attempt {attempt} of {ATTEMPTS}")
                time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))
            except NightjarError:
                raise
            except Exception as error:
                # what a catalog's client raises differs from catalog to catalog
                raise self._refused(step, error) from error
        raise AssertionError("unreachable")

    def _refused(self, step: str, error: Exception) -> PublishError:
        return stopped(f"Iceberg catalog {self._config.catalog}: {step}", error)


def _run_of(night: Published) -> str:
    return Path(night.location).name.removeprefix("run_id=")
