"""Writing token shards with Spark, in an order that does not depend on the cluster."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from pipeline.config import ModelConfig
from pipeline.models import embedding_spec
from pipeline.placement import measured
from pipeline.scoring import scored
from pipeline.text import content_key
from udfs.training.spec import Objective
from udfs.training.tokenise import ShardSpec, make_shard
from udfs.worker import Counters

_IDS = T.ArrayType(T.IntegerType())
_COLUMNS: dict[str, T.DataType] = {
    "target_ids": _IDS, "label": T.IntegerType(), "head": T.StringType(), "vector": T.ArrayType(T.FloatType()),
    "classes": T.LongType(), "pair_ids": _IDS, "score": T.FloatType(),
}  # fmt: skip
_OF_OBJECTIVE: dict[Objective, tuple[str, ...]] = {
    "causal_lm": (), "masked_lm": (), "seq2seq": ("target_ids",), "classification": ("label", "head"),
    "distillation": ("vector",), "multitask": ("label", "head", "classes", "vector", "pair_ids", "score"),
}  # fmt: skip


def write_shards(
    rows: DataFrame,
    objective: Objective,
    tokenizer: str,
    max_tokens: int,
    heads: Mapping[str, Sequence[str]],
    folder: str,
) -> None:
    """Tokenise rows and write them as Parquet.

    Rows: text, target, label, head, content_key; `classes`, `vector`, `pair` and `score` where they are
    learnt; `repeat`, if there, how often.

    Language models read all of a text, in rows of at most `max_tokens`; other objectives its first `max_tokens` tokens.

    Args:
        tokenizer: path of tokenizer.json.
        heads: labels of each head, in the order of the positions that `label` becomes; multitask: at most 63.
    """
    columns = _OF_OBJECTIVE[objective]
    spec = ShardSpec(tokenizer, max_tokens, whole=objective in ("causal_lm", "masked_lm"), columns=columns)
    schema = T.StructType([T.StructField("ids", _IDS), *(T.StructField(c, _COLUMNS[c]) for c in columns)])
    position, choice = F.lit(None).cast("int"), F.lit(0).cast("long")
    for name, labels in heads.items():
        place = F.array_position(F.array(*[F.lit(label) for label in labels]), F.col("label")).cast("int") - 1
        position = F.when(F.col("head") == name, place).otherwise(position)
        if "classes" in columns:
            bits = [F.when(F.array_contains("classes", label), 2**i).otherwise(0) for i, label in enumerate(labels)]
            choice = F.when(F.col("head") == name, sum(bits, F.lit(0)).cast("long")).otherwise(choice)
    needed = {
        "target_ids": F.col("target"), "label": position.alias("label"), "classes": choice.alias("classes"),
        "pair_ids": F.col("pair"), "score": F.col("score").cast("float"),
    }  # fmt: skip
    times = F.col("repeat") if "repeat" in rows.columns else F.lit(1)
    repeated = rows.withColumn("_time", F.explode(F.sequence(F.lit(1), times)))
    pair = ["pair"] if "pair" in rows.columns else []
    ordered = repeated.orderBy("content_key", "head", "target", *pair, "_time")
    chosen = ordered.select("text", *(needed.get(c, F.col(c)) for c in columns))
    chosen.mapInArrow(make_shard(spec), schema).write.mode("overwrite").parquet(folder)


def with_teacher_vectors(rows: DataFrame, teacher: ModelConfig, *, labelled_too: bool = True) -> DataFrame:
    """Add `vector`: what the teacher makes of each row's target, or of its text where it has none.

    Unless `labelled_too`, rows with a label or a second text that have no target have no vector. Rows to be taught whose text the
    teacher cannot embed are left out.
    """
    spec = embedding_spec(teacher)
    is_plain = F.col("label").isNull() & F.col("pair").isNull()
    own = F.when(F.lit(labelled_too) | is_plain, F.col("text"))
    taught = rows.withColumn("_taught", F.coalesce("target", own))
    taught = taught.withColumn("_taught_key", content_key(F.col("_taught")))
    # declared, so that no language is identified: the sets were chosen
    lang = next(iter(spec.encoder.languages))
    texts = taught.select(
        F.col("_taught_key").alias("content_key"),
        F.lit("en" if lang == "*" else lang).alias("lang_hint"),
        F.col("_taught").alias("text"),
    )
    texts = texts.where("text is not null").dropDuplicates(["content_key"]).persist()
    context = rows.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    results = scored(texts, measured(texts, spec), spec, counters).where("embedding is not null")
    # kept: each part of the corpus reads them, and the teacher is the slow part
    vectors = results.select(F.col("content_key").alias("_taught_key"), F.col("embedding").alias("vector")).persist()
    joined = taught.join(vectors, on="_taught_key", how="left")
    return joined.where("_taught is null or vector is not null").drop("_taught", "_taught_key")
