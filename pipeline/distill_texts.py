"""The texts a static model is distilled on, and what the encoder it learns from makes of them."""

from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import JobConfig, ModelConfig
from pipeline.errors import DataError
from pipeline.placement import measured
from pipeline.scoring import scored
from pipeline.settings import Frozen, PathText
from pipeline.text import content_key, language_hint, normalised
from udfs.spec import ScoreSpec
from udfs.worker import Counters


class TextSet(Frozen):
    """A Parquet file or folder of texts. `columns` hold the texts; `languages` keeps rows whose `lang` column says one of them.

    `max_rows` texts are taken, those whose content keys come first: a sample that does not depend on the order of the rows.
    """

    path: PathText
    columns: tuple[str, ...] = ("text",)
    lang: str | None = None
    languages: tuple[str, ...] = ()
    max_rows: int = Field(default=50_000, ge=1, le=500_000)


class DistillConfig(JobConfig):
    """The configuration of jobs/distill_static.py.

    `model` is the encoder to learn from. Texts of `exclude`, which the result will be judged on, are never trained on. Texts
    longer than `max_chars` are left out: the encoder is the slow part. Its vectors are kept in the Parquet file `vectors`; where
    that file exists, they are read from it and the sets are not.
    """

    name: str
    output: PathText
    model: ModelConfig = ModelConfig()
    vectors: PathText
    texts: tuple[TextSet, ...] = Field(min_length=1)
    exclude: tuple[TextSet, ...] = ()
    max_chars: int = Field(default=160, ge=1)
    language: str = "en"
    dim: int = Field(default=256, ge=2, le=4_096)
    epochs: int = Field(default=5, ge=0, le=1_000)
    batch: int = Field(default=512, ge=2)
    learning_rate: float = Field(default=0.01, gt=0)
    seed: int = 20_260_101


def read_texts(spark: SparkSession, config: DistillConfig) -> DataFrame:
    """Return the distinct training texts: content_key, lang_hint, text (normalised, not empty).

    Raises:
        DataError: a set cannot be read or lacks a column.
    """
    short = (F.col("text") != "") & (F.length("text") <= config.max_chars)
    sets = [
        _read(spark, one).where(short).dropDuplicates(["content_key"]).orderBy("content_key").limit(one.max_rows)
        for one in config.texts
    ]
    texts = reduce(DataFrame.unionByName, sets).dropDuplicates(["content_key"])
    for one in config.exclude:
        judged = _read(spark, one).select(F.lower("text").alias("judged")).distinct()
        texts = texts.join(judged, on=F.lower("text") == F.col("judged"), how="left_anti")
    # declared, so that no language is identified: the sets were chosen
    return texts.select("content_key", F.lit(config.language).alias("lang_hint"), "text")


def write_vectors(texts: DataFrame, spec: ScoreSpec, path: str) -> None:
    """Embed texts and write text and embedding, in the order of the content keys, to one Parquet file."""
    context = texts.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    held = texts.persist()
    results = scored(held, measured(held, spec), spec, counters).where("embedding is not null")
    rows = held.join(results.select("content_key", "embedding"), on="content_key").orderBy("content_key")
    # on the driver: the sets bound the number of texts by `max_rows`
    table = rows.select("text", "embedding").toArrow()
    pq.write_table(table, f"{path}.partial", compression="zstd")
    Path(f"{path}.partial").rename(path)


def read_vectors(path: str) -> tuple[list[str], NDArray[np.float32]]:
    """Return the n texts and their (n, h) unit vectors.

    Raises:
        DataError: the file is not one that `write_vectors` wrote.
    """
    try:
        table = pq.read_table(path, columns=["text", "embedding"]).combine_chunks()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"vectors: {path}: cannot be read ({type(error).__name__}); remove the file") from None
    flat = table.column("embedding").chunk(0).flatten().to_numpy()
    return table.column("text").to_pylist(), flat.reshape(table.num_rows, -1).astype(np.float32)


def _read(spark: SparkSession, one: TextSet) -> DataFrame:
    """Return content_key and text of every text of a set."""
    try:
        frame = spark.read.parquet(one.path)
    except Exception as error:
        raise DataError(f"{one.path}: cannot be read as Parquet ({type(error).__name__})") from None
    missing = [c for c in (*one.columns, one.lang) if c is not None and c not in frame.columns]
    if missing:
        raise DataError(f"{one.path}: has no column {missing[0]}; it has {', '.join(frame.columns)}")
    if one.lang and one.languages:
        frame = frame.where(language_hint(F.coalesce(F.col(one.lang), F.lit(""))).isin(*one.languages))
    texts = F.explode(F.array(*(F.make_valid_utf8(F.col(c)) for c in one.columns)))
    rows = frame.select(texts.alias("text")).select(normalised(F.col("text")).alias("text"))
    return rows.select(content_key(F.col("text")).alias("content_key"), "text").where("text is not null")
