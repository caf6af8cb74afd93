"""What Spark, Hive's server in it and their loggers are told, whoever configures the rest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

_FAIR = """<?xml version="1.0"?>
<allocations>
  <pool name="default"><schedulingMode>FAIR</schedulingMode><weight>1</weight><minShare>0</minShare></pool>
</allocations>
"""
_FIRST_STAGE = 100_000_000
_STATEMENT_LOGGERS = (
    "org.apache.spark.sql.hive.thriftserver",
    "org.apache.hive.service",
    "org.apache.spark.sql.connect",
)
"""What these log of a failed statement holds the statement, which may hold text of a document."""


def server_properties(folder: Path, submitted: Mapping[str, str]) -> dict[str, str]:
    """Return the defaults: a catalog in memory, statements that share the cores, answers that cannot fill the driver."""
    pools = folder / "pools.xml"
    pools.write_text(_FAIR, encoding="utf-8")
    defaults = {
        "spark.scheduler.mode": "FAIR",
        "spark.scheduler.allocation.file": pools.as_uri(),
        "spark.driver.maxResultSize": "512m",
        "spark.sql.thriftServer.interruptOnCancel": "true",
        "spark.hadoop.hive.server2.idle.session.timeout": "8h",
        # a thread that has run a statement keeps its session until it ends; by default it waits ten seconds for another
        "spark.hadoop.hive.server2.async.exec.keepalive.time": "1s",
        # lists of files that a session has read; by default they stay when it has ended, up to 250 MiB of all sessions
        "spark.sql.metadataCacheTTLSeconds": "60",
        # what Spark keeps of jobs that have ended; by default it grows for hours before it is bounded
        "spark.ui.retainedJobs": "200",
        "spark.ui.retainedStages": "200",
        "spark.ui.retainedTasks": "5000",
    }
    fixed = {
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        # by default all servers of a user share a folder, and each removes it when it ends
        "spark.hadoop.hive.server2.logging.operation.log.location": str(folder / "operation_logs"),
    }
    return {key: value for key, value in defaults.items() if key not in submitted} | fixed


def tell_hive(jvm: Any, properties: Mapping[str, str]) -> None:
    """Set the server's keys as system properties too: its LDAP and custom authenticators read nothing else."""
    for key, value in properties.items():
        name = key.removeprefix("spark.hadoop.").removeprefix("spark.")
        if name.startswith("hive.server2."):
            jvm.java.lang.System.setProperty(name, value)


def hide_statements(jvm: Any) -> None:
    """Keep statements out of the log, also those that fail."""
    logging_ = jvm.org.apache.logging.log4j
    for name in _STATEMENT_LOGGERS:
        logging_.core.config.Configurator.setLevel(name, logging_.Level.OFF)


def let_the_oldest_win(spark: SparkSession) -> None:
    """Make ties between statements go to the oldest.

    Where two stages have as few tasks running, Spark's fair scheduler takes the one whose name comes first, and compares names
    as text: `TaskSet_100` before `TaskSet_99`, which waits as long as others come (FairSchedulingAlgorithm of Spark 4). Where all
    numbers have as many digits, text compares as numbers do. So the counter of stages starts with nine.

    No setting does it. Mode FIFO lets a long statement hold up all later ones. A pool for each session is for the client to set
    (`spark.sql.thriftserver.scheduler.pool`), is never removed, and ties between pools go by their names too. Weight and minShare
    are those of pools, not of stages; `spark.locality.wait` is about where a task runs, not which.

    Raises:
        Py4JError: this Spark has no such counter.
    """
    jvm: Any = spark.sparkContext._jvm
    gateway: Any = spark.sparkContext._gateway
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    counter = scheduler.getClass().getDeclaredField("nextStageId")
    counter.setAccessible(True)
    # composed in the JVM: py4j would turn the counter, a java.lang.Number, into an int on its way
    handles, lookup = jvm.java.lang.invoke.MethodHandles, jvm.java.lang.invoke.MethodHandles.publicLookup()
    returns_nothing = jvm.java.lang.invoke.MethodType.methodType(jvm.java.lang.Void.TYPE, jvm.java.lang.Integer.TYPE)
    setter = lookup.findVirtual(counter.getType(), "set", returns_nothing)
    getter = gateway.new_array(jvm.java.lang.invoke.MethodHandle, 1)
    getter[0] = lookup.unreflectGetter(counter)
    handles.filterArguments(setter, 0, getter).invokeWithArguments(jvm.java.util.List.of(scheduler, _FIRST_STAGE))
