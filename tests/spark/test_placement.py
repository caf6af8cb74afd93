"""Texts placed by predicted cost: even tasks whatever the lengths, equal results whatever the partitions and the order."""

import dataclasses
import math
import random

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import LanguageConfig, ModelConfig, ScoringConfig
from pipeline.models import sentiment_spec
from pipeline.placement import MAX_OVER_MEAN, Load, deal, measured, n_tasks, placed, predicted_tokens
from pipeline.scoring import scored
from udfs.spec import ScoreSpec
from udfs.worker import Counters

SCHEMA = "content_key string, lang_hint string, text string"
WORDS = "the battery of my new phone dies far too soon and nobody at the shop answers thank you great service".split()


@pytest.fixture(scope="module")
def spec() -> ScoreSpec:
    return sentiment_spec(ModelConfig(device="cpu"), LanguageConfig())


def corpus(n: int, seed: int = 3, spread: float = 1.2) -> list[tuple[str, str, str]]:
    """Texts of very different lengths, like forums: many short ones, some of a thousand words."""
    chance = random.Random(seed)
    lengths = [min(1_000, 2 + int(chance.lognormvariate(2.5, spread))) for _ in range(n)]
    return [(f"k{i:05}", "en", " ".join(chance.choices(WORDS, k=k))) for i, k in enumerate(lengths)]


def with_tasks(load: Load, tasks: int) -> ScoringConfig:
    """The configuration under which a load is cut in so many tasks."""
    size = math.ceil(load.tokens.sum() / tasks)
    return ScoringConfig.model_construct(tokens_per_task=size, gpu_amount_per_task=None, task_cpus=None)


def test_results_are_equal_on_1_2_and_8_partitions_and_in_any_order(spark: SparkSession, spec: ScoreSpec) -> None:
    rows = corpus(180)  # little enough to be one task where nothing else is asked for
    context = spark.sparkContext
    found = []
    for tasks, parts in ((1, 1), (2, 5), (8, 3)):
        random.Random(tasks).shuffle(rows)
        texts = spark.createDataFrame(rows, SCHEMA).repartition(parts)
        load = measured(texts, spec)
        counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
        results = scored(texts, load, spec, counters, with_tasks(load, tasks))
        frame = results.withColumn("task", F.spark_partition_id()).toPandas()
        assert frame["task"].nunique() == tasks
        found.append(frame.sort_values("content_key", ignore_index=True))
    first = found[0]
    vectors = np.stack(first["embedding"].to_list()).astype(np.float64)
    assert first["sentiment"].nunique() > 1
    for other in found[1:]:
        assert other["content_key"].equals(first["content_key"])
        assert other["sentiment"].equals(first["sentiment"])
        assert other["n_tokens"].equals(first["n_tokens"])
        assert (vectors * np.stack(other["embedding"].to_list())).sum(axis=1).min() >= 0.99999
        np.testing.assert_allclose(other["sentiment_score"], first["sentiment_score"], atol=1e-5)


def cost_of_tasks(texts: DataFrame, spec: ScoreSpec, tokens_per_task: int) -> list[int]:
    """Predicted tokens that really arrive in each partition."""
    tasks = placed(texts, measured(texts, spec), tokens_per_task)
    cost = tasks.select(F.spark_partition_id().alias("task"), predicted_tokens(F.col("text"), spec).alias("tokens"))
    return [r.tokens for r in cost.groupBy("task").agg(F.sum("tokens").alias("tokens")).collect()]


