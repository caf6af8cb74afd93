"""Evaluating classifiers on labelled rows: which rows are judged, and the metrics of each set, language and group."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark import StorageLevel
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pipeline.bootstrap import Estimate, classifier_estimates
from pipeline.errors import DataError
from pipeline.evaluation_config import EvaluateConfig, EvaluatedSet
from pipeline.labelled import CONTENT_KEY, GROUP, LABEL, LANG_HINT, SET_NAME, TEXT
from pipeline.metrics import class_metrics
from pipeline.placement import measured
from pipeline.schemas import SENTIMENTS
from pipeline.scoring import scored
from udfs.spec import ScoreSpec
from udfs.worker import Counters

logger = logging.getLogger(__name__)
_NEGATIVE, _POSITIVE = SENTIMENTS.index("negative"), SENTIMENTS.index("positive")
ALL = "*"
"""Stands for all languages, or all groups, in a result."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of n rows.

    Attributes:
        probabilities: (n, 3) of negative, neutral, positive; NaN where the row has no score.
        label: (n,) position of the class it decides for; -1 where the row has no score.
    """

    probabilities: NDArray[np.float64]
    label: NDArray[np.int64]


@dataclass(frozen=True)
class EvaluationRows:
    """The rows to judge.

    Attributes:
        labelled: as Spark has them: set_name, content_key, lang_hint, text, label, group.
        gold: the same on the driver, in an order that follows from the rows alone.
        facts: of each set: rows judged, rows there are, a digest of the judged rows, what the bound on groups left out.
    """

    labelled: DataFrame
    gold: pd.DataFrame
    facts: tuple[Row, ...]


def scored_texts(labelled: DataFrame, spec: ScoreSpec) -> DataFrame:
    """Score each distinct text of labelled rows once; return one result per (content_key, lang_hint)."""
    context = labelled.sparkSession.sparkContext
    counters = Counters(context.accumulator(0), context.accumulator(0), context.accumulator(0))
    texts = (
        labelled.groupBy(CONTENT_KEY, LANG_HINT).agg(F.first(TEXT).alias(TEXT)).persist(StorageLevel.MEMORY_AND_DISK)
    )
    return scored(texts, measured(texts, spec), spec, counters)


def with_scores(labelled: DataFrame, spec: ScoreSpec) -> DataFrame:
    """Score each distinct text of labelled rows once and give every row its result's columns."""
    # one result per (content_key, lang_hint)
    return labelled.drop(TEXT).join(scored_texts(labelled, spec), on=[CONTENT_KEY, LANG_HINT], how="inner")


def collect_rows(labelled: DataFrame, config: EvaluateConfig) -> EvaluationRows:
    """Take the first `max_rows` rows of each set by content key and bring them to the driver.

    Raises:
        DataError: a set with `binary` holds neutral rows.
    """
    order = (CONTENT_KEY, LABEL, LANG_HINT, GROUP)
    window = Window.partitionBy(SET_NAME)
    numbered = labelled.withColumns(
        {"n_rows": F.count("*").over(window), "place": F.row_number().over(window.orderBy(*order))}
    )
    kept = numbered.where(F.col("place") <= config.max_rows).persist(StorageLevel.MEMORY_AND_DISK)
    columns = (SET_NAME, *order, TEXT, "n_rows")
    frame = kept.select(*columns).toPandas()  # bounded: max_rows of each set
    frame = frame.sort_values([SET_NAME, *order], kind="stable", ignore_index=True)
    facts = []
    for one in config.sets:
        rows = frame[frame[SET_NAME] == one.name]
        facts.append(_set_facts(one, rows, config.max_groups))
        n, n_rows = facts[-1]["n"], facts[-1]["n_rows"]
        if n < n_rows:
            logger.info(f"sets      {one.name}: {n:,} of {n_rows:,} rows judged, the first by content key (max_rows)")
    return EvaluationRows(kept.drop("n_rows", "place"), frame.drop(columns="n_rows"), tuple(facts))


def _set_facts(one: EvaluatedSet, rows: pd.DataFrame, max_groups: int) -> Row:
    lines = rows[CONTENT_KEY] + " " + rows[LABEL] + " " + rows[LANG_HINT]
    groups = rows[GROUP].value_counts()
    n_neutral = int((rows[LABEL] == "neutral").sum())
    if one.binary and n_neutral:
        raise DataError(
            f"sets: {one.name}: binary, but {n_neutral:,} of its rows are neutral; rename them away, for example "
            "rename: {neutral: none}, or set binary: false"
        )
    return {
        "name": one.name,
        "binary": one.binary,
        "n": len(rows),
        "n_rows": int(rows["n_rows"].iloc[0]),
        "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16],
        "n_groups_left_out": max(0, len(groups) - max_groups),
        "n_rows_in_groups_left_out": int(groups.iloc[max_groups:].sum()),
    }


