"""One evaluation: every chosen model over the labelled sets, its encoder over the sets of pairs."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from pipeline.compared_models import (
    TrainingRows,
    collect_training,
    evaluate_baseline,
    evaluate_encoder,
    evaluate_trained,
    resolve_encoder,
    without_head,
)
from pipeline.embedding_quality import retrieval, similarity
from pipeline.evaluation import EvaluationRows, Predictions, Row, collect_rows, judge
from pipeline.evaluation_config import BASELINES, ComparedModel, EncoderModel, EvaluateConfig, TrainedModel
from pipeline.evaluation_results import FORMAT, machine
from pipeline.labelled import read_labelled
from pipeline.trained_models import TrainedClassifier, load_trained, perplexities
from udfs.spec import ScoreSpec

if TYPE_CHECKING:
    from udfs.models.trained_texts import TrainedTexts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    """The models that are files, by name."""

    encoders: dict[str, ScoreSpec]
    trained: dict[str, "TrainedTexts"]


def evaluate_all(spark: SparkSession, config: EvaluateConfig) -> Row:
    """Return the results of the configuration's chosen models, as `pipeline.evaluation_results` stores them.

    Raises:
        DataError: a set cannot be read or has no usable row.
        ModelError: a model is missing, unsafe or changed; all are looked for before any is run.
    """
    chosen, with_head = config.chosen(), bool(config.sets)
    found = _Found(
        {m.name: resolve_encoder(spark, m, config, with_head=with_head) for m in chosen if isinstance(m, EncoderModel)},
        {m.name: load_trained(m) for m in chosen if isinstance(m, TrainedModel)},
    )
    named = [{"name": m.name, "family": m.family, "kind": m.kind, "measured_on": machine()} for m in chosen]
    results: Row = {"format": FORMAT, "name": config.name, "sets": [], "models": named, "cells": []}
    if config.sets:
        rows = collect_rows(read_labelled(spark, config.sets), config)
        results["sets"] = list(rows.facts)
        train = collect_training(spark, config, rows.labelled) if any(m.kind in BASELINES for m in chosen) else None
        if train:
            results["train"] = train.facts
        for model, entry in zip(chosen, named, strict=True):
            facts, cells = _on_labelled_sets(model, found, rows, train, config)
            entry |= facts
            results["cells"] += cells
    results["similarity"], results["retrieval"] = _on_pairs(spark, found.encoders, config)
    results["perplexity"] = perplexities(spark, found.trained, config)
    return results


def _on_labelled_sets(
    model: ComparedModel, found: _Found, rows: EvaluationRows, train: TrainingRows | None, config: EvaluateConfig
) -> tuple[Row, Sequence[Row]]:
    started = time.monotonic()
    outcome = _judged(model, found, rows, train, config)
    if outcome is None:
        return {}, []
    facts, predictions = outcome
    cells = [{"model": model.name, **cell} for cell in judge(rows, predictions, config)]
    logger.info(f"models    {model.name}: {len(rows.gold):,} rows in {time.monotonic() - started:.1f} s")
    return facts, cells


def _judged(
    model: ComparedModel, found: _Found, rows: EvaluationRows, train: TrainingRows | None, config: EvaluateConfig
) -> tuple[Row, Predictions] | None:
    """Return what a model says of the rows; None for a language model without a head for them."""
    if isinstance(model, EncoderModel):
        return evaluate_encoder(model, found.encoders[model.name], rows, config)
    if isinstance(model, TrainedModel):
        if model.head is None:
            return None
        return evaluate_trained(model, TrainedClassifier(found.trained[model.name], model.head), rows, config)
    assert train is not None
    return evaluate_baseline(model, rows, train, config)


def _on_pairs(spark: SparkSession, specs: dict[str, ScoreSpec], config: EvaluateConfig) -> tuple[list[Row], list[Row]]:
    """Evaluate each encoder once; models with the same encoder share its results."""
    known: dict[str, tuple[list[Row], list[Row]]] = {}
    similar: list[Row] = []
    retrieved: list[Row] = []
    for name, spec in specs.items():
        bare = without_head(spec)
        if spec.encoder_key() not in known:
            known[spec.encoder_key()] = (
                [row for one in config.similarity for row in similarity(spark, one, bare, config)],
                [row for one in config.retrieval for row in retrieval(spark, one, bare, config)],
            )
        similar += [{"model": name, **row} for row in known[spec.encoder_key()][0]]
        retrieved += [{"model": name, **row} for row in known[spec.encoder_key()][1]]
    return similar, retrieved