def test_tasks_cost_the_same_where_a_hash_of_the_key_would_not(spark: SparkSession, spec: ScoreSpec) -> None:
    texts = spark.createDataFrame(corpus(1_200, spread=1.8), SCHEMA).repartition(4)
    cost = cost_of_tasks(texts, spec, 8_192)
    assert len(cost) == n_tasks(measured(texts, spec), 8_192) > 10
    assert max(cost) <= 1.01 * sum(cost) / len(cost)
    hashed = texts.repartition(len(cost), "content_key", "lang_hint").select(
        F.spark_partition_id().alias("task"), predicted_tokens(F.col("text"), spec).alias("tokens")
    )
    by_hash = [r[1] for r in hashed.groupBy("task").agg(F.sum("tokens")).collect()]
    assert max(by_hash) > MAX_OVER_MEAN * sum(by_hash) / len(by_hash), "else this corpus shows nothing"


def test_one_huge_text_has_a_task_to_itself(spark: SparkSession, spec: ScoreSpec) -> None:
    long_reader = dataclasses.replace(spec, max_chars=1_000_000, max_chunks=1_000)
    rows = [*corpus(500), ("huge", "en", "word " * 100_000)]
    cost = sorted(cost_of_tasks(spark.createDataFrame(rows, SCHEMA), long_reader, 4_096))
    assert cost[-1] == 100_000 * 5 // 4 + 4, "nothing beside it"
    assert cost[-2] <= MAX_OVER_MEAN * sum(cost) / len(cost)


def test_every_text_arrives_once_and_tasks_depend_on_the_data_alone(spark: SparkSession, spec: ScoreSpec) -> None:
    rows = corpus(300)
    seen = []
    for parts, shuffle_partitions in ((1, "2"), (7, "5")):
        random.Random(parts).shuffle(rows)
        spark.conf.set("spark.sql.shuffle.partitions", shuffle_partitions)
        texts = spark.createDataFrame(rows, SCHEMA).repartition(parts)
        tasks = placed(texts, measured(texts, spec), 1_024).withColumn("task", F.spark_partition_id())
        seen.append([(r.task, r.content_key) for r in tasks.select("task", "content_key").collect()])
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    assert sorted(key for _, key in seen[0]) == sorted(key for key, _, _ in rows)
    assert sorted(seen[0]) == sorted(seen[1])
    assert [pair for pair in seen[0] if pair[0] == 0] == sorted(pair for pair in seen[0] if pair[0] == 0), "by key"


def test_prediction_knows_scripts_and_what_is_not_read(spark: SparkSession, spec: ScoreSpec) -> None:
    texts = {
        "latin": "abcd" * 10,
        "chinese": "电池很差" * 10,
        "cyrillic": "дела" * 10,
        "none": "",
        "long": "abcd" * 100_000,
    }
    frame = spark.createDataFrame([(k, "", v) for k, v in texts.items()], SCHEMA)
    found = {r[0]: r[1] for r in frame.select("content_key", predicted_tokens(F.col("text"), spec)).collect()}
    assert found == {"latin": 14, "chinese": 44, "cyrillic": 29, "none": 4, "long": 20_000 // 4 + 4}
    few = dataclasses.replace(spec, max_chunks=2)
    assert frame.where("content_key = 'long'").select(predicted_tokens(F.col("text"), few)).first()[0] == 2 * 256 + 4


def test_prediction_follows_the_tokenizer(spark: SparkSession, spec: ScoreSpec) -> None:
    """Not exact, but a text that costs more is predicted to."""
    from udfs.models.encoder import load_encoder

    rows = corpus(200)
    predicted = [
        r[0] for r in spark.createDataFrame(rows, SCHEMA).select(predicted_tokens(F.col("text"), spec)).collect()
    ]
    chunks = load_encoder(spec.encoder, "cpu").tokenizer.chunks([text for _, _, text in rows], 256, 32)
    assert np.corrcoef(predicted, chunks.n_read)[0, 1] > 0.99
    assert 0.7 < sum(predicted) / (chunks.n_read.sum() + 2 * len(rows)) < 1.5


def test_no_text_is_no_load(spark: SparkSession, spec: ScoreSpec) -> None:
    load = measured(spark.createDataFrame([], SCHEMA), spec)
    assert load.rows == 0
    assert deal(load, 1_024)[0] == 1
