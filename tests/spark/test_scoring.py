"""Scoring on Spark: each text once, the store first, one model load per process, no oversubscription."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from pipeline.placement import measured
from pipeline.scoring import scored, to_scored_documents, unseen
from pipeline.session import check_executors
from pipeline.store import STORED, ScoreStore
from udfs.spec import ScoreSpec
from udfs.worker import Counters

DAY = dt.date(2026, 10, 5)
NEXT = DAY + dt.timedelta(days=1)
TEXTS = "content_key string, lang_hint string, text string"


@pytest.fixture(scope="module")
def spec() -> ScoreSpec:
    return sentiment_spec(ModelConfig(device="cpu"), LanguageConfig())


def counters(spark: SparkSession) -> Counters:
    context = spark.sparkContext
    return Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))


def texts(spark: SparkSession, n: int, start: int = 0) -> DataFrame:
    return spark.createDataFrame(
        [(f"k{i:04}", "en", f"message number {i} is fine") for i in range(start, start + n)], TEXTS
    )


def run(rows: DataFrame, spec: ScoreSpec, count: Counters) -> DataFrame:
    """Score texts as the night does."""
    return scored(rows, measured(rows, spec), spec, count)


def test_every_text_is_scored_once_and_models_load_once_per_process(
    spark: SparkSession, spec: ScoreSpec, tmp_path: Path
) -> None:
    spec = replace(spec, window_rows=60_000)  # a spec no other test of this session has loaded
    store, count = ScoreStore(spark, tmp_path, "m"), counters(spark)
    store.write(run(texts(spark, 300), spec, count), "a")
    rows = store.read().select("content_key").collect()
    assert sorted(r.content_key for r in rows) == [f"k{i:04}" for i in range(300)]
    assert count.rows.value == 300
    assert count.tokens.value > 300 * 4
    assert count.model_loads.value >= 1
    again = counters(spark)
    for part in range(1, 4):
        store.write(run(texts(spark, 300, 300 * part), spec, again), f"b{part}")
    loads = count.model_loads.value + again.model_loads.value
    assert loads <= 2, "two cores, two worker processes, which are reused and keep their models"


def test_what_the_store_has_is_not_scored_again(spark: SparkSession, spec: ScoreSpec, tmp_path: Path) -> None:
    store = ScoreStore(spark, tmp_path, "m")
    assert unseen(texts(spark, 5), store).count() == 5
    store.write(run(texts(spark, 3), spec, counters(spark)), "a")
    assert sorted(r.content_key for r in unseen(texts(spark, 5), store).collect()) == ["k0003", "k0004"]
    other_language = texts(spark, 3).withColumn("lang_hint", F.lit("de"))
    assert unseen(other_language, store).count() == 3
    assert unseen(texts(spark, 5), ScoreStore(spark, tmp_path, "other")).count() == 5


def test_errors_that_may_pass_are_tried_again_and_settled_ones_are_not(spark: SparkSession, tmp_path: Path) -> None:
    store = ScoreStore(spark, tmp_path, "m")
    rows = [("k0000", "LANG_UNSUPPORTED"), ("k0001", "MODEL"), ("k0002", None)]
    frame = spark.createDataFrame(rows, "content_key string, error_code string").withColumn("lang_hint", F.lit("en"))
    missing = {f.name: F.lit(None).cast(f.dataType) for f in STORED if f.name not in frame.columns}
    store.write(frame.withColumns(missing), "a")
    assert [r.content_key for r in unseen(texts(spark, 3), store).collect()] == ["k0001"]


def test_what_a_killed_job_had_finished_is_read_and_what_it_was_at_is_not(
    spark: SparkSession, spec: ScoreSpec, tmp_path: Path
) -> None:
    store = ScoreStore(spark, tmp_path, "m")
    path = store.write(run(texts(spark, 3), spec, counters(spark)), "a")
    (path / "_SUCCESS").unlink()
    (path / "_temporary/0").mkdir(parents=True)
    (path / "_temporary/0/part-00009.parquet").write_bytes(b"half a file")
    (tmp_path / "_store/m/b/_temporary/0").mkdir(parents=True)
    assert store.parts() == [path]
    assert [r.content_key for r in unseen(texts(spark, 4), store).collect()] == ["k0003"]


def test_results_do_not_depend_on_the_partitions_of_the_input(spark: SparkSession, spec: ScoreSpec) -> None:
    columns = ["content_key", "embedding", "sentiment_score", "sentiment"]
    one = run(texts(spark, 200).coalesce(1), spec, counters(spark)).select(*columns)
    other = run(texts(spark, 200).repartition(7, "text"), spec, counters(spark)).select(*columns)
    assert sorted(one.collect()) == sorted(other.collect()), "bit for bit"


def test_documents_take_the_result_of_their_text(spark: SparkSession) -> None:
    schema = "run_date date, doc_id string, event_ts timestamp, source string, group_key string, " + TEXTS
    noon = dt.datetime(2026, 10, 5, 12)
    rows = [
        (DAY, "b", noon, None, None, "k1", "", "t"),
        (DAY, "a", noon, None, None, "k1", "", "t"),
        (NEXT, "c", noon + dt.timedelta(days=1), None, None, "k1", "", "t"),
        (DAY, "d", noon, None, None, "k2", "", "u"),
    ]
    results = spark.createDataFrame(
        [("k1", "", 0.5), ("k2", "", -0.5)], "content_key string, lang_hint string, sentiment_score double"
    )
    fresh = spark.createDataFrame([("k1", "")], "content_key string, lang_hint string")
    joined = to_scored_documents(spark.createDataFrame(rows, schema), results, fresh)
    found = {r.doc_id: (r.sentiment_score, r.is_canonical, r.from_cache) for r in joined.collect()}
    assert found == {
        "a": (0.5, True, False),
        "b": (0.5, False, False),
        "c": (0.5, True, True),
        "d": (-0.5, True, True),
    }


def test_a_worker_uses_one_thread_per_core_of_its_task(spark: SparkSession) -> None:
    def threads(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import os

        import torch

        from udfs.worker import configure_threads

        for _ in batches:
            pass
        configure_threads()
        names = ("RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "HF_HUB_OFFLINE")
        values = [torch.get_num_threads(), pa.cpu_count(), *(int(os.environ[name]) for name in names)]
        yield pa.RecordBatch.from_pydict({"n": pa.array(values, pa.int64())})

    rows = spark.range(0, 2, 1, 1).mapInArrow(threads, "n long").collect()
    assert [r.n for r in rows] == [1, 1, 1, 1, 1]


def test_executors_are_asked_what_they_run(spark: SparkSession) -> None:
    executors = check_executors(spark)
    assert executors.count >= 1
    assert all(place.endswith("udfs") for place in executors.code)


def test_a_text_that_was_tried_again_has_one_result(spark: SparkSession, tmp_path: Path) -> None:
    """The first try failed, the second did not; a third run must not double the documents that hold the text."""
    store = ScoreStore(spark, tmp_path, "m")
    tries = [
        ("1", [("k0000", "MODEL", None), ("k0001", None, 0.1), ("k0002", "MODEL", None)]),
        ("2", [("k0000", None, 0.2), ("k0001", None, 0.9), ("k0002", "NON_FINITE", None)]),
    ]
    for name, rows in tries:
        frame = spark.createDataFrame(rows, "content_key string, error_code string, sentiment_score double")
        frame = frame.withColumn("lang_hint", F.lit("en"))
        missing = {f.name: F.lit(None).cast(f.dataType) for f in STORED if f.name not in frame.columns}
        store.write(frame.withColumns(missing), name)
    found = store.lookup(texts(spark, 5)).collect()
    assert {(r.content_key, r.error_code, r.sentiment_score) for r in found} == {
        ("k0000", None, 0.2),
        ("k0001", None, 0.1),
        ("k0002", "MODEL", None),
    }
    assert len(found) == 3
    assert store.lookup(texts(spark, 1, 2)).count() == 1, "only what is asked for"
    assert [r.content_key for r in unseen(texts(spark, 3), store).collect()] == ["k0002"]


def test_an_empty_store_answers_nothing(spark: SparkSession, tmp_path: Path) -> None:
    found = ScoreStore(spark, tmp_path, "m").lookup(texts(spark, 2))
    assert found.schema.names == STORED.names
    assert found.count() == 0
