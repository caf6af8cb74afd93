"""Spark's JDBC server, and where asked Spark Connect's, in a session that holds the functions and the published tables."""

import contextlib
import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkConf
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline.errors import NightjarError
from pipeline.read_tables import published_catalog
from pipeline.serving.binding import (
    Address,
    check_address,
    check_connect_address,
    check_free,
    listening_properties,
)
from pipeline.serving.ended_sessions import end_idle_threads, forget_ended_queries
from pipeline.serving.properties import hide_statements, let_the_oldest_win, server_properties, tell_hive
from pipeline.serving.statements import Statements
from pipeline.serving.tables import ServedTables
from pipeline.session import build_session, check_java, retrying
from pipeline.sql import SqlConfig, register
from pipeline.sql.sharing import share_functions

logger = logging.getLogger(__name__)
_WATCH_SEC, _FOLLOW_SEC, _HEALTH_SEC, _GRACE_SEC = 1.0, 10.0, 60.0, 30.0


@dataclass(frozen=True)
class Health:
    """JDBC sessions that are open, JDBC statements that run, and MiB of the JVM's heap that are in use."""

    sessions: int
    running: int
    heap_mib: int


class SqlServer:
    """A running server. Its methods are called by the thread that opened it."""

    def __init__(self, spark: SparkSession, tables: ServedTables, functions: tuple[str, ...], address: Address) -> None:
        """Start listening.

        Raises:
            NightjarError: it cannot listen there.
        """
        self.tables, self.functions, self.address = tables, functions, address
        self._spark = spark
        jvm: Any = spark.sparkContext._jvm
        hide_statements(jvm)
        tell_hive(jvm, dict(spark.sparkContext.getConf().getAll()))
        package = jvm.org.apache.spark.sql.hive.thriftserver
        try:
            self._thrift = package.HiveThriftServer2.startWithContext(spark._jsparkSession.sqlContext())
        except Py4JError as error:
            raise NightjarError(
                f"{address.host}:{address.port}: the JDBC server did not start: {_last_cause(error)}"
            ) from None
        self._statements = Statements(spark)
        self._runtime = jvm.java.lang.Runtime.getRuntime()
        self._started = time.monotonic()

    @property
    def url(self) -> str:
        """The JDBC URL, without what authentication adds to it."""
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"jdbc:hive2://{host}:{self.address.port}/{self.tables.catalog}"

    def health(self) -> Health:
        """Ask the JVM how it is.

        Raises:
            NightjarError: the JVM has ended, or the server in it.
        """
        try:
            if self._thrift.getServiceState().toString() != "STARTED":
                raise NightjarError("the JDBC server has stopped by itself; start it again")
            heap = (self._runtime.totalMemory() - self._runtime.freeMemory()) >> 20
            return Health(self._statements.sessions(), self._statements.running(), heap)
        except (Py4JError, OSError):
            raise NightjarError(
                "the JVM has ended, perhaps for want of memory: start the server again, with more spark.driver.memory"
            ) from None

    def serve(self, stopping: threading.Event) -> None:
        """Until `stopping` is set, cancel what computes for nobody, follow the publish log, log a line of health every minute.

        Raises:
            NightjarError: the server has ended by itself.
        """
        follow = time.monotonic() + _FOLLOW_SEC
        say = time.monotonic() + _HEALTH_SEC
        while not stopping.wait(_WATCH_SEC):
            self._cancel_abandoned()
            if time.monotonic() >= follow:
                follow = time.monotonic() + _FOLLOW_SEC
                health = self.health()
                self._follow()
                self._forget()
                if time.monotonic() >= say:
                    say += _HEALTH_SEC
                    self._log(health)

    def _cancel_abandoned(self) -> None:
        try:
            cancelled = self._statements.cancel_abandoned()
        except (Py4JError, OSError):
            return  # where the JVM has ended, `health` says so
        if cancelled:
            logger.info(f"abandoned {cancelled} statements cancelled whose client has gone")

    def _follow(self) -> None:
        try:
            if changed := self.tables.follow():
                logger.info(f"tables    {changed} nights of tables are newly published and shown")
            self.tables.restore()
        except (NightjarError, PySparkException, Py4JError) as error:
            logger.warning(f"follow    put off: {str(error).splitlines()[0]}")

    def _forget(self) -> None:
        with contextlib.suppress(Py4JError, OSError):  # a JVM that has ended, or a Spark that remembers no jobs
            if ended := forget_ended_queries(self._spark):
                logger.info(f"ended     jobs of {ended} queries forgotten that started after the query's end")

    def _log(self, health: Health) -> None:
        logger.info(
            f"health    up {time.monotonic() - self._started:,.0f} s, {health.sessions} sessions, "
            f"{health.running} statements running, heap {health.heap_mib:,} MiB",
            extra={"event": "health", **vars(health)},
        )

    def stop(self, grace_sec: float = _GRACE_SEC) -> None:
        """Let running statements end, for at most `grace_sec`, then close all sessions. A JVM that is gone is no error."""
        with contextlib.suppress(Py4JError, OSError, NightjarError):
            deadline = time.monotonic() + grace_sec
            while (running := self.health().running) and time.monotonic() < deadline:
                time.sleep(0.2)
            logger.info(f"stopping  {running} statements cancelled" if running else "stopping  no statement is running")
            self._thrift.stop()


