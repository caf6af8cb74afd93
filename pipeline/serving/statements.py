"""The statements of the JDBC server, as Spark's listener sees them, and those that compute for nobody.

When a connection ends, Spark's server closes its session, interrupts the threads of its statements and cancels the jobs they
have. A statement that was just being planned may swallow the interrupt and start its jobs after that; nobody cancels those, and
the listener is never told that it has ended (SparkExecuteStatementOperation of Spark 4). So the jobs that run are compared with
the sessions that are open.
"""

from typing import Any

from pyspark.sql import SparkSession

_COMPUTES = ("STARTED", "COMPILED")
_LOST_INTEREST = ("CANCELED", "TIMEDOUT", "FAILED", "CLOSED")
"""States after which nobody can fetch a row; a FINISHED statement is still fetched from, by jobs where it is incremental."""


class Statements:
    """Statements and sessions of a session's JDBC server. For one thread; all methods raise Py4JError once the JVM has ended."""

    def __init__(self, spark: SparkSession) -> None:
        jvm: Any = spark.sparkContext._jvm
        package = jvm.org.apache.spark.sql.hive.thriftserver
        self._context = spark.sparkContext._jsc.sc()
        self._events = package.HiveThriftServer2.eventManager()
        self._store = package.ui.HiveThriftServer2AppStatusStore(self._context.statusStore().store())
        self._running_jobs = jvm.java.util.List.of(jvm.org.apache.spark.JobExecutionStatus.RUNNING)

    def sessions(self) -> int:
        """Return how many sessions are open."""
        return int(self._store.getOnlineSessionNum())

    def running(self) -> int:
        """Return how many statements compute for a client that is there.

        Spark's own count has those too whose client has its rows and keeps them open, and those the listener was not told of.
        """
        listed, count = self._store.getExecutionList().iterator(), 0
        while listed.hasNext():
            statement = listed.next()
            if statement.state().toString() in _COMPUTES:
                is_there = self._has_session(statement)
                count += is_there
                if not is_there:
                    self._tell_cancelled(statement)
        return count

    def cancel_abandoned(self) -> int:
        """Cancel the jobs, running or still to come, of statements whose client has gone; return how many statements."""
        cancelled = 0
        for group in self._groups():
            found = self._store.getExecution(group)
            if found.isEmpty():
                continue  # of Spark Connect, or of the server itself
            statement = found.get()
            if statement.state().toString() in _LOST_INTEREST or not self._has_session(statement):
                self._context.cancelJobGroupAndFutureJobs(group, "its client has gone")
                self._tell_cancelled(statement)
                cancelled += 1
        return cancelled

    def _groups(self) -> set[str]:
        """Job groups that compute; the server names the group of a statement's jobs by the statement's id."""
        jobs, found = self._context.statusStore().jobsList(self._running_jobs).iterator(), set()
        while jobs.hasNext():
            group = jobs.next().jobGroup()
            if group.isDefined():
                found.add(group.get())
        return found

    def _has_session(self, statement: Any) -> bool:
        """Whether the session of a statement is open; one that the listener does not know counts as open."""
        session = self._store.getSession(statement.sessionId())
        return bool(session.isEmpty() or session.get().finishTimestamp() == 0)

    def _tell_cancelled(self, statement: Any) -> None:
        """Tell the listener, which keeps a statement that has not ended for ever."""
        if statement.finishTimestamp() == 0:
            self._events.onStatementCanceled(statement.execId())
            self._events.onOperationClosed(statement.execId())
