"""The one place where sessions are built, and the settings that results depend on."""

import logging
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyspark
from pyspark import SparkConf
from pyspark.sql import SparkSession

import udfs
from pipeline.errors import ConfigError, NightjarError
from pipeline.java import java_problem
from udfs.handshake import SCHEMA, report

logger = logging.getLogger(__name__)

_FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
}
"""Results depend on these; a configuration that asks for something else is refused."""

_REDACTED = (
    "(?i)secret|password|passwd|token|credential|access[.]?key|api[._-]?key|dsn|authorization|://[^/@\\s]+:[^/@\\s]+@"
)
"""Matched against names and values of properties; the last part is an address with a user and a password in it."""

_DEFAULTS = {
    "spark.speculation": "false",
    "spark.python.worker.reuse": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.pyspark.udf.faulthandler.enabled": "true",
    "spark.python.udf.pipelined.enabled": "true",
    "spark.redaction.regex": _REDACTED,
    "spark.ui.showConsoleProgress": "false",
    "spark.locality.wait": "0",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.log.structuredLogging.enabled": "false",
    # descriptions of plans, which the driver keeps for every query, would fill a small heap
    "spark.sql.maxPlanStringLength": "20000",
    "spark.sql.ui.retainedExecutions": "50",
    # the table that a broadcast join looks into takes a page however few rows it has; Spark's own choice for 2 GB is 32 MB, and a
    # frame that is held holds its tables
    "spark.buffer.pageSize": "2m",
    # thousands of small files are listed in so many tasks, not in one each
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "64",
}
_FOR_LONG_TEXTS = {
    # texts of megabytes: rows that are read at once, batches that a stream of objects holds on to, rows of a window in memory
    "spark.sql.parquet.columnarReaderBatchSize": "4",
    "spark.sql.inMemoryColumnarStorage.hugeVectorThreshold": "16m",
    "spark.serializer.objectStreamReset": "4",
    "spark.sql.windowExec.buffer.spill.size.threshold": "64m",
}
"""Defaults of jobs that read the corpus; those that read published tables alone are better off with Spark's own."""
_LOCAL_DEFAULTS = {
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "16",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


_EXECUTOR_WAIT_SEC = 120


def check_java() -> None:
    """Fail if there is no Java that Spark can run on.

    Raises:
        ConfigError: in one line that says what to install.
    """
    problem = java_problem()
    if problem:
        raise ConfigError(problem)


def build_session(
    app_name: str, properties: Mapping[str, str], catalog_dir: Path | None = None, *, reads_corpus: bool = False
) -> SparkSession:
    """Build the session of a job.

    Args:
        properties: Spark properties of the configuration. They win over this module's defaults; what spark-submit or a
            properties file sets wins over those defaults too.
        catalog_dir: where the embedded metastore lies, unless the properties name a remote one; None for no metastore.
        reads_corpus: whether texts of any length are read, which must fit the heap.

    Raises:
        ConfigError: a property that results depend on is set to something else, or GPU resources in local mode.
    """
    submitted = dict(SparkConf().getAll())
    wanted = merge_properties(properties, submitted)
    if reads_corpus:
        wanted |= {
            key: value for key, value in _FOR_LONG_TEXTS.items() if key not in submitted and key not in properties
        }
    if catalog_dir is not None and "spark.hadoop.hive.metastore.uris" not in wanted:
        wanted |= embedded_metastore(catalog_dir)
    os.environ.setdefault("PYSPARK_PYTHON", wanted.get("spark.pyspark.python", sys.executable))
    if wanted["spark.master"].startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName(app_name)
    for key, value in wanted.items():
        builder = builder.config(key, value)
    if catalog_dir is not None:
        builder = builder.enableHiveSupport()
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel(wanted.get("spark.log.level", "ERROR"))
    if catalog_dir is not None:
        # under spark-submit the JVM already runs, so the property cannot be given on its command line
        jvm = spark.sparkContext._jvm
        assert jvm is not None
        jvm.java.lang.System.setProperty("derby.stream.error.file", str(catalog_dir / "derby.log"))
    return spark


def merge_properties(configured: Mapping[str, str], submitted: Mapping[str, str]) -> dict[str, str]:
    """Return all properties of a session: this module's, then what spark-submit set, then the configuration's."""
    master = configured.get("spark.master") or submitted.get("spark.master") or "local[*]"
    if submitted.get("spark.master", master) != master:
        logger.warning(
            f"warning   spark.master {master} of the configuration wins over {submitted['spark.master']} of spark-submit"
        )
    for key, value in _FIXED.items():
        asked = configured.get(key, submitted.get(key, value))
        if asked.lower() != value.lower():
            raise ConfigError(f"{key}: must be {value}, got {asked!r}; results depend on it, remove the setting")
    merged = {
        **_DEFAULTS,
        **(_LOCAL_DEFAULTS if master.startswith("local") else {}),
        **submitted,
        **configured,
        **_FIXED,
    }
    gpu = sorted(key for key in merged if ".resource.gpu" in key)
    if is_local_mode(master) and gpu:
        raise ConfigError(
            f"{gpu[0]}: Spark hangs on GPU resources in local mode; remove it, the device is chosen without it"
        )
    cpus = merged.get("spark.task.cpus", "1")
    threads = {f"spark.executorEnv.{name}": cpus for name in ("RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    offline = {"spark.executorEnv.HF_HUB_OFFLINE": "1"}
    return {**threads, **offline, **merged, "spark.master": master}


def retrying(master: str) -> str:
    """Return a master of local mode that tries a task twice, as clusters do by themselves; any other as it is.

    With many stages at once Spark now and then hands a task an idle Python worker whose channel it has just closed
    (ClosedChannelException in PythonWorkerFactory), and local mode tries a task once.
    """
    threads = "1" if master == "local" else master.removeprefix("local[").removesuffix("]")
    return f"local[{threads}, 2]" if re.fullmatch(r"local(\[(\d+|\*)\])?", master) else master


def is_local_mode(master: str) -> bool:
    """Return whether driver and executor are one process; `local-cluster` has processes of its own, like a cluster."""
    return master.startswith("local") and not master.startswith("local-cluster")


def embedded_metastore(catalog_dir: Path) -> dict[str, str]:
    """Return the properties of a Derby metastore in `catalog_dir`: one process at a time, for a laptop or one host."""
    catalog_dir.mkdir(parents=True, exist_ok=True)
    return {
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={catalog_dir}/metastore_db;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.hadoop.hive.async.log.enabled": "false",
        "spark.sql.warehouse.dir": str(catalog_dir / "warehouse"),
    }


@contextmanager
def _patience(spark: SparkSession) -> Iterator[None]:
    """Cancel what runs in the block if no executor takes a task within two minutes; Spark itself would wait for ever.

    Raises:
        NightjarError: saying what to look at.
    """
    tracker, context = spark.sparkContext.statusTracker(), spark.sparkContext
    done, gave_up = threading.Event(), threading.Event()

    def watch() -> None:
        deadline = time.monotonic() + _EXECUTOR_WAIT_SEC
        while not done.wait(1.0):
            stages = [tracker.getStageInfo(i) for i in tracker.getActiveStageIds()]
            if any(s is not None and s.numActiveTasks + s.numCompletedTasks > 0 for s in stages):
                return
            if time.monotonic() > deadline:
                gave_up.set()
                context.cancelAllJobs()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if not gave_up.is_set():
            raise
        raise NightjarError(
            f"no executor took a task within {_EXECUTOR_WAIT_SEC} s; check that the cluster has free workers and offers what "
            "spark.executor.memory, spark.executor.cores and spark.task.* ask for"
        ) from error
    finally:
        done.set()


@dataclass(frozen=True)
class Executors:
    """Who answered the handshake: number of executor processes, and where they import `udfs` from."""

    count: int
    code: tuple[str, ...]


def check_executors(spark: SparkSession) -> Executors:
    """Compare the code and Python of the executors with the driver's before any data is read.

    Raises:
        NightjarError: if they differ, naming both.
    """
    slots = max(2, spark.sparkContext.defaultParallelism) * 2
    asked = spark.range(0, slots, numPartitions=slots).mapInArrow(report, SCHEMA)
    with _patience(spark):
        answers = asked.distinct().collect()  # bounded: one row per executor process
    here = (udfs.__version__, ".".join(platform.python_version_tuple()[:2]))
    for answer in answers:
        there = (answer.version, answer.python)
        if there != here:
            raise NightjarError(
                f"executors run nightjar {there[0]} on Python {there[1]} (from {answer.code}), "
                f"the driver {here[0]} on {here[1]}; "
                "ship the same archive with --py-files and set spark.pyspark.python"
            )
    return Executors(len({a.host for a in answers}), tuple(sorted({a.code for a in answers})))


def spark_version() -> tuple[int, int]:
    """Return major and minor version of the installed PySpark."""
    major, minor, *_ = pyspark.__version__.split(".")
    return int(major), int(minor)
