"""What a server's sessions hold: the published tables without the root's catalog, and the functions of the first session."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyspark
import pytest
from conftest import Warehouse
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from pipeline.errors import NightjarError
from pipeline.read_tables import open_duckdb
from pipeline.serving.ended_sessions import forget_ended_queries
from pipeline.serving.properties import let_the_oldest_win
from pipeline.serving.tables import ServedTables
from pipeline.sql.register import register_functions
from pipeline.sql.sharing import share_functions
from udfs.sql_text import FUNCTIONS


def test_tables_are_read_and_not_written_and_come_back(
    spark: SparkSession, warehouse: Warehouse, tmp_path: Path
) -> None:
    tables = ServedTables(spark, warehouse.root, tmp_path)
    client = spark.newSession()
    try:
        with open_duckdb(warehouse.root) as db:
            wanted = db.sql("SELECT run_date, doc_id FROM doc_scores ORDER BY ALL").fetchall()
        rows = client.sql("SELECT run_date, doc_id FROM nightjar.doc_scores ORDER BY ALL").collect()
        assert [tuple(row) for row in rows] == wanted
        assert client.sql("SELECT * FROM nightjar.v_run_health").count() > 0
        with pytest.raises(AnalysisException, match="VIEW"):
            client.sql("INSERT INTO nightjar.runs SELECT * FROM nightjar.runs")
        client.sql("DROP VIEW nightjar.runs")
        tables.restore()
        assert client.table("nightjar.runs").count() == 3
        assert tables.follow() == 0
    finally:
        for database in ("nightjar", "nightjar_files"):
            spark.sql(f"DROP DATABASE {database} CASCADE")
    assert (warehouse.root / "_tables" / "runs").is_dir()


def test_functions_of_one_session_are_in_later_ones(spark: SparkSession) -> None:
    function = next(one for one in FUNCTIONS if one.name == "ai_count_tokens")
    earlier = spark.newSession()
    earlier.sql("SELECT 1").collect()  # a session takes its functions when it is first used
    register_functions(spark, [function])
    share_functions(spark, [function.name])
    query = "SELECT ai_count_tokens(text => 'one two')"
    assert spark.newSession().sql(query).collect() == spark.sql(query).collect()
    with pytest.raises(AnalysisException):
        earlier.sql(query)
    with pytest.raises(NightjarError, match="ai_nothing: not registered"):
        share_functions(spark, ["ai_nothing"])


def test_stages_are_numbered_so_that_the_older_name_comes_first(spark: SparkSession) -> None:
    context = spark.sparkContext
    let_the_oldest_win(spark)
    context.setJobGroup("numbered", "", False)
    for _ in range(3):
        spark.range(10).selectExpr("sum(id)").collect()
    tracker = context.statusTracker()
    jobs = sorted(tracker.getJobIdsForGroup("numbered"))
    stages = [stage for job in jobs for stage in sorted(tracker.getJobInfo(job).stageIds)]
    assert len(jobs) >= 3
    assert stages == sorted(stages, key=str)
    assert min(stages) >= 100_000_000, "of nine digits, as the next thousand million have"


def test_jobs_of_a_query_that_has_ended_are_forgotten_and_those_of_one_that_runs_are_not(spark: SparkSession) -> None:
    context, never_ran = spark.sparkContext, 1_000_000_007
    scheduler = context._jsc.sc().dagScheduler()

    def remembered() -> set[int]:
        return set(context._jvm.java.util.List.copyOf(scheduler.activeQueryToJobs().keySet()))

    if pyspark.__version__.startswith("4.1."):  # remembers no jobs, so there is nothing to forget
        with pytest.raises(Py4JError, match="activeQueryToJobs"):
            forget_ended_queries(spark)
        return
    context.setLocalProperty("spark.sql.execution.id", str(never_ran))
    try:
        assert context.parallelize([1, 2], 2).count() == 2
    finally:
        context.setLocalProperty("spark.sql.execution.id", None)
    assert never_ran in remembered(), "a job that started after the end of its query"
    long = "SELECT count(*) FROM range(1000000000000) WHERE id % 7 = 8"
    client = threading.Thread(target=_run_until_cancelled, args=(spark, long))
    client.start()
    try:
        assert _wait_until(lambda: len(remembered()) == 2)
        (runs,) = remembered() - {never_ran}
        assert forget_ended_queries(spark) == 1
        assert _wait_until(lambda: remembered() == {runs})
        assert forget_ended_queries(spark) == 0
    finally:
        context.cancelAllJobs()
        client.join()


def _run_until_cancelled(spark: SparkSession, sql: str) -> None:
    with contextlib.suppress(Exception):
        spark.sql(sql).collect()


def _wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
