"""What Iceberg is told of a published table: its schema, and of each Parquet file that a run wrote what its footer says.

`run_date` is not in the files. The table is partitioned by its identity, and readers take the value from the partition: column
projection, rule 1 of the Iceberg table specification (https://iceberg.apache.org/spec/#column-projection).
"""

from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg import types as I
from pyiceberg.io.pyarrow import (
    _check_pyarrow_schema_compatible,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.utils.datetime import date_to_days
from pyspark.sql import types as T

from pipeline.table import RUN_DATE, Table

_PLAIN: dict[str, I.IcebergType] = {
    "string": I.StringType(),
    "bigint": I.LongType(),
    "int": I.IntegerType(),
    "double": I.DoubleType(),
    "float": I.FloatType(),
    "boolean": I.BooleanType(),
    "date": I.DateType(),
    "timestamp": I.TimestamptzType(),
    "binary": I.BinaryType(),
}


def iceberg_schema(table: Table) -> Schema:
    """Return a table's schema. All columns are optional: the files' columns may be, whatever the audit found in them."""
    ids = count(1)
    fields = [
        I.NestedField(next(ids), c.name, iceberg_type(c.dtype, ids), required=False, doc=c.comment)
        for c in table.all_columns
    ]
    return Schema(*fields)


def iceberg_type(dtype: T.DataType, ids: Iterator[int]) -> I.IcebergType:
    """Return Iceberg's type of a Spark type; nested fields take their ids from `ids`."""
    if isinstance(dtype, T.ArrayType):
        return I.ListType(next(ids), iceberg_type(dtype.elementType, ids), element_required=False)
    if isinstance(dtype, T.StructType):
        return I.StructType(
            *(I.NestedField(next(ids), f.name, iceberg_type(f.dataType, ids), required=False) for f in dtype)
        )
    return _PLAIN[dtype.simpleString()]


def partitioned_by_night(schema: Schema) -> PartitionSpec:
    """Return the partitioning of every table: the value of `run_date`."""
    source = schema.find_field(RUN_DATE.name).field_id
    return PartitionSpec(PartitionField(source, 1000, IdentityTransform(), RUN_DATE.name))


def types_by_name(schema: Schema) -> dict[str, pa.DataType]:
    """Return the type of each column as Arrow has it, which can be compared: it knows no field ids."""
    return {field.name: field.type for field in schema_to_pyarrow(schema, include_field_ids=False)}


def data_file(metadata: TableMetadata, path: Path, night: date) -> DataFile:
    """Describe a Parquet file of one night, as `pyiceberg.io.pyarrow.parquet_files_to_data_files` does, with its partition.

    Raises:
        ValueError: the file's columns do not fit the table.
    """
    footer = pq.read_metadata(path)
    schema = metadata.schema()
    _check_pyarrow_schema_compatible(schema, footer.schema.to_arrow_schema(), format_version=metadata.format_version)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=footer,
        stats_columns=compute_statistics_plan(schema, metadata.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location_of(path),
        file_format=FileFormat.PARQUET,
        partition=Record(date_to_days(night)),
        file_size_in_bytes=path.stat().st_size,
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def location_of(path: Path) -> str:
    """Return a path as Iceberg's metadata name it, so that a reader whose default file system is another one finds it."""
    return f"file://{path}"


def path_of(location: str) -> Path:
    """Return the path of a location; see `location_of`."""
    return Path(location.removeprefix("file://"))
