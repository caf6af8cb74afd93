"""The models an evaluation sets side by side: what each says of the rows, its size, what its training took, its speed."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.baselines import Baseline, TfidfRegression, fit_majority, fit_tfidf
from pipeline.errors import DataError
from pipeline.evaluation import EvaluationRows, Predictions, Row, engine_predictions, scored_texts
from pipeline.evaluation_config import EncoderModel, EvaluateConfig, MajorityModel, TfidfModel, TrainedModel
from pipeline.labelled import CONTENT_KEY, LABEL, LANG_HINT, SET_NAME, TEXT, read_labelled
from pipeline.models import embedding_spec, sentiment_spec
from pipeline.runtimes import resolve_runtime
from pipeline.schemas import SENTIMENTS
from pipeline.trained_models import TrainedClassifier
from udfs.models.files import inspect, locate
from udfs.models.spec import TUNED
from udfs.spec import EncoderSpec, HeadSpec, ScoreSpec

logger = logging.getLogger(__name__)
_WARM_UP_TEXTS = 64


@dataclass(frozen=True)
class TrainingRows:
    """Rows the baselines learn from: set_name, text, label."""

    frame: pd.DataFrame
    facts: Row


def collect_training(spark: SparkSession, config: EvaluateConfig, evaluated: DataFrame) -> TrainingRows:
    """Bring the training rows to the driver, less those whose text is evaluated on; the first `max_train_rows` by content key."""
    keys = evaluated.select(CONTENT_KEY, F.lit(True).alias("is_evaluated")).distinct()
    marked = read_labelled(spark, config.train).join(keys, on=CONTENT_KEY, how="left").persist()
    counts = marked.agg(F.count("*").alias("rows"), F.count("is_evaluated").alias("evaluated")).head()
    assert counts is not None
    usable = marked.where("is_evaluated is null")
    ordered = usable.orderBy(CONTENT_KEY, SET_NAME, LABEL).limit(config.max_train_rows)
    frame = ordered.select(SET_NAME, TEXT, LABEL).toPandas()  # bounded: max_train_rows
    marked.unpersist()
    facts = {"n": len(frame), "n_rows": counts["rows"], "n_evaluated_on": counts["evaluated"]}
    logger.info(
        f"train     {facts['n']:,} of {facts['n_rows']:,} rows; {facts['n_evaluated_on']:,} left out, their text is evaluated on"
    )
    return TrainingRows(frame, facts)


def evaluate_baseline(
    model: MajorityModel | TfidfModel, rows: EvaluationRows, train: TrainingRows, config: EvaluateConfig
) -> tuple[Row, Predictions]:
    """Fit a baseline, once for each combination of training sets that the evaluated sets name, and let it judge their rows.

    The facts' `parameters` are those of the largest fit, `training_cpu_minutes` those of all fits; the majority class has no
    speed worth measuring.
    """
    probabilities = np.full((len(rows.gold), len(SENTIMENTS)), np.nan)
    fitted: dict[tuple[str, ...], Baseline] = {}
    names = np.asarray(rows.gold[SET_NAME], dtype=object)
    for one in config.sets:
        if one.trained_on not in fitted:
            fitted[one.trained_on] = _fit(model, train.frame, one.trained_on)
        mine = names == one.name
        probabilities[mine] = fitted[one.trained_on].probabilities(rows.gold[TEXT][mine].tolist())
    first = fitted[config.sets[0].trained_on]
    texts = _speed_texts(rows.gold, config.speed_texts)[TEXT].tolist()
    minutes = sum(f.cpu_minutes for f in fitted.values() if isinstance(f, TfidfRegression))
    facts = {
        "parameters": max(f.parameters() for f in fitted.values()),
        "training_cpu_minutes": round(minutes, 5),
        "speed": _measured_speed(first.probabilities, texts) if isinstance(first, TfidfRegression) else {},
    }
    return facts, Predictions(probabilities, probabilities.argmax(axis=1))


def _fit(model: MajorityModel | TfidfModel, train: pd.DataFrame, trained_on: Sequence[str]) -> Baseline:
    mine = train[train[SET_NAME].isin(trained_on)] if trained_on else train
    if mine.empty:
        raise DataError(f"train: no row is left of {', '.join(trained_on)}; raise max_train_rows")
    labels = mine[LABEL].map({label: i for i, label in enumerate(SENTIMENTS)}).to_numpy().astype(np.int64)
    if isinstance(model, MajorityModel):
        return fit_majority(labels, len(SENTIMENTS))
    try:
        return fit_tfidf(mine[TEXT].tolist(), labels, len(SENTIMENTS), model.features, model.c)
    except ValueError as error:
        raise DataError(f"models: {model.name}: cannot be fitted on {len(mine):,} training rows: {error}") from None


def resolve_encoder(spark: SparkSession, model: EncoderModel, config: EvaluateConfig, *, with_head: bool) -> ScoreSpec:
    """Return the spec of an encoder and, where asked, its head.

    Raises:
        ModelError: see `pipeline.models.sentiment_spec`.
    """
    find = sentiment_spec if with_head else embedding_spec
    section = f"models.{model.name}.model"
    return resolve_runtime(spark, find(model.model, config.language, section), model.model, None)


def evaluate_encoder(
    model: EncoderModel, spec: ScoreSpec, rows: EvaluationRows, config: EvaluateConfig
) -> tuple[Row, Predictions]:
    """Score the rows' texts on Spark as a night does; measure the speed on some of them in this process."""
    predictions = engine_predictions(rows.gold, scored_texts(rows.labelled, spec))
    minutes = model.training_cpu_minutes
    facts = {
        "parameters": sum(
            _parameters(part) for route in spec.routes() for part in (route.encoder, route.sentiment) if part
        ),
        "training_cpu_minutes": _recorded_minutes(spec.sentiment) if minutes is None else minutes,
        "speed": _engine_speed(spec, _speed_texts(rows.gold, config.speed_texts)),
        "model_key": spec.model_key(),
    }
    return facts, predictions


