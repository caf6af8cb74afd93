"""The labelled rows of a fine-tuning: each text once per head, none that is validated on or that the model will be judged on."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.errors import DataError
from pipeline.finetuning.config import FineTuneConfig, TunedHeadConfig, TuningSet
from pipeline.label_rows import labels_of
from pipeline.labelled import CONTENT_KEY, LABEL, SET_NAME, TEXT, read_labelled
from pipeline.schemas import SENTIMENTS
from pipeline.text import content_key, normalised
from pipeline.training.config import EvaluationSet
from pipeline.training.corpus import KEPT, TRAIN, VALIDATION

_HANDLE_PARTS = tuple(
    "acorn amber april atlas basil birch blue cedar cloud clover cobalt coral daisy dawn echo ember fern finch fox grey "
    "hazel heron iris ivy jade june juniper kit lark lemon lily luna maple mint moss nova oak olive onyx opal otter pearl "
    "pine plum poppy quill rain raven reed river robin rose rowan sage sky sol star storm tulip violet willow wolf wren".split()
)


def head_labels(spark: SparkSession, config: FineTuneConfig) -> dict[str, tuple[str, ...]]:
    """Return the labels of each head, in the order of its outputs.

    Raises:
        DataError: a set cannot be read, or its labels are too many or too few.
    """

    def labels(name: str, head: TunedHeadConfig) -> tuple[str, ...]:
        return head.labels or (SENTIMENTS if config.task_of(name) == "sentiment" else labels_of(spark, head.train))

    return {name: labels(name, head) for name, head in config.heads.items()}


def prepared(spark: SparkSession, config: FineTuneConfig, labels: dict[str, tuple[str, ...]]) -> DataFrame:
    """Return every usable row, each with what becomes of it.

    Returns:
        head, set_name, part (`train` or `validation`), content_key, text (normalised), label, and `fate`: `kept`, or the first
        reason to drop it of `evaluation` (in a set of `evaluation`), `validation` (a training text that a head is validated on),
        `duplicate` (the head has the text from a set before, or with a label before) and `max_rows`.

    Raises:
        DataError: a set cannot be read, lacks a column or has no usable row.
    """
    parts = []
    for name, head in config.heads.items():
        for part, sets in ((TRAIN, head.train), (VALIDATION, head.validation)):
            if sets:
                order = _lookup({one.name: i for i, one in enumerate(sets)})
                rows = read_labelled(spark, sets, labels[name])
                parts.append(rows.withColumns({"head": F.lit(name), "part": F.lit(part), "set_order": order}))
    rows = reduce(DataFrame.unionByName, parts).withColumn("fate", F.lit(KEPT))
    is_training = F.col("part") == TRAIN
    rows = _flag(rows, _judged(spark, config.evaluation), is_training, "evaluation")
    rows = _flag(rows, rows.where(~is_training).select(CONTENT_KEY), is_training, "validation")
    # a validation set is judged on all its distinct texts, a head is trained on each text once
    group = ("head", "part", F.when(~is_training, F.col(SET_NAME)), CONTENT_KEY, "fate")
    rows = _drop(rows, F.row_number().over(Window.partitionBy(*group).orderBy("set_order", LABEL)) > 1, "duplicate")
    limits = {one.name: one.max_rows for one in _all_sets(config) if one.max_rows}
    if limits:
        place = F.row_number().over(Window.partitionBy(SET_NAME, "fate").orderBy(CONTENT_KEY))
        rows = _drop(rows, F.coalesce(place > _lookup(limits), F.lit(False)), "max_rows")
    return rows.select("head", SET_NAME, "part", CONTENT_KEY, TEXT, LABEL, "fate")


def counts(rows: DataFrame) -> list[dict[str, Any]]:
    """Count rows per head, set_name, part, label and fate."""
    keys = ("head", SET_NAME, "part", LABEL, "fate")
    found = rows.groupBy(*keys).agg(F.count("*").alias("n")).orderBy(*keys)
    return [row.asDict() for row in found.collect()]  # bounded: sets x 500 labels x fates


def with_handles(text: Column, key: Column, share: float, seed: int) -> Column:
    """Return texts, a `share` of them with a made-up handle, always the same for the same key, in the place of `@user`."""

    def drawn(what: str, n: int) -> Column:
        return F.pmod(F.xxhash64(key, F.lit(f"{seed} {what}")), F.lit(n))

    words = F.array(*(F.lit(word) for word in _HANDLE_PARTS))
    first, second = (F.element_at(words, (drawn(what, len(_HANDLE_PARTS)) + 1).cast("int")) for what in ("1", "2"))
    handle = F.concat(F.lit("@"), first, F.when(drawn("both", 2) == 0, second).otherwise(""))
    return F.when(
        drawn("chosen", 10_000) < int(share * 10_000), F.regexp_replace(text, F.lit(r"@user\b"), handle)
    ).otherwise(text)


def _judged(spark: SparkSession, sets: Sequence[EvaluationSet]) -> DataFrame:
    keys = spark.createDataFrame([], f"{CONTENT_KEY} string")
    for one in sets:
        try:
            frame = spark.read.parquet(one.path)
        except Exception as error:
            raise DataError(f"evaluation: {one.path}: cannot be read as Parquet ({type(error).__name__})") from None
        missing = [c for c in one.columns if c not in frame.columns]
        if missing:
            raise DataError(f"evaluation: {one.path}: has no column {missing[0]}; it has {', '.join(frame.columns)}")
        for column in one.columns:
            text = normalised(F.make_valid_utf8(F.col("`" + column.replace("`", "``") + "`").cast("string")))
            keys = keys.unionByName(frame.select(content_key(text).alias(CONTENT_KEY)))
    return keys


def _flag(rows: DataFrame, keys: DataFrame, where: Column, fate: str) -> DataFrame:
    """Give the fate to kept rows for which `where` holds and whose content key is among the keys."""
    found = keys.where(F.col(CONTENT_KEY).isNotNull()).distinct().withColumn("_found", F.lit(True))
    joined = rows.join(found, on=CONTENT_KEY, how="left")  # keys are distinct
    return _drop(joined, where & F.col("_found").isNotNull(), fate).drop("_found")


def _drop(rows: DataFrame, condition: Column, fate: str) -> DataFrame:
    return rows.withColumn("fate", F.when((F.col("fate") == KEPT) & condition, fate).otherwise(F.col("fate")))


def _lookup(values: dict[str, Any]) -> Column:
    """Return the value of the row's set, null where it has none."""
    return F.create_map(*(F.lit(x) for pair in values.items() for x in pair))[F.col(SET_NAME)]


def _all_sets(config: FineTuneConfig) -> list[TuningSet]:
    return [one for head in config.heads.values() for one in (*head.train, *head.validation)]
