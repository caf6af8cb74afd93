"""The conformance statements through functions registered in a session; other clients run the same file."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from sql_conformance import differences, statements

from pipeline.config import NightModelConfig
from pipeline.sql import SqlConfig, register
from pipeline.sql.config import CacheConfig


@pytest.mark.timeout(900)
def test_a_session_answers_as_documented(spark: SparkSession, tmp_path: Path) -> None:
    assert len(statements()) >= 60
    model = NightModelConfig(device="cpu")
    register(spark, SqlConfig(model=model, cache=CacheConfig(folder=str(tmp_path))))
    assert differences(lambda sql: [list(row) for row in spark.sql(sql).collect()]) == []