def _speed_texts(gold: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return n distinct texts, the first by content key: in effect a random draw over the sets."""
    return gold.drop_duplicates([CONTENT_KEY, LANG_HINT]).sort_values([CONTENT_KEY, LANG_HINT]).head(n)


def evaluate_trained(
    model: TrainedModel, trained: TrainedClassifier, rows: EvaluationRows, config: EvaluateConfig
) -> tuple[Row, Predictions]:
    """Let a language model's label head judge the rows' texts."""
    probabilities = trained.probabilities(rows.gold[TEXT].tolist())
    facts = {
        "parameters": trained.parameters(),
        "training_cpu_minutes": model.training_cpu_minutes,
        "speed": _measured_speed(trained.probabilities, _speed_texts(rows.gold, config.speed_texts)[TEXT].tolist()),
    }
    return facts, Predictions(probabilities, probabilities.argmax(axis=1))


def _measured_speed(classify: Callable[[list[str]], NDArray[np.float64]], texts: list[str]) -> Row:
    classify(texts[:_WARM_UP_TEXTS])
    clocks = _clocks()
    classify(texts)
    return _speed(len(texts), clocks)


def _engine_speed(spec: ScoreSpec, texts: pd.DataFrame) -> Row:
    """Time the engine on texts; those of languages it does not cover are no work and do not count."""
    import pyarrow as pa

    from udfs.engine import Engine
    from udfs.worker import configure_threads

    configure_threads()
    engine = Engine(spec)
    batches = pa.Table.from_pandas(texts[[CONTENT_KEY, LANG_HINT, TEXT]], preserve_index=False).to_batches()
    for _ in engine.score([batch.slice(0, _WARM_UP_TEXTS) for batch in batches[:1]]):
        pass
    clocks = _clocks()
    errors = [batch.column("error_code") for batch in engine.score(batches)]
    return _speed(sum(column.null_count for column in errors), clocks)


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _speed(n_texts: int, started: tuple[float, float]) -> Row:
    """Say how many texts went through, per second and per second of CPU time, which other work on the machine leaves alone."""
    wall, cpu = (max(now - then, 1e-9) for now, then in zip(_clocks(), started, strict=True))
    return {"texts": n_texts, "docs_per_s": round(n_texts / wall, 1), "docs_per_cpu_s": round(n_texts / cpu, 1)}


def _parameters(spec: EncoderSpec | HeadSpec) -> int:
    """Count the numbers in a model's safetensors files, from their headers; positions and masks are no parameters.

    A tuned encoder's own files hold what it changed; it has as many as the base below them.
    """
    folder = locate(spec.source)
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8")) if isinstance(spec, EncoderSpec) else {}
    if facts.get("model_type") == TUNED:
        from udfs.models.tuned import base_folder

        base = base_folder(Path(spec.source), facts)
        return _numbers(base, [f.name for f in inspect(base)])
    return _numbers(folder, [f.name for f in spec.files])


def _numbers(folder: Traversable, files: Sequence[str]) -> int:
    total = 0
    for file in (name for name in files if name.endswith(".safetensors")):
        with folder.joinpath(*file.split("/")).open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            header: dict[str, Any] = json.loads(opened.read(size))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        total += sum(prod(t["shape"]) for t in tensors if t["dtype"] not in ("I64", "I32", "BOOL"))
    return total


def _recorded_minutes(head: HeadSpec | None) -> float | None:
    """Return `training.cpu_minutes` of a head's head.json, where it was recorded."""
    if head is None:
        return None
    facts = json.loads((locate(head.source) / "head.json").read_text(encoding="utf-8"))
    minutes = facts.get("training", {}).get("cpu_minutes")
    return None if minutes is None else float(minutes)


def without_head(spec: ScoreSpec) -> ScoreSpec:
    """Return the spec of the encoder alone: its languages are no longer limited to those of the head."""
    return replace(spec, sentiment=None, others=())