@contextlib.contextmanager
def open_server(root: Path, config: SqlConfig, address: Address, connect: Address | None = None) -> Iterator[SqlServer]:
    """Open a server on what is published under `root`; on leaving the block it is stopped.

    Raises:
        ConfigError: nothing is published there, or the address may not or cannot be listened on.
        ModelError: a model of the configuration is unknown, unsafe or changed.
        NightjarError: the server does not start.
    """
    submitted = {**dict(SparkConf().getAll()), **config.spark}
    for warning in check_address(address, submitted):
        logger.warning(f"warning   {warning}")
    check_free(address, "--port")
    if connect is not None:
        check_connect_address(connect, submitted)
        check_free(connect, "--connect-port")
    published_catalog(root)
    check_java()
    with tempfile.TemporaryDirectory(prefix="nightjar-sql-") as folder:
        properties = {
            **server_properties(Path(folder), submitted),
            **config.spark,
            **listening_properties(address, connect),
            "spark.master": retrying(submitted.get("spark.master", "local[*]")),
        }
        spark = build_session("nightjar-sql-server", properties)
        try:
            try:
                let_the_oldest_win(spark)
            except Py4JError:
                logger.warning("this Spark hides its counter of stages: ties between statements are not settled by age")
            end_idle_threads(spark)
            tables = ServedTables(spark, root, Path(folder))
            functions = register(spark, config).names
            share_functions(spark, functions)
            server = SqlServer(spark, tables, functions, address)
            try:
                with _connect_server(spark) if connect is not None else contextlib.nullcontext():
                    yield server
            finally:
                server.stop()
        finally:
            with contextlib.suppress(Py4JError, OSError):
                spark.stop()


@contextlib.contextmanager
def _connect_server(spark: SparkSession) -> Iterator[None]:
    jvm: Any = spark.sparkContext._jvm
    service = getattr(getattr(jvm.org.apache.spark.sql.connect.service, "SparkConnectService$"), "MODULE$")
    service.start(spark.sparkContext._jsc.sc())
    try:
        yield
    finally:
        with contextlib.suppress(Py4JError, OSError):
            service.stop(jvm.scala.Option.empty(), jvm.scala.Option.empty())


def _last_cause(error: Py4JError) -> str:
    causes = [line.strip() for line in str(error).splitlines() if line.startswith((":", "Caused by:"))]
    return causes[-1].removeprefix("Caused by:").lstrip(": ") if causes else type(error).__name__
