"""Garbage collection while a query reads: what the query began on stays until the grace is over."""

import datetime as dt
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tiny_nights import DAYS, run

from pipeline.operations.garbage import Retention, delete, find_garbage
from pipeline.read_tables import published_files
from pipeline.run_schemas import RUNS
from pipeline.schemas import SENTIMENT_DAILY

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
FEW = (SENTIMENT_DAILY, RUNS)
NIGHTS = dict.fromkeys(DAYS, 40)


@pytest.mark.parametrize("grace", [dt.timedelta(days=7), dt.timedelta(0)], ids=["week", "none"])
def test_a_query_that_runs_while_garbage_is_removed_ends_on_what_it_began(
    spark: SparkSession, tmp_path: Path, grace: dt.timedelta
) -> None:
    catalog = f"t{abs(hash(str(tmp_path))):x}"
    old, _ = run(spark, tmp_path, NIGHTS, FEW, catalog=catalog)
    files = published_files(tmp_path, "sentiment_daily")
    spark.conf.set(
        "spark.sql.files.openCostInBytes", "128m"
    )  # each night's file is a task of its own, read when asked for
    try:
        rows = spark.table(f"{catalog}.sentiment_daily").select("run_id").toLocalIterator()
        first = next(rows).run_id
    finally:
        spark.conf.unset("spark.sql.files.openCostInBytes")
    for salt in "ab":  # two newer runs: the old one is neither shown nor the one before
        new, _ = run(spark, tmp_path, NIGHTS, FEW, catalog=catalog, salt=salt)
    delete(tmp_path, find_garbage(spark, tmp_path, catalog, Retention(keep=1, grace=grace)))
    if grace:
        assert [first, *(row.run_id for row in rows)] == [old] * sum(NIGHTS.values())
        assert all(path.exists() for path in files)
    else:
        assert not any(path.exists() for path in files), "without a grace the query's files would be gone"
        with pytest.raises(Exception, match="FILE_NOT_EXIST"):
            list(rows)
    shown = {r.run_id for r in spark.table(f"{catalog}.sentiment_daily").select("run_id").distinct().collect()}
    assert shown == {new}, "what a partition points at is kept whatever the grace"
