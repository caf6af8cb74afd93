"""Statements that compute for nobody: their client has gone, and their session or they themselves are closed.

When a connection ends, Spark's server closes its session, interrupts the threads of its statements and cancels the jobs they
have. A statement that was just being planned may swallow the interrupt and start its jobs after that; nobody cancels those
(SparkExecuteStatementOperation.cleanup of Spark 4). So the jobs that run are compared with the statements that are open.
"""

from typing import Any

from pyspark.sql import SparkSession

_LOST_INTEREST = ("CANCELED", "TIMEDOUT", "FAILED", "CLOSED")
"""States after which nobody can fetch a row; a FINISHED statement is still fetched from, by jobs where it is incremental."""


class AbandonedStatements:
    """Finds and cancels them. For one thread."""

    def __init__(self, spark: SparkSession, statements: Any) -> None:
        """Watch a session's context.

        Args:
            statements: Spark's `HiveThriftServer2AppStatusStore` of it.
        """
        self._context = spark.sparkContext._jsc.sc()
        jvm: Any = spark.sparkContext._jvm
        self._running = jvm.java.util.List.of(jvm.org.apache.spark.JobExecutionStatus.RUNNING)
        self._statements = statements

    def cancel(self) -> int:
        """Cancel the jobs of all abandoned statements, those that run and those still to come; return how many statements.

        Raises:
            Py4JError: the JVM has ended.
        """
        groups = {group for group in self._groups() if self._is_abandoned(group)}
        for group in groups:
            self._context.cancelJobGroupAndFutureJobs(group, "its client has gone")
        return len(groups)

    def _groups(self) -> set[str]:
        """Job groups that compute; the server names the group of a statement's jobs by the statement's id."""
        running, found = self._context.statusStore().jobsList(self._running).iterator(), set()
        while running.hasNext():
            group = running.next().jobGroup()
            if group.isDefined():
                found.add(group.get())
        return found

    def _is_abandoned(self, group: str) -> bool:
        statement = self._statements.getExecution(group)
        if statement.isEmpty():
            return False  # of Spark Connect, or of the job itself
        if statement.get().state().toString() in _LOST_INTEREST:
            return True
        session = self._statements.getSession(statement.get().sessionId())
        return bool(session.isDefined() and session.get().finishTimestamp() > 0)
