"""Zero-shot heads: labels described in words, "none of these" learnt from background texts; saved as a head like any other."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import JobConfig, ModelConfig
from pipeline.errors import ConfigError, DataError
from pipeline.evaluation import with_scores
from pipeline.head_config import MAX_CLASSES
from pipeline.head_training import TrainedHead, head_of
from pipeline.labelled import CONTENT_KEY, LANG_HINT, TEXT
from pipeline.settings import Frozen, Identifier, PathText
from pipeline.text import content_key, language_hint, normalised
from udfs.models.zero_shot import ZeroShot, label_vectors, make_head, smallest_background
from udfs.spec import ScoreSpec

Text = Annotated[str, Field(min_length=1)]


class BackgroundConfig(Frozen):
    """Unlabelled texts that, as far as anyone knows, belong to none of the labels: at most `sample` of them are read."""

    path: PathText
    text: str = "text"
    sample: int = Field(default=5_000, ge=100, le=100_000)


class ZeroShotConfig(JobConfig):
    """The configuration of jobs/zero_shot.py.

    `labels` gives each label one or more descriptions, in the language of the texts. Of texts like the background,
    `false_acceptance` get a label all the same. `temperature` turns cosines into probabilities.
    """

    name: str
    task: Identifier
    labels: Annotated[
        dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]], Field(min_length=2, max_length=MAX_CLASSES)
    ]
    languages: Annotated[tuple[str, ...], Field(min_length=1)] = ("en",)
    background: BackgroundConfig
    false_acceptance: float = Field(default=0.05, gt=0.0, lt=1.0)
    temperature: float = Field(default=0.055, gt=0.0, le=100.0)
    model: ModelConfig = ModelConfig()
    output: PathText
    seed: int = 20_260_101

    @model_validator(mode="after")
    def _not_sentiment(self) -> "ZeroShotConfig":
        if self.task == "sentiment":
            raise ValueError("task: sentiment needs a trained head (jobs/train_head.py); give the task another name")
        if self.background.sample < smallest_background(self.false_acceptance):
            needed = smallest_background(self.false_acceptance)
            raise ValueError(f"background.sample: a rate of {self.false_acceptance} needs {needed} texts or more")
        return self


def make_zero_shot(spark: SparkSession, config: ZeroShotConfig, spec: ScoreSpec) -> tuple[TrainedHead, dict[str, Any]]:
    """Embed descriptions and background; return the head and what head.json says of it beyond labels and temperature.

    Raises:
        ConfigError: a description cannot be embedded.
        DataError: the background cannot be read, or is too small for the rate.
    """
    embeddings, owners = _embedded(spark, config, spec)
    background = embeddings[owners < 0]
    described, n_descriptions = owners[owners >= 0], sum(map(len, config.labels.values()))
    if len(described) < n_descriptions:
        raise ConfigError(
            f"labels: {n_descriptions - len(described)} description(s) could not be embedded; is {config.languages[0]} a "
            f"language that {spec.encoder.name} covers ({', '.join(spec.encoder.languages)})?"
        )
    try:
        vectors = label_vectors(embeddings[owners >= 0], described, len(config.labels))
        made = make_head(vectors, background, config.false_acceptance)
    except ValueError as error:
        raise DataError(f"background: {error}") from None
    return _as_head(made, config), {
        "none_below": [round(value, 6) for value in made.none_below.tolist()],
        "zero_shot": {
            "descriptions": {label: list(texts) for label, texts in config.labels.items()},
            "background_texts": len(background),
            "false_acceptance": config.false_acceptance,
        },
    }


def _as_head(made: ZeroShot, config: ZeroShotConfig) -> TrainedHead:
    tensors = {
        "layers.0.weight": made.weight.astype(np.float32),
        "layers.0.bias": np.zeros(len(made.weight), np.float32),
    }
    labels = tuple(config.labels)
    return TrainedHead(head_of(tensors, labels, config.temperature), tensors, config.temperature, 0.0, {})


def _embedded(
    spark: SparkSession, config: ZeroShotConfig, spec: ScoreSpec
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed descriptions and background in one pass.

    Returns:
        (n, d) unit vectors, and (n,) which label each describes, -1 for the background; the order does not depend on the cluster.
    """
    rows = [(text, owner) for owner, texts in enumerate(config.labels.values()) for text in texts]
    descriptions = spark.createDataFrame(rows, f"{TEXT} string, owner bigint")
    texts = descriptions.withColumn(TEXT, normalised(F.col(TEXT))).unionByName(_background(spark, config))
    keyed = texts.withColumns(
        {CONTENT_KEY: content_key(F.col(TEXT)), LANG_HINT: language_hint(F.lit(config.languages[0]))}
    )
    scored = with_scores(keyed, spec).where(F.col("embedding").isNotNull()).select(CONTENT_KEY, "owner", "embedding")
    most = len(rows) + config.background.sample
    found = scored.orderBy(CONTENT_KEY, "owner").limit(most).toPandas()  # bounded: descriptions and background.sample
    if found.empty:
        return np.zeros((0, spec.encoder.dim), np.float32), np.zeros(0, np.int64)
    return np.stack(found["embedding"].to_list()).astype(np.float32), found["owner"].to_numpy(np.int64)


def _background(spark: SparkSession, config: ZeroShotConfig) -> DataFrame:
    """Return text and owner -1 of the sample."""
    one = config.background
    try:
        frame = spark.read.parquet(one.path)
    except Exception as error:
        raise DataError(f"background.path: {one.path}: cannot be read as Parquet ({type(error).__name__})") from None
    if one.text not in frame.columns:
        raise DataError(f"background.text: {one.path} has no column {one.text}; it has {', '.join(frame.columns)}")
    texts = frame.select(normalised(F.make_valid_utf8(F.col("`" + one.text.replace("`", "``") + "`"))).alias(TEXT))
    distinct = texts.where(F.col(TEXT) != "").distinct()
    # the digest orders by nothing but the text: the same sample on any cluster
    sample = distinct.orderBy(F.xxhash64(TEXT, F.lit(config.seed)), TEXT).limit(one.sample)
    return sample.withColumn("owner", F.lit(-1).cast("bigint"))
