"""One evaluation: every chosen model over the labelled sets, its encoder over the sets of pairs."""

import logging
import time
from collections.abc import Sequence

from pyspark.sql import SparkSession

from pipeline.compared_models import (
    TrainingRows,
    collect_training,
    evaluate_baseline,
    evaluate_encoder,
    resolve_encoder,
    without_head,
)
from pipeline.embedding_quality import retrieval, similarity
from pipeline.evaluation import EvaluationRows, Row, collect_rows, judge
from pipeline.evaluation_config import ComparedModel, EncoderModel, EvaluateConfig
from pipeline.evaluation_results import FORMAT, machine
from pipeline.labelled import read_labelled
from udfs.spec import ScoreSpec

logger = logging.getLogger(__name__)


def evaluate_all(spark: SparkSession, config: EvaluateConfig) -> Row:
    """Return the results of the configuration's chosen models, as `pipeline.evaluation_results` stores them.

    Raises:
        DataError: a set cannot be read or has no usable row.
        ModelError: a model is missing, unsafe or changed; all are looked for before any is run.
    """
    chosen = config.chosen()
    specs = {
        m.name: resolve_encoder(spark, m, config, with_head=bool(config.sets))
        for m in chosen
        if isinstance(m, EncoderModel)
    }
    results: Row = {"format": FORMAT, "name": config.name, "sets": [], "models": [], "cells": []}
    if config.sets:
        rows = collect_rows(read_labelled(spark, config.sets), config)
        results["sets"] = list(rows.facts)
        train = None
        if any(m.kind != "encoder" for m in chosen):
            train = collect_training(spark, config, rows.labelled)
            results["train"] = train.facts
        for model in chosen:
            facts, cells = _on_labelled_sets(model, specs, rows, train, config)
            results["models"].append(_named(model) | facts)
            results["cells"] += cells
    else:
        results["models"] = [_named(m) for m in chosen]
    results["similarity"], results["retrieval"] = _on_pairs(spark, specs, config)
    return results


def _named(model: ComparedModel) -> Row:
    return {"name": model.name, "family": model.family, "kind": model.kind, "measured_on": machine()}


def _on_labelled_sets(
    model: ComparedModel,
    specs: dict[str, ScoreSpec],
    rows: EvaluationRows,
    train: TrainingRows | None,
    config: EvaluateConfig,
) -> tuple[Row, Sequence[Row]]:
    started = time.monotonic()
    if isinstance(model, EncoderModel):
        facts, predictions = evaluate_encoder(model, specs[model.name], rows, config)
    else:
        assert train is not None
        facts, predictions = evaluate_baseline(model, rows, train, config)
    cells = [{"model": model.name, **cell} for cell in judge(rows, predictions, config)]
    logger.info(f"models    {model.name}: {len(rows.gold):,} rows in {time.monotonic() - started:.1f} s")
    return facts, cells


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
