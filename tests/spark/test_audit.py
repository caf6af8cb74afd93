"""Staging and auditing on real files: what is read back is what was written, and faults are found."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tiny_nights import DAYS, frame, row, stage

from pipeline.audit import content_hash
from pipeline.errors import DataError, PublishError
from pipeline.publish import audit, read_staged, stage_table
from pipeline.run_schemas import MODELS
from pipeline.schemas import DOC_SCORES, REJECTS, SENTIMENT_DAILY, TOPICS
from pipeline.table import Column


def test_files_are_few_and_sorted_and_the_same_for_equal_content(spark: SparkSession, tmp_path: Path) -> None:
    rows = [row(DOC_SCORES, day, i, "r", "") for day in DAYS for i in range(50)]
    for name, order in (("a", rows), ("b", rows[::-1])):
        stage_table(frame(spark, DOC_SCORES, order).repartition(7), DOC_SCORES, tmp_path / name, "r", DAYS)
    a, b = (sorted((tmp_path / name).glob("_data/doc_scores/run_date=*/run_id=r/*.parquet")) for name in "ab")
    assert [p.parts[-3] for p in a] == [f"run_date={day}" for day in DAYS]
    assert len(a) == len(b) == len(DAYS)
    assert [p.read_bytes() for p in a] == [p.read_bytes() for p in b]
    ids = [r.doc_id for r in spark.read.parquet(str(a[0])).collect()]
    assert ids == sorted(ids)


def test_staged_rows_come_back_as_they_were(spark: SparkSession, tmp_path: Path) -> None:
    counts = {DAYS[0]: 5, DAYS[1]: 0, DAYS[2]: 3}
    for table in (DOC_SCORES, TOPICS, REJECTS):
        rows = [row(table, day, i, "r", "") for day, n in counts.items() for i in range(n)]
        given = frame(spark, table, rows)
        narrow = given.withColumns({c: F.col(c).cast("int") for c in ("n_docs",) if c in given.columns})
        stage_table(narrow.withColumn("more", F.lit(1)), table, tmp_path, "r", DAYS)
        assert [entry.rows for entry in audit(spark, table, tmp_path, "r", DAYS)] == [5, 0, 3]
        back = read_staged(spark, table, tmp_path, "r")
        assert [(f.name, f.dataType.simpleString()) for f in back.schema] == [
            (c.name, c.dtype.simpleString()) for c in table.all_columns
        ]
        assert sorted(map(str, back.collect())) == sorted(map(str, given.collect()))


def test_a_night_the_run_does_not_publish_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    rows = [row(MODELS, day, 0, "r", "") for day in DAYS]
    with pytest.raises(DataError, match=r"models: rows of nights the run does not publish: run_date=2026-10-07;"):
        stage_table(frame(spark, MODELS, rows), MODELS, tmp_path, "r", DAYS[:2])
    nowhere = frame(spark, MODELS, rows[:1]).withColumn("run_date", F.lit(None).cast("date"))
    with pytest.raises(DataError, match="run_date=__HIVE_DEFAULT_PARTITION__"):
        stage_table(nowhere, MODELS, tmp_path, "q", DAYS)
    assert not list(tmp_path.glob("_data/models/run_date=*"))


def changed(rows: DataFrame, how: str) -> DataFrame:
    """Rows of sentiment_daily with one fault on the second night."""
    at_fault = (F.col("run_date") == F.lit(DAYS[1])) & (F.col("n_docs") >= 2000)
    if how == "null":
        return rows.withColumn("lang", F.when(~at_fault, F.col("lang")))
    if how == "double":
        return rows.union(rows.where(at_fault))
    return rows.withColumn("run_id", F.when(at_fault, "another").otherwise(F.col("run_id")))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("null", r"sentiment_daily 2026-10-06: not_null: 2 row\(s\) have no lang"),
        (
            "double",
            r"sentiment_daily 2026-10-06: unique_key: 2 value\(s\) of \(event_date, .*sentiment\) are on several rows",
        ),
        ("foreign", r"sentiment_daily 2026-10-06: run_id: 2 row\(s\) name another run"),
    ],
)
def test_a_fault_in_one_row_fails_the_audit(spark: SparkSession, tmp_path: Path, how: str, message: str) -> None:
    rows = [row(SENTIMENT_DAILY, day, i, "r", "") for day in DAYS for i in range(4)]
    stage_table(changed(frame(spark, SENTIMENT_DAILY, rows), how), SENTIMENT_DAILY, tmp_path, "r", DAYS)
    with pytest.raises(DataError, match=message) as caught:
        audit(spark, SENTIMENT_DAILY, tmp_path, "r", DAYS)
    assert "2026-10-05" not in str(caught.value)


def test_files_of_another_shape_fail_the_audit(spark: SparkSession, tmp_path: Path) -> None:
    stage_table(frame(spark, MODELS, [row(MODELS, DAYS[0], 0, "r", "")]), MODELS, tmp_path, "r", DAYS[:1])
    folder = tmp_path / f"_data/models/run_date={DAYS[0]}/run_id=r"
    spark.range(1).selectExpr("id AS task").write.mode("overwrite").parquet(str(folder))
    with pytest.raises(PublishError, match=r"models: schema: the files differ .*task bigint, task string"):
        audit(spark, MODELS, tmp_path, "r", DAYS[:1])
    with pytest.raises(PublishError, match=r"models 2026-10-06: was not staged"):
        audit(spark, MODELS, tmp_path, "r", DAYS[:2])


def hash_of(rows: DataFrame) -> Any:
    columns = [Column(field.name, field.dataType, "") for field in rows.schema]
    return rows.agg(*content_hash(columns)).first()


def test_the_content_hash_depends_on_every_value_and_on_nothing_else(spark: SparkSession) -> None:
    kinds = "a string, b string, x array<string>, y array<string>, s array<struct<p:string,q:string>>, v double, n int"
    base: list[tuple[Any, ...]] = [
        ("p", "q", ["1"], [], [("k", None)], 0.5, 1),
        (None, "q", [], ["1"], [], float("nan"), None),
        ("p", "q", ["1"], [], [("k", None)], 0.5, 1),
        ("", None, None, [], [(None, "k")], -0.5, 0),
    ]
    rows = spark.createDataFrame(base, kinds)
    expected = hash_of(rows)
    assert hash_of(spark.createDataFrame(base[::-1], kinds).repartition(3)) == expected
    swaps = [
        (0, "a", "q", "b", "p"), (3, "a", None, "b", ""), (1, "a", "q", "b", None),
        (1, "x", ["1"], "y", []), (0, "x", [], "y", ["1"]),
        (3, "x", [], "y", None), (0, "s", [(None, "k")], "n", 1), (0, "v", 0.25, "n", 1), (1, "v", None, "n", None),
    ]  # fmt: skip
    seen = {expected}
    for at, *change in swaps:
        values = dict(zip(rows.columns, base[at], strict=True)) | {change[0]: change[1], change[2]: change[3]}
        seen.add(hash_of(spark.createDataFrame([*base[:at], tuple(values.values()), *base[at + 1 :]], kinds)))
    seen.add(hash_of(spark.createDataFrame(base[:3], kinds)))
    seen.add(hash_of(spark.createDataFrame([*base, base[0]], kinds)))
    assert len(seen) == 1 + len(swaps) + 2


def test_equal_nights_have_equal_hashes_in_every_run(spark: SparkSession, tmp_path: Path) -> None:
    def hashes(run_id: str, salt: str) -> list[str]:
        stage(spark, tmp_path, run_id, {DAYS[0]: 4, DAYS[1]: 4}, [SENTIMENT_DAILY], salt)
        return [a.content_hash for a in audit(spark, SENTIMENT_DAILY, tmp_path, run_id, DAYS[:2])]

    first = hashes("1", "")
    assert first[0] == first[1], "the night is not part of the content"
    assert hashes("2", "") == first
    assert not set(hashes("3", "x")) & set(first)
