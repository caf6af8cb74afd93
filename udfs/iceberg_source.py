"""Iceberg tables for Spark without a jar: a Python data source that plans and reads through pyiceberg.

A scan of one snapshot is planned in a Python process of the driver; executors open the Parquet files by their path. Nothing is
pushed down but the option `row_filter`.
"""

import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import FileScanTask, Table

FORMAT = "nightjar_iceberg"


def arrow_schema(schema: StructType) -> "pa.Schema":
    """Return Spark's schema as Arrow has it, times in UTC, which PySpark 4.1 does unasked and later ones by `timezone`."""
    asked: dict[str, Any] = {"timezone": "UTC"} if "timezone" in inspect.signature(to_arrow_schema).parameters else {}
    return to_arrow_schema(schema, **asked)


def source_options(
    catalog: str,
    properties: Mapping[str, str],
    from_env: Mapping[str, str],
    table: tuple[str, ...],
    snapshot_id: int | None,
    row_filter: str,
) -> dict[str, str]:
    """Return the options that name a snapshot of a table; secrets stay names of environment variables of the driver."""
    return {
        "catalog": catalog,
        "properties": json.dumps(dict(properties)),
        "properties_from_env": json.dumps(dict(from_env)),
        "table": json.dumps(table),
        "snapshot_id": "" if snapshot_id is None else str(snapshot_id),
        "row_filter": row_filter,
    }


class IcebergSource(DataSource):
    """The data source; see `source_options`."""

    @classmethod
    def name(cls) -> str:
        """Return what `spark.read.format` calls it."""
        return FORMAT

    def schema(self) -> StructType:
        """Return the table's columns."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        return from_arrow_schema(schema_to_pyarrow(_load(self.options).schema(), include_field_ids=False))

    def reader(self, schema: StructType) -> DataSourceReader:
        """Plan a scan."""
        return IcebergReader(self.options, schema)


@dataclass
class FilePartition(InputPartition):
    """One file of a snapshot."""

    task: "FileScanTask"


class IcebergReader(DataSourceReader):
    """A planned scan. Pickled to the executors with what they need of the table's metadata: not its snapshots."""

    def __init__(self, options: Mapping[str, str], schema: StructType) -> None:
        self._schema = schema
        table = _load(options)
        snapshot_id = int(options["snapshot_id"]) if options["snapshot_id"] else None
        scan = table.scan(row_filter=options["row_filter"] or "true", snapshot_id=snapshot_id)
        self._filter = scan.row_filter
        self._tasks = list(scan.plan_files())
        few: dict[str, Any] = {
            "snapshots": [],
            "snapshot_log": [],
            "metadata_log": [],
            "refs": {},
            "current_snapshot_id": None,
        }
        self._metadata = table.metadata.model_copy(update=few)

    def partitions(self) -> Sequence[InputPartition]:
        """Return one partition per file."""
        return [FilePartition(task) for task in self._tasks]

    def read(self, partition: InputPartition) -> "Iterator[pa.RecordBatch]":
        """Yield a file's rows."""
        from pyiceberg.io.pyarrow import ArrowScan, PyArrowFileIO

        assert isinstance(partition, FilePartition)
        scan = ArrowScan(self._metadata, PyArrowFileIO({}), self._metadata.schema(), self._filter)
        wanted = arrow_schema(self._schema)
        for batch in scan.to_record_batches([partition.task]):
            yield batch.select(wanted.names).cast(wanted)


def _load(options: Mapping[str, Any]) -> "Table":
    from pyiceberg.catalog import load_catalog

    properties = json.loads(options["properties"])
    properties |= {key: os.environ[name] for key, name in json.loads(options["properties_from_env"]).items()}
    return load_catalog(options["catalog"], **properties).load_table(tuple(json.loads(options["table"])))
