"""Models made by jobs/train.py in an evaluation, on the driver: classes by a label head, perplexity on held-back texts."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline.errors import DataError, ModelError
from pipeline.evaluation import Row
from pipeline.evaluation_config import EvaluateConfig, HeldBackText, TrainedModel
from pipeline.labelled import CONTENT_KEY, TEXT
from pipeline.schemas import SENTIMENTS
from pipeline.text import content_key, normalised

if TYPE_CHECKING:
    from udfs.models.trained_texts import TrainedTexts


def load_trained(model: TrainedModel) -> "TrainedTexts":
    """Load a model's folder.

    Raises:
        ModelError: it is no such folder, or has no head of that name whose labels are sentiments.
    """
    from udfs.models.files import ModelFileError
    from udfs.models.trained_texts import TrainedTexts

    key = f"models.{model.name}"
    if not Path(model.folder).is_dir():
        raise ModelError(f"{key}.folder: {model.folder}: no such folder; train it first, or leave it out with `only`")
    try:
        trained = TrainedTexts(Path(model.folder))
    except ModelFileError as error:
        raise ModelError(f"{key}.folder: {error}") from None
    heads = trained.model.config.heads
    if model.head is not None and model.head not in heads:
        raise ModelError(f"{key}.head: {model.head}: the model has {', '.join(heads) or 'no heads'}")
    if model.head is not None and set(heads[model.head]) - set(SENTIMENTS):
        raise ModelError(f"{key}.head: {model.head}: has the labels {', '.join(heads[model.head])}, not sentiments")
    return trained


class TrainedClassifier:
    """A label head as a classifier of texts; classes it does not know have probability 0."""

    def __init__(self, trained: "TrainedTexts", head: str) -> None:
        self._trained, self._head = trained, head
        self._places = [SENTIMENTS.index(label) for label in trained.model.config.heads[head]]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return (n, 3) probabilities of n texts."""
        found = np.zeros((len(texts), len(SENTIMENTS)))
        found[:, self._places] = self._trained.label_probabilities(texts, self._head)
        return found

    def parameters(self) -> int:
        """Return the number of learnt numbers of the whole model."""
        return self._trained.parameters()


def held_back_texts(spark: SparkSession, one: HeldBackText) -> list[str]:
    """Return the first `max_rows` distinct texts by content key, normalised and not empty.

    Raises:
        DataError: the file cannot be read, has no such column or no text.
    """
    try:
        frame = spark.read.parquet(one.path)
    except Exception as error:
        raise DataError(f"{one.path}: cannot be read as Parquet ({type(error).__name__}); set {one.name}") from None
    if one.text not in frame.columns:
        raise DataError(f"{one.path}: has no column {one.text} (set {one.name}); it has {', '.join(frame.columns)}")
    clean = normalised(F.make_valid_utf8(F.col("`" + one.text.replace("`", "``") + "`")))
    texts = frame.select(clean.alias(TEXT)).where(F.col(TEXT) != "").withColumn(CONTENT_KEY, content_key(F.col(TEXT)))
    if one.part:
        texts = texts.where(one.part.holds(F.col(CONTENT_KEY)))
    chosen = texts.dropDuplicates([CONTENT_KEY]).orderBy(CONTENT_KEY).limit(one.max_rows)
    found = [row[TEXT] for row in chosen.select(TEXT).collect()]  # bounded: max_rows
    if not found:
        raise DataError(f"{one.path}: holds no text (set {one.name})")
    return found


def perplexities(spark: SparkSession, trained: dict[str, "TrainedTexts"], config: EvaluateConfig) -> list[Row]:
    """Return the perplexity of each causal model on each held-back set; other models have none."""
    rows: list[Row] = []
    for one in config.held_back:
        texts = held_back_texts(spark, one)
        digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
        for name, model in trained.items():
            if not model.is_causal:
                continue
            started = time.process_time()
            found = model.perplexity(texts)
            rows.append({
                "model": name, "set": one.name, "lang": "", "digest": digest, "n": len(texts), "n_tokens": found.n_tokens,
                "parameters": model.parameters(), "perplexity": round(found.value, 4),
                "bits_per_byte": round(found.bits_per_byte, 6),
                "tokens_per_cpu_s": round(found.n_tokens / max(time.process_time() - started, 1e-9), 1),
            })  # fmt: skip
    return rows
