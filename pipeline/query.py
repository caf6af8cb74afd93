"""One question in SQL to the published tables, answered by DuckDB or by Spark with the same values."""

import contextlib
import itertools
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark import SparkConf
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession

from pipeline.catalog import quoted
from pipeline.errors import ConfigError, NightjarError
from pipeline.read_tables import published_catalog
from pipeline.session import build_session, check_java

if TYPE_CHECKING:
    import duckdb

_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|(?P<word>[A-Za-z_]\w*)|(?P<mark>[();])|[^\s]",
    re.DOTALL,
)
_READS = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN")
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_EXPLAIN_HOW = frozenset({"EXPLAIN", "ANALYZE", "EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL"})


@dataclass(frozen=True)
class Answer:
    """Rows in order, values as Arrow gives them to Python. `cut`: there are more rows than the limit."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool


def check_query(sql: str) -> str:
    """Return one reading statement without its final semicolon.

    Raises:
        ConfigError: it is empty, several statements, or one that could change something.
    """
    words: list[str] = []
    depth, ended = 0, False
    for token in _TOKEN.finditer(sql):
        text = token.group()
        if text.startswith(("--", "/*")):
            continue
        if text == ";":
            ended = True
            continue
        if ended:
            raise ConfigError("several statements in one query; give them one by one")
        depth += (text == "(") - (text == ")")
        if token["word"] and (depth == 0 or not words):
            words.append(text.upper())
        elif not words and text != "(":
            words.append(text)
    if not words:
        raise ConfigError("the query is empty; give a statement such as 'SELECT * FROM sentiment_daily'")
    first = next((w for w in words if w not in _EXPLAIN_HOW), words[0]) if words[0] == "EXPLAIN" else words[0]
    writes = _WRITES.intersection(words) if words[0] in ("WITH", "EXPLAIN") else frozenset()
    if words[0] not in _READS or first not in _READS or writes:
        raise ConfigError(
            f"{min(writes, default=first)} is refused: ask one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN statement; "
            "only the nightly job changes published tables"
        )
    return sql.strip().rstrip("; \t\r\n")


def ask_duckdb(connection: "duckdb.DuckDBPyConnection", sql: str, limit: int) -> Answer:
    """Run a checked statement in DuckDB.

    Raises:
        ConfigError: the statement is wrong.
        NightjarError: it is right but failed, for example because a file is missing.
    """
    import duckdb

    try:
        return _answer(connection.sql(sql).limit(limit + 1).to_arrow_table(), limit)
    except (duckdb.OperationalError, duckdb.InternalError) as error:
        raise NightjarError(_first_line(error)) from None
    except duckdb.Error as error:
        raise ConfigError(_first_line(error)) from None


def ask_spark(spark: SparkSession, sql: str, limit: int) -> Answer:
    """Run a checked statement in Spark.

    Raises:
        ConfigError: the statement is wrong.
        NightjarError: it is right but failed.
    """
    try:
        frame = spark.sql(sql).limit(limit + 1)
        return _answer(frame.toDF(*_distinct(frame.columns)).toArrow(), limit)
    except (PySparkException, ValueError) as error:  # ValueError: a type that Arrow does not have
        raise ConfigError(_first_line(error)) from None
    except Py4JError as error:
        raise NightjarError(_first_line(error)) from None


@contextlib.contextmanager
def spark_session(root: Path, properties: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """Open a session on the tables published under `root`; the JVM's own messages go nowhere.

    Raises:
        ConfigError: no such folder, no published night, or no catalog of Spark there.
        NightjarError: another process has the embedded catalog open.
    """
    catalog = published_catalog(root)
    catalog_dir = root.absolute() / "_catalog"
    if not catalog_dir.is_dir() and "spark.hadoop.hive.metastore.uris" not in dict(SparkConf().getAll()):
        raise ConfigError(
            f"{root}: holds no catalog for Spark; name the metastore with spark-submit --conf, or ask DuckDB"
        )
    check_java()
    logging.getLogger("SQLQueryContextLogger").setLevel(
        logging.CRITICAL
    )  # PySpark's: a JSON trace of every wrong statement
    with _silent():
        spark = build_session("nightjar-sql", properties or {}, catalog_dir)
    try:
        spark.sql(f"USE {quoted(catalog)}")
        yield spark
    except AnalysisException as error:
        if "Derby" in str(error) or "HiveException" in str(error):
            raise NightjarError(
                f"{catalog_dir}: cannot be opened; one process at a time can use the embedded catalog: "
                "wait for the run that is going on, or use --engine duckdb"
            ) from None
        raise ConfigError(_first_line(error)) from None
    finally:
        spark.stop()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Point standard error nowhere: a JVM started meanwhile keeps it so, this process gets its own back."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _answer(table: pa.Table, limit: int) -> Answer:
    values = [column.to_pylist() for column in table.slice(0, limit).columns]
    return Answer(tuple(table.column_names), tuple(zip(*values, strict=True)), table.num_rows > limit)


def _distinct(names: Sequence[str]) -> list[str]:
    """Number repeated column names as DuckDB does: a, a_1, a_2."""
    found: list[str] = []
    for name in names:
        candidates = itertools.chain([name], (f"{name}_{n}" for n in itertools.count(1)))
        found.append(next(c for c in candidates if c.lower() not in {f.lower() for f in found}))
    return found


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
