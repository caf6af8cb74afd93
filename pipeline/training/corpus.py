"""The texts a model is trained and validated on: cleaned, each once, none that the model will be judged on."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.errors import DataError
from pipeline.text import content_key, language_hint, normalised
from pipeline.training.config import CorpusConfig, EvaluationSet, TrainingSet

TRAIN, VALIDATION = "train", "validation"
KEPT = "kept"
_HASH_PARTS = 10_000


def prepared(spark: SparkSession, config: CorpusConfig, heads: Mapping[str, Sequence[str]]) -> DataFrame:
    """Return every row read, each with what becomes of it.

    Returns:
        set_name, part (`train` or `validation`), text (normalised), target and pair (normalised, or null), score of the pair
        (of 0 to 1, or null), label and head (or null), content_key of the text, n_bytes of its UTF-8, classes and repeat of its
        set, and `fate`: `kept`, or the first reason to drop it of `empty`, `language`, outside the `part`, `score` (missing or
        out of range), `label` (not one of the head's), `evaluation` (in a set of `exclude`), `validation` (a training text that
        is also validated on), `duplicate` (text, target, pair and head occurred before) and `max_rows`.

    Raises:
        DataError: a set cannot be read or lacks a column.
    """
    sets = [(one, VALIDATION) for one in config.validation] + [(one, TRAIN) for one in config.train]
    rows = reduce(DataFrame.unionByName, [_read(spark, one, part, i, heads) for i, (one, part) in enumerate(sets)])
    if config.held_back:
        is_held_back = F.pmod("match_key", F.lit(_HASH_PARTS)) < int(config.held_back * _HASH_PARTS)
        is_training = (F.col("part") == TRAIN) & (F.col("fate") == KEPT)
        rows = rows.withColumn("part", F.when(is_training & is_held_back, VALIDATION).otherwise(F.col("part")))
    rows = _flag(rows, _judged(spark, config.exclude), "evaluation", F.col("from_train"))
    kept = rows.where((F.col("part") == VALIDATION) & (F.col("fate") == KEPT))
    validated = kept.select(F.explode(F.array("match_key", "pair_key")).alias("match_key"))
    rows = _flag(rows, validated, "validation", F.col("part") == TRAIN)
    same = Window.partitionBy("content_key", "head", "target", "pair", "fate").orderBy("set_order", "label", "score")
    rows = _drop(rows, F.row_number().over(same) > 1, "duplicate")
    if any(one.max_rows for one, _ in sets):
        limits = {one.name: one.max_rows for one, _ in sets if one.max_rows}
        limit = F.create_map(*[F.lit(x) for pair in limits.items() for x in pair])[F.col("set_name")]
        place = F.row_number().over(
            Window.partitionBy("set_name", "fate").orderBy("content_key", "head", "target", "pair")
        )
        rows = _drop(rows, F.coalesce(place > limit, F.lit(False)), "max_rows")
    return rows.select(
        "set_name", "part", "text", "target", "pair", "score", "label", "head", "content_key",
        F.octet_length("text").alias("n_bytes"), "classes", "repeat", "fate",
    )  # fmt: skip


def fates(rows: DataFrame) -> list[dict[str, str | int]]:
    """Count rows per set_name, part and fate."""
    counted = rows.groupBy("set_name", "part", "fate").agg(F.count("*").alias("n"), F.sum("n_bytes").alias("n_bytes"))
    found = counted.orderBy("set_name", "part", "fate").collect()  # bounded: sets x parts x fates
    return [row.asDict() for row in found]


def _read(
    spark: SparkSession, one: TrainingSet, part: str, order: int, heads: Mapping[str, Sequence[str]]
) -> DataFrame:
    frame = _open(spark, one.path, [one.text, one.target, one.pair, one.score, one.label, one.lang])
    text = _clean(one.text)
    target = _clean(one.target) if one.target else F.lit(None).cast("string")
    pair = _clean(one.pair) if one.pair else F.lit(None).cast("string")
    least, largest = one.score_range
    score = (F.col(_quoted(one.score)).try_cast("double") - least) / (largest - least) if one.score else F.lit(None)
    label = F.col(_quoted(one.label)).cast("string") if one.label else F.lit(None).cast("string")
    for old, new in one.rename.items():
        label = F.when(F.col(_quoted(one.label or "")) == old, new).otherwise(label)
    lang = language_hint(F.coalesce(F.col(_quoted(one.lang)), F.lit(""))) if one.lang else F.lit("")
    read = [name for name, is_read in (("text", True), ("target", one.target), ("pair", one.pair)) if is_read]
    fate = F.when(reduce(Column.__or__, [F.coalesce(name, F.lit("")) == "" for name in read]), "empty")
    if one.languages:
        fate = fate.when(~F.col("lang").isin(*one.languages), "language")
    if one.part:
        fate = fate.when(~one.part.holds(content_key(F.col("text"))), "part")
    if one.score:
        fate = fate.when(~F.coalesce(F.col("score").between(0.0, 1.0), F.lit(False)), "score")
    if one.label:
        fate = fate.when(~F.coalesce(F.col("label").isin(*heads[one.head]), F.lit(False)), "label")
    columns = frame.select(
        text.alias("text"),
        target.alias("target"),
        pair.alias("pair"),
        score.cast("double").alias("score"),
        label.alias("label"),
        lang.alias("lang"),
    )
    return columns.select(
        F.lit(one.name).alias("set_name"),
        F.lit(order).alias("set_order"),
        F.lit(part).alias("part"),
        F.lit(part == TRAIN).alias("from_train"),
        "text",
        "target",
        "pair",
        "score",
        "label",
        F.lit(one.head if one.label else None).cast("string").alias("head"),
        F.array(*[F.lit(name) for name in one.classes]).cast("array<string>").alias("classes"),
        F.lit(one.repeat).alias("repeat"),
        content_key(F.col("text")).alias("content_key"),
        _match_key(F.col("text")).alias("match_key"),
        _match_key(F.col("target")).alias("target_key"),
        _match_key(F.col("pair")).alias("pair_key"),
        fate.otherwise(KEPT).alias("fate"),
    )


def _judged(spark: SparkSession, sets: Sequence[EvaluationSet]) -> DataFrame | None:
    keys = []
    for one in sets:
        frame = _open(spark, one.path, list(one.columns))
        keys += [frame.select(_match_key(_clean(column)).alias("match_key")) for column in one.columns]
    return reduce(DataFrame.unionByName, keys) if keys else None


def _flag(rows: DataFrame, keys: DataFrame | None, fate: str, where: Column) -> DataFrame:
    """Give kept rows for which `where` holds the fate if their text, target or pair is among the keys."""
    if keys is None:
        return rows
    distinct = keys.where("match_key is not null").distinct()
    columns = {"match_key": "_text_found", "target_key": "_target_found", "pair_key": "_pair_found"}
    for column, found in columns.items():
        marked = distinct.select(F.col("match_key").alias("_key"), F.lit(True).alias(found))
        rows = rows.join(marked, on=F.col(column) == F.col("_key"), how="left").drop("_key")
    is_found = reduce(Column.__or__, [F.col(found).isNotNull() for found in columns.values()])
    return _drop(rows, where & is_found, fate).drop(*columns.values())


def _drop(rows: DataFrame, condition: Column, fate: str) -> DataFrame:
    return rows.withColumn("fate", F.when((F.col("fate") == KEPT) & condition, fate).otherwise(F.col("fate")))


def _match_key(text: Column) -> Column:
    """Return a 64-bit hash of a text's letters and digits in lower case; of the text itself where it has none."""
    bare = F.regexp_replace(F.lower(text), r"[^\p{L}\p{N}]", "")
    return F.when(text.isNotNull(), F.xxhash64(F.when(bare == "", text).otherwise(bare)))


def _clean(column: str) -> Column:
    return normalised(F.make_valid_utf8(F.col(_quoted(column)).cast("string")))


def _open(spark: SparkSession, path: str, columns: Sequence[str | None]) -> DataFrame:
    try:
        frame = spark.read.parquet(path)
    except Exception as error:
        raise DataError(f"{path}: cannot be read as Parquet ({type(error).__name__})") from None
    missing = [c for c in columns if c is not None and c not in frame.columns]
    if missing:
        raise DataError(f"{path}: has no column {missing[0]}; it has {', '.join(frame.columns)}")
    return frame


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