def engine_predictions(gold: pd.DataFrame, results: DataFrame) -> Predictions:
    """Give the rows of `gold` their results (content_key, lang_hint, sentiment, sentiment_score, sentiment_confidence)."""
    columns = (CONTENT_KEY, LANG_HINT, "sentiment", "sentiment_score", "sentiment_confidence")
    frame = results.select(*columns).toPandas()  # bounded: the distinct texts of gold
    # one result per (content_key, lang_hint); no result is as good as one without a score
    joined = gold[[CONTENT_KEY, LANG_HINT]].merge(frame, on=[CONTENT_KEY, LANG_HINT], how="left", validate="m:1")
    places = {label: i for i, label in enumerate(SENTIMENTS)}
    label = joined["sentiment"].map(places).fillna(-1).to_numpy().astype(np.int64)
    score, confidence = (joined[c].to_numpy(np.float64) for c in ("sentiment_score", "sentiment_confidence"))
    return Predictions(recovered_probabilities(label, score, confidence), label)


def recovered_probabilities(
    label: NDArray[np.int64], score: NDArray[np.float64], confidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, 3) probabilities from the label, P(positive) - P(negative) and P(label); NaN where the label is -1."""
    both = np.where(
        label == _POSITIVE, 2 * confidence - score, np.where(label == _NEGATIVE, 2 * confidence + score, 1 - confidence)
    )  # P(negative) + P(positive)
    found = np.stack([(both - score) / 2, 1 - both, (both + score) / 2], axis=1)
    return np.where((label >= 0)[:, None], found.clip(0.0, 1.0), np.nan)


def judge(rows: EvaluationRows, predictions: Predictions, config: EvaluateConfig) -> list[Row]:
    """Return one result per set, all rows first, then per language and per group where there are several.

    Rows without a score (a language the model does not cover, an error) are counted in `n_unscored` and are not judged. Sets
    with `binary` are judged among negative and positive, by the larger probability.
    """
    found: list[Row] = []
    for one in config.sets:
        places = np.flatnonzero(rows.gold[SET_NAME] == one.name)
        mine = rows.gold.iloc[places]
        found.append(_judge_rows(mine, places, predictions, one, config, {"lang": ALL, "group": ALL}))
        for column, key in ((LANG_HINT, "lang"), (GROUP, "group")):
            counts = mine[column].value_counts().sort_index().sort_values(ascending=False, kind="stable")
            for value in counts.index[: config.max_groups] if len(counts) > 1 else []:
                part = np.flatnonzero(mine[column] == value)
                what = {"lang": ALL, "group": ALL, key: str(value) or "und"}
                found.append(_judge_rows(mine.iloc[part], places[part], predictions, one, config, what))
    return found


def _judge_rows(
    gold: pd.DataFrame,
    places: NDArray[np.int64],
    predictions: Predictions,
    one: EvaluatedSet,
    config: EvaluateConfig,
    what: Row,
) -> Row:
    labels = [SENTIMENTS[_NEGATIVE], SENTIMENTS[_POSITIVE]] if one.binary else list(SENTIMENTS)
    label, confidence = _decided(predictions, places, binary=one.binary)
    judged = label >= 0
    base = {"set": one.name, **what, "n": int(judged.sum()), "n_unscored": int((~judged).sum())}
    if not judged.any():
        return base
    truth = gold[LABEL].map({name: i for i, name in enumerate(labels)}).to_numpy().astype(np.int64)
    table, estimates = classifier_estimates(
        truth[judged], label[judged], confidence[judged], len(labels), config.resamples, config.seed
    )
    return {
        **base,
        **{name: numbers(estimate) for name, estimate in estimates.items()},
        "labels": labels,
        "confusion": table.tolist(),
        "classes": [
            {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(c).items()}
            for c in class_metrics(table, labels)
        ],
    }


def _decided(
    predictions: Predictions, places: NDArray[np.int64], *, binary: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return class positions (-1 without a score) and their probabilities, of the rows at `places`."""
    probabilities, label = predictions.probabilities[places], predictions.label[places]
    if not binary:
        return label, probabilities[np.arange(len(label)), label]
    pair = probabilities[:, [_NEGATIVE, _POSITIVE]]
    total = pair.sum(axis=1)
    positive = np.divide(pair[:, 1], total, out=np.full(len(total), 0.5), where=total > 0)
    decided = np.where(label >= 0, (positive >= 0.5).astype(np.int64), -1)
    return decided, np.where(positive >= 0.5, positive, 1 - positive)


def numbers(estimate: Estimate) -> Sequence[float | None]:
    """Return value, lower and upper end, rounded to six decimals; None for NaN."""
    return [None if np.isnan(x) else round(float(x), 6) for x in (estimate.value, estimate.low, estimate.high)]
