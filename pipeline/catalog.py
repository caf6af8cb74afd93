"""The published tables in Spark's catalog: external tables whose partitions point at the folders of runs.

Pointing a partition elsewhere changes one row of the metastore, so that a reader sees a night of a table whole, old or new.
Never run MSCK REPAIR, INSERT or DROP ... PURGE on these tables.
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlparse

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline.errors import PublishError
from pipeline.manifest import Published
from pipeline.table import RUN_DATE, Table, changed_columns

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def quoted(catalog: str, table: str | None = None) -> str:
    """Return the name of a database, or of a table in it, for use in SQL.

    Raises:
        PublishError: it is not a plain name.
    """
    for name in filter(None, (catalog, table)):
        if not _IDENTIFIER.fullmatch(name):
            raise PublishError(f"{name!r} cannot name a database or table: use letters, digits and underscores")
    return f"`{catalog}`.`{table}`" if table else f"`{catalog}`"


def create_tables(spark: SparkSession, root: Path, catalog: str, tables: Sequence[Table]) -> None:
    """Create the database and the tables that are missing, and add columns that are new in this version.

    Raises:
        PublishError: a table of that name has other columns, or belongs to another output root; says what to do.
    """
    base = root / "_tables"
    comment = "Tables published by Nightjar"
    spark.sql(f"CREATE DATABASE IF NOT EXISTS {quoted(catalog)} COMMENT '{comment}' LOCATION {literal(base)}")
    locations = _locations(spark, catalog, tables)
    for table in tables:
        folder = base / table.name
        if table.name not in locations:
            folder.mkdir(parents=True, exist_ok=True)
            spark.sql(
                f"CREATE TABLE IF NOT EXISTS {quoted(catalog, table.name)} ({table.struct().toDDL()}) USING parquet "
                f"PARTITIONED BY ({RUN_DATE.name}) LOCATION {literal(folder)} COMMENT {literal(table.comment)}"
            )
        elif locations[table.name] != folder:
            raise PublishError(
                f"table {catalog}.{table.name} belongs to {locations[table.name]}, not to {folder}: give this root an "
                f"output.catalog of its own; if the root was moved, drop the database {catalog} (files stay) and publish again"
            )
        else:
            _add_columns(spark, catalog, table)


def point_partitions(spark: SparkSession, root: Path, catalog: str, table: Table, nights: Sequence[Published]) -> None:
    """Let the table's nights show the given folders: new nights all in one step, known nights one by one."""
    name = quoted(catalog, table.name)
    known = _known_nights(spark, name)
    new = [n for n in nights if n.run_date.isoformat() not in known]
    if new:
        clauses = " ".join(f"PARTITION {_spec(n)} LOCATION {literal(root / n.location)}" for n in new)
        try:
            spark.sql(f"ALTER TABLE {name} ADD {clauses}")
        except AnalysisException as error:
            if "ALREADY_EXIST" not in (error.getCondition() or ""):
                raise
            new = []  # another run added some of them meanwhile
    for night in nights:
        if night not in new:
            spark.sql(f"ALTER TABLE {name} PARTITION {_spec(night)} SET LOCATION {literal(root / night.location)}")


def verify_partitions(spark: SparkSession, root: Path, catalog: str, table: Table, nights: Sequence[Published]) -> None:
    """Ask the catalog which files a reader of these nights would read; they must be exactly the run's.

    Raises:
        PublishError: they are not.
    """
    dates = [n.run_date for n in nights]
    reader = spark.table(quoted(catalog, table.name)).where(F.col(RUN_DATE.name).isin(dates))
    seen = {unquote(urlparse(uri).path) for uri in reader.inputFiles()}
    wanted = {str(root / path) for night in nights for path in night.files}
    if seen != wanted:
        example = min(seen ^ wanted)
        raise PublishError(
            f"{catalog}.{table.name} does not show this run: {len(wanted - seen)} of its files are missing, "
            f"{len(seen - wanted)} are of another run (for example {example}). Another run published at the same time; run again"
        )


def drop_partitions(spark: SparkSession, catalog: str, tables: Sequence[Table], dates: Sequence[date]) -> None:
    """Let tables show nothing on some nights; their files stay. Tables and partitions that are not there are passed over."""
    present = _locations(spark, catalog, tables) if tables else {}
    specs = ", ".join(f"PARTITION ({RUN_DATE.name} = '{day.isoformat()}')" for day in dates)
    for table in tables:
        if table.name in present and specs:
            spark.sql(f"ALTER TABLE {quoted(catalog, table.name)} DROP IF EXISTS {specs}")


def shown_folders(spark: SparkSession, root: Path, catalog: str, tables: Sequence[Table]) -> set[str]:
    """Return the folders, relative to the output root, that partitions of the tables point at now, empty ones included.

    Raises:
        PublishError: the catalog refused.
    """
    if not spark.catalog.databaseExists(quoted(catalog)):
        return set()
    shown = set()
    names = _locations(spark, catalog, tables)
    try:
        jvm = spark.sparkContext._jvm
        assert jvm is not None
        # SQL tells the location of one partition at a time; there are tables x nights of them
        external = spark._jsparkSession.sharedState().externalCatalog()
        for name in names:
            partitions = external.listPartitions(catalog, name, jvm.scala.Option.empty())
            for partition in jvm.scala.jdk.javaapi.CollectionConverters.asJava(partitions):
                shown.add(unquote(urlparse(partition.location().toString()).path))
    except Py4JError as error:
        raise PublishError(f"{catalog}: the catalog does not say where its partitions lie: {error}") from error
    return {str(Path(path).relative_to(root)) for path in shown if Path(path).is_relative_to(root)}


def _known_nights(spark: SparkSession, name: str) -> set[str]:
    rows = spark.sql(f"SHOW PARTITIONS {name}").collect()  # bounded: one row per published night
    return {unquote(row["partition"]).removeprefix(f"{RUN_DATE.name}=") for row in rows}


def _locations(spark: SparkSession, catalog: str, tables: Sequence[Table]) -> dict[str, Path]:
    """Return where the tables that exist already have their folder."""
    names = "|".join(table.name for table in tables)
    rows = spark.sql(f"SHOW TABLE EXTENDED IN {quoted(catalog)} LIKE '{names}'").collect()  # bounded: our tables
    found = {}
    for row in rows:
        location = re.search(r"^Location: (.+)$", row["information"], re.MULTILINE)
        found[row["tableName"]] = Path(urlparse(location.group(1)).path if location else "no location: a view")
    return found


def _add_columns(spark: SparkSession, catalog: str, table: Table) -> None:
    """Compare an existing table with this version's; add what is only new."""
    name = quoted(catalog, table.name)
    present = {f.name: f.dataType.simpleString() for f in spark.table(name).schema}
    wanted = {f.name: f.dataType.simpleString() for f in table.struct()}
    odd = changed_columns(present, wanted)
    if odd:
        raise PublishError(
            f"table {catalog}.{table.name} has other columns than this version of Nightjar: {'; '.join(odd)}. Set output.catalog "
            "to a new name and publish all nights there, or drop the table (the files stay) and publish its nights again"
        )
    new = [field for field in table.struct() if field.name not in present]
    if new:
        spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({type(table.struct())(new).toDDL()})")


def _spec(night: Published) -> str:
    return f"({RUN_DATE.name} = '{night.run_date.isoformat()}')"


def literal(value: Path | str) -> str:
    """Return a SQL string literal."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
