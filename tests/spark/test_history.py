"""Reading what earlier nights published, for tonight's patterns."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tiny_nights import DAYS, run

from pipeline import schemas
from pipeline.history import published_nights, read_history
from pipeline.run_schemas import MODELS, RUNS
from pipeline.table import STRING, Column, Table

FEW = (MODELS, RUNS)


def test_history_is_what_readers_see_also_across_versions(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "TABLES", FEW)
    catalog = f"history_{tmp_path.name}".replace("-", "_")
    assert read_history(spark, tmp_path, MODELS, DAYS).collect() == []
    run(spark, tmp_path, {DAYS[0]: 2, DAYS[1]: 3}, FEW, catalog=catalog)
    again, _ = run(spark, tmp_path, {DAYS[1]: 1}, FEW, catalog=catalog)  # replaces the second night
    newer = Table("models", MODELS.comment, (*MODELS.columns, Column("licence", STRING, "new")), MODELS.key)
    monkeypatch.setattr(schemas, "TABLES", (newer, RUNS))
    run(spark, tmp_path, {DAYS[2]: 2}, (newer, RUNS), catalog=catalog)

    rows = read_history(spark, tmp_path, newer, DAYS)
    assert rows.schema.fieldNames() == newer.struct().fieldNames()
    found = [tuple(r) for r in rows.groupBy("run_date", "run_id", "licence").count().collect()]
    assert sorted((day, n) for day, _, licence, n in found if licence is None) == [(DAYS[0], 2), (DAYS[1], 1)]
    assert [n for day, run_id, _, n in found if run_id == again] == [1]
    assert sorted((day, licence) for day, _, licence, _ in found if licence is not None) == [
        (DAYS[2], "数据 0"), (DAYS[2], "数据 1")
    ]  # fmt: skip
    assert read_history(spark, tmp_path, newer, DAYS[:1]).count() == 2
    assert published_nights(tmp_path, DAYS[1], DAYS[2]) == [DAYS[1], DAYS[2]]
