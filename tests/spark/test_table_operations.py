"""Operations on published tables, on real files: publish what was staged, roll back, collect garbage."""

import datetime as dt
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tiny_nights import DAYS, duckdb_state, run, spark_state, stage

from pipeline import schemas
from pipeline.audit import audit
from pipeline.catalog import point_partitions, shown_folders
from pipeline.errors import PublishError
from pipeline.manifest import new_run_id, published_runs, read_log
from pipeline.operations.forgotten import Subject, find_traces
from pipeline.operations.garbage import Garbage, Retention, delete, find_garbage
from pipeline.operations.runs import publish_run, rollback
from pipeline.run_schemas import RUNS
from pipeline.schemas import DOC_EMBEDDINGS, DOC_SCORES, REJECTS, SENTIMENT_DAILY

FEW = (SENTIMENT_DAILY, RUNS)
AT_ONCE = Retention(keep=1, grace=dt.timedelta(0))


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    """A database name of the test's own; the session's catalog outlives the test."""
    return f"t{abs(hash(str(tmp_path))):x}"


def test_a_staged_run_is_published_later(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    old, _ = run(spark, tmp_path, {DAYS[0]: 3}, FEW, catalog=catalog)
    late = new_run_id(dt.datetime(2026, 10, 9, tzinfo=dt.UTC))
    stage(spark, tmp_path, late, {DAYS[0]: 5, DAYS[1]: 2}, FEW, "")
    publish_run(spark, tmp_path, catalog, late, FEW)
    rows = [f"sentiment_daily {DAYS[0]}", f"sentiment_daily {DAYS[1]}", f"runs {DAYS[0]}", f"runs {DAYS[1]}"]
    expected = dict(zip(rows, [[(late, 5)], [(late, 2)], [(late, 1)], [(late, 1)]], strict=True))
    assert spark_state(spark, FEW, catalog) == duckdb_state(tmp_path, FEW, catalog) == expected
    publish_run(spark, tmp_path, catalog, late)  # its manifest says by now which tables it has
    assert spark_state(spark, FEW, catalog) == expected
    with pytest.raises(
        PublishError, match=rf"{old} is older than what is published .*{DAYS[0]} shows {late}.*rollback"
    ):
        publish_run(spark, tmp_path, catalog, old)


def test_what_is_not_a_whole_run_is_not_published(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    with pytest.raises(PublishError, match="nothing of this run is staged"):
        publish_run(spark, tmp_path, catalog, "20261009T000000Z-aaaaaaaa", FEW)
    stage(spark, tmp_path, "half", {DAYS[0]: 2}, FEW[:1], "")
    with pytest.raises(PublishError, match=r"half: was killed before all tables were staged \(1 of 2 .*runs\)"):
        publish_run(spark, tmp_path, catalog, "half", FEW)
    run_id, _ = run(spark, tmp_path, {DAYS[0]: 2}, FEW, catalog=catalog)
    (file,) = (tmp_path / f"_data/sentiment_daily/run_date={DAYS[0]}/run_id={run_id}").glob("*.parquet")
    file.rename(file.with_name("part-renamed.parquet"))
    with pytest.raises(PublishError, match=rf"{run_id}: sentiment_daily of {DAYS[0]} is not what the run's manifest"):
        publish_run(spark, tmp_path, catalog, run_id)


def test_a_night_is_rolled_back_and_the_log_says_so(
    spark: SparkSession, tmp_path: Path, catalog: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = (DOC_EMBEDDINGS, *FEW)
    monkeypatch.setattr(schemas, "TABLES", some)
    old, _ = run(spark, tmp_path, {DAYS[0]: 3, DAYS[1]: 3}, FEW, catalog=catalog)
    before = spark_state(spark, FEW, catalog)
    new, _ = run(spark, tmp_path, {DAYS[0]: 4, DAYS[1]: 4}, some, catalog=catalog, salt="new")
    rollback(spark, tmp_path, DAYS[0], old)
    now = spark_state(spark, some, catalog)
    assert now == duckdb_state(tmp_path, some, catalog)
    assert {k: v for k, v in now.items() if str(DAYS[0]) in k} == {k: v for k, v in before.items() if str(DAYS[0]) in k}
    assert {run_id for k, v in now.items() if str(DAYS[1]) in k for run_id, _ in v} == {new}
    assert f"doc_embeddings {DAYS[1]}" in now, "the old run had no such table: on its night the table shows nothing"
    assert published_runs(tmp_path) == {DAYS[0]: old, DAYS[1]: new}
    assert [(r["action"], r["run_id"]) for r in read_log(tmp_path)] == [
        ("publish", old),
        ("publish", new),
        ("rollback", old),
    ]
    rollback(spark, tmp_path, DAYS[0], new)
    assert published_runs(tmp_path) == {DAYS[0]: new, DAYS[1]: new}
    assert f"doc_embeddings {DAYS[0]}" in spark_state(spark, some, catalog)


def test_a_run_that_is_not_whole_any_more_is_not_gone_back_to(
    spark: SparkSession, tmp_path: Path, catalog: str
) -> None:
    old, _ = run(spark, tmp_path, {DAYS[0]: 3}, FEW, catalog=catalog)
    run(spark, tmp_path, {DAYS[0]: 3}, FEW, catalog=catalog)
    before = spark_state(spark, FEW, catalog)
    with pytest.raises(PublishError, match=f"{old} has no night {DAYS[1]}; it has {DAYS[0]}"):
        rollback(spark, tmp_path, DAYS[1], old)
    next(iter((tmp_path / f"_data/runs/run_date={DAYS[0]}/run_id={old}").glob("*.parquet"))).unlink()
    with pytest.raises(
        PublishError, match=rf"1 of its files for {DAYS[0]} are gone .*_data/runs/.*run the night again"
    ):
        rollback(spark, tmp_path, DAYS[0], old)
    assert spark_state(spark, FEW, catalog) == before


def paths(garbage: list[Garbage]) -> set[str]:
    return {item.path for item in garbage}


def test_only_what_nothing_shows_is_garbage(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    runs = [run(spark, tmp_path, {DAYS[0]: n, DAYS[1]: 0}, FEW, catalog=catalog)[0] for n in (2, 3, 4)]
    stage(spark, tmp_path, "orphan", {DAYS[0]: 2}, FEW[:1], "")
    (tmp_path / "_data/runs/_staging/killed").mkdir(parents=True)

    def folders(run_id: str) -> set[str]:
        return {f"_data/{t.name}/run_date={day}/run_id={run_id}" for t in FEW for day in DAYS[:2]}

    orphan, staging = f"_data/sentiment_daily/run_date={DAYS[0]}/run_id=orphan", "_data/runs/_staging/killed"
    found = find_garbage(spark, tmp_path, catalog, AT_ONCE)
    assert paths(found) == folders(runs[0]) | folders(runs[1]) | {orphan, staging}
    assert sum(g.bytes for g in found if "/runs/" in g.path) > 0
    assert paths(find_garbage(spark, tmp_path, catalog, Retention(2, dt.timedelta(0)))) == folders(runs[0]) | {
        orphan,
        staging,
    }
    assert find_garbage(spark, tmp_path, catalog, Retention(1)) == [], (
        "a query may still read what was shown a week ago"
    )
    in_a_week = dt.datetime.now(dt.UTC) + dt.timedelta(days=8)
    assert paths(find_garbage(spark, tmp_path, catalog, Retention(1), in_a_week)) == paths(found)

    # killed after the first table was flipped: the log does not know the run, a partition shows it, an empty one at that
    nights = audit(spark, SENTIMENT_DAILY, tmp_path, runs[0], DAYS[:2])
    point_partitions(spark, tmp_path, catalog, SENTIMENT_DAILY, nights[1:])
    assert f"_data/sentiment_daily/run_date={DAYS[1]}/run_id={runs[0]}" in shown_folders(spark, tmp_path, catalog, FEW)
    kept = {f for f in folders(runs[0]) if str(DAYS[1]) in f}
    assert paths(find_garbage(spark, tmp_path, catalog, AT_ONCE)) == paths(found) - kept

    before = spark_state(spark, FEW, catalog)
    delete(tmp_path, find_garbage(spark, tmp_path, catalog, AT_ONCE))
    assert spark_state(spark, FEW, catalog) == before
    assert find_garbage(spark, tmp_path, catalog, AT_ONCE) == []
    assert not (tmp_path / orphan).exists()
    assert all((tmp_path / f).exists() for f in folders(runs[2]) | kept)


def test_documents_are_found_in_every_run_by_id_and_by_group(spark: SparkSession, tmp_path: Path, catalog: str) -> None:
    tables = (DOC_SCORES, REJECTS)
    stage(spark, tmp_path, "one", {DAYS[0]: 4, DAYS[1]: 4}, tables, "")
    stage(spark, tmp_path, "two", {DAYS[1]: 4}, tables, "x")
    by_id = find_traces(spark, tmp_path, Subject(ids=("数据 1",)))
    assert by_id.nights == {(DAYS[0], "one"), (DAYS[1], "one")}
    rows = by_id.documents.select("run_date", "doc_id", "content_key", "table").collect()
    assert {tuple(r) for r in rows} == {
        (day, "数据 1", key, table) for day in DAYS[:2] for table, key in (("doc_scores", "数据 1"), ("rejects", None))
    }
    by_group = find_traces(spark, tmp_path, Subject(groups=("数据 3x",)))
    assert by_group.nights == {(DAYS[1], "two")}
    assert find_traces(spark, tmp_path, Subject(ids=("nobody",))).nights == frozenset()
    assert find_traces(spark, tmp_path / "empty", Subject(ids=("nobody",))).nights == frozenset()
