"""What a published table is: columns with types and meanings, a key, and the columns that every table has."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import types as T

STRING, LONG, INT = T.StringType(), T.LongType(), T.IntegerType()
DOUBLE, DATE, TIMESTAMP = T.DoubleType(), T.DateType(), T.TimestampType()
BOOLEAN = T.BooleanType()
VECTOR = T.ArrayType(T.FloatType(), containsNull=False)
LONGS = T.ArrayType(LONG, containsNull=False)
STRINGS = T.ArrayType(STRING, containsNull=False)
PHRASES = T.ArrayType(
    T.StructType([T.StructField("phrase", STRING), T.StructField("score", DOUBLE)]), containsNull=False
)
EVIDENCE = T.ArrayType(
    T.StructType(
        [
            T.StructField("doc_id", STRING),
            T.StructField("quote", STRING),
            T.StructField("start", INT),
            T.StructField("end", INT),
        ]
    ),
    containsNull=False,
)


@dataclass(frozen=True)
class Column:
    """A column: Spark type and meaning. `nullable` says whether a published row may hold null."""

    name: str
    dtype: T.DataType
    comment: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A published table. `key` identifies a row within a run date; `volatile` columns differ between equal runs."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    volatile: tuple[str, ...] = ()

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The table's own columns, then those that every table has; `run_date` (the partition) last."""
        return (*self.columns, *COMMON, RUN_DATE)

    @property
    def hashed(self) -> tuple[str, ...]:
        """The columns whose values make up the content hash."""
        return tuple(c.name for c in self.columns if c.name not in self.volatile)

    def struct(self) -> T.StructType:
        """Return the Spark schema, comments included, with the partition column `run_date` last."""
        return T.StructType([T.StructField(c.name, c.dtype, True, {"comment": c.comment}) for c in self.all_columns])


RUN_DATE = Column(
    "run_date", DATE, "night published: documents of [run_date, run_date + 1 day) UTC; the partition", False
)
COMMON = (
    Column("run_id", STRING, "the run that wrote the row; join tables on it for a consistent cut across tables", False),
    Column("pipeline_version", STRING, "version of Nightjar", False),
    Column("created_at", TIMESTAMP, "start of the run", False),
)


def changed_columns(present: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """Say of each column that is there, by name and type, how it is not what is wanted; new ones are no change."""
    return [
        f"{name} is {kind} there, {wanted.get(name, 'not a column')} here"
        for name, kind in present.items()
        if wanted.get(name) != kind
    ]
