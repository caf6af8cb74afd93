"""What Spark keeps of clients' sessions that have ended, and how it is made to let go. Each session is about 0.4 MiB.

Threads. The session of a thread is inherited by the threads it starts (`SparkSession.activeThreadSession`), and a thread keeps
what it inherited. The threads that prepare shuffles, broadcasts, subqueries and results are started by statements, up to 1,024 of
a kind, and wait a minute for the next piece of work of anybody. Where clients come and go some piece always comes, and these
threads and their first clients' sessions stay (`ThreadUtils.newDaemonCachedThreadPool` of Spark 4). Spark's own settings bound
their number (`spark.sql.shuffleExchange.maxThreadThreshold` and the like), but few threads can wait for each other without end: a
shuffle waits for its subquery, which needs a thread for a shuffle of its own; with one thread such a query hangs.

Jobs. The scheduler remembers the jobs of a query until it is told that the query has ended (`DAGScheduler.activeQueryToJobs`). A
job that starts after that, as happens where a connection is cut, is remembered for ever, and with it its session.
"""

import logging
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)

_POOLS = (
    "adaptive.AdaptiveSparkPlanExec",
    "adaptive.ResultQueryStageExec",
    "exchange.BroadcastExchangeExec",
    "exchange.ShuffleExchangeExec",
    "SubqueryBroadcastExec",
    "SubqueryExec",
)
"""Classes below `org.apache.spark.sql.execution` whose companion has threads."""
IDLE_SEC = 1
"""How long a thread waits for work before it ends."""


def end_idle_threads(spark: SparkSession) -> None:
    """Make them end after a second without work; a warning names those that this Spark does not have or does not show."""
    jvm: Any = spark.sparkContext._jvm
    unknown = []
    for name in _POOLS:
        owner = jvm.org.apache.spark.sql.execution
        for part in f"{name}$".split("."):
            owner = getattr(owner, part)
        try:
            pool = getattr(owner, "MODULE$").executionContext().executor()
            pool.setKeepAliveTime(IDLE_SEC, jvm.java.util.concurrent.TimeUnit.SECONDS)
        except (Py4JError, TypeError):  # a class that is not there is a package for py4j, which cannot be called
            unknown.append(name.rpartition(".")[2])
    if unknown:
        logger.warning(
            f"{', '.join(unknown)}: no threads of that name here; those of another name may keep ended sessions"
        )


def forget_ended_queries(spark: SparkSession) -> int:
    """Tell the scheduler once more that queries have ended, where it remembers jobs of theirs; return how many queries.

    Raises:
        Py4JError: the JVM has ended, or this Spark remembers no jobs (4.1).
    """
    jvm: Any = spark.sparkContext._jvm
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()
    running = getattr(getattr(jvm.org.apache.spark.sql.execution, "SQLExecution$"), "MODULE$")
    remembered = jvm.java.util.List.copyOf(scheduler.activeQueryToJobs().keySet())
    ended = [query for query in remembered if running.getQueryExecution(query) is None]
    for query in ended:
        scheduler.cleanupQueryJobs(query)
    return len(ended)
