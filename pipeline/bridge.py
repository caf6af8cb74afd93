"""The bridge over a change of model: the old and the new model score the same sample of texts, and what shifts is measured.

Where a cascade decides sentiment, its full model stands for it, whose labels a cascade's agree with by its own promise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.cascade import is_scored
from pipeline.config import ModelChangeConfig
from pipeline.documents import RUN_DATE
from pipeline.errors import DataError
from pipeline.model_record import PublishedModel, loadable, missing_part, published_model
from pipeline.paired import confusion, mean_difference, share, share_shift
from pipeline.run_schemas import MODEL_BRIDGE
from pipeline.schemas import SENTIMENTS
from pipeline.scoring import unseen
from pipeline.store import KEYS, ScoreStore
from udfs.spec import ScoreSpec

ALL = "*"
"""`lang` of the rows about all languages together."""
NEW_PART, OLD_PART = 2, 3
"""Parts of the score store that a bridge writes; a night's own are 0 and 1."""

Score = Callable[[ScoreStore, DataFrame, ScoreSpec, int], None]
"""Scores texts with a model into its store, as a part of this run."""


@dataclass(frozen=True)
class Bridge:
    """What is known of a change of model.

    Attributes:
        rows: of `model_bridge`, without the run's columns; empty where there is a `problem`.
        problem: why the two models could not be compared.
    """

    old: PublishedModel
    new_key: str
    rows: tuple[dict[str, Any], ...] = ()
    problem: str | None = None


def changed_model(root: Path, spec: ScoreSpec, first: date) -> PublishedModel | None:
    """Return the model of the last night published before `first` if it is another than `spec`, else None.

    Raises:
        PublishError: what was published cannot be read.
    """
    old = published_model(root, first)
    return old if old is not None and old.key != spec.model_key() else None


def overlap_sample(texts: DataFrame, size: int) -> DataFrame:
    """Keep the first `size` texts in the order of their content key: a sha256, so the order is as good as random."""
    first = texts.select(*KEYS).orderBy(*KEYS).limit(size)
    return texts.join(first, on=list(KEYS), how="left_semi")


def bridge(
    old: PublishedModel,
    new: ScoreSpec,
    stores: tuple[ScoreStore, ScoreStore],
    texts: DataFrame,
    config: ModelChangeConfig,
    score: Score,
) -> Bridge:
    """Let both models score the overlap sample, as far as their stores lack it, and compare them.

    The new model goes first, so that it is not loaded a second time; the old one is loaded only where its store lacks a text.

    Args:
        stores: of the old and of the new model.
        texts: distinct texts of the run (content_key, lang_hint, text).
    """
    old_store, new_store = stores
    sample = overlap_sample(texts, config.sample).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        score(new_store, unseen(sample, new_store), new, NEW_PART)
        pending = unseen(sample, old_store)
        if not pending.isEmpty():
            problem = old.problem or (missing_part(old.spec) if old.spec else None)
            if problem or old.spec is None:
                return Bridge(old, new.model_key(), problem=problem)
            score(old_store, pending, loadable(old.spec, new), OLD_PART)
        found = pairs(sample, old_store.lookup(sample), new_store.lookup(sample))
        rows = bridge_rows(found.toPandas(), config)  # bounded: model_change.sample rows
    finally:
        sample.unpersist()
    if not rows or rows[0]["n"] == 0:
        return Bridge(old, new.model_key(), problem="no text of the run could be scored by both models")
    keys = {"old_model_key": old.key, "new_model_key": new.model_key(), "old_run_date": old.run_date}
    return Bridge(old, new.model_key(), tuple(keys | row for row in rows))


def pairs(sample: DataFrame, old: DataFrame, new: DataFrame) -> DataFrame:
    """Return one row per text of the sample, in the order of its key: its language and what each model says of it.

    Args:
        old: results of the old model, at most one row per text; `new` likewise.

    Returns:
        lang (by the new model, else the old one, else `und`), old_sentiment, new_sentiment (null where that model gave none) and
        difference (new minus old sentiment_score; null where one of them is).
    """

    def said(results: DataFrame, name: str) -> DataFrame:
        columns = ("lang", "sentiment", "sentiment_score")
        values = [F.when(is_scored(), F.col(c)).alias(f"{name}_{c}") for c in columns[1:]]
        return results.select(*KEYS, F.col("lang").alias(f"{name}_lang"), *values)

    # at most one row per key on the right of each join
    joined = sample.select(*KEYS).join(said(old, "old"), on=list(KEYS), how="left")
    both = joined.join(said(new, "new"), on=list(KEYS), how="left").orderBy(*KEYS)
    return both.select(
        F.coalesce("new_lang", "old_lang", F.lit("und")).alias("lang"),
        "old_sentiment",
        "new_sentiment",
        (F.col("new_sentiment_score") - F.col("old_sentiment_score")).alias("difference"),
    )


def bridge_rows(found: pd.DataFrame, config: ModelChangeConfig) -> list[dict[str, Any]]:
    """Return the rows of `model_bridge` but for the keys of models: all languages first, then each, a row per label.

    Args:
        found: what `pairs` returns. Without a row there is nothing to say.
    """
    if found.empty:
        return []
    groups = [(ALL, found), *((str(lang), group) for lang, group in found.groupby("lang"))]
    return [row for lang, group in groups for row in _rows_of(lang, group, config)]


def _rows_of(lang: str, group: pd.DataFrame, config: ModelChangeConfig) -> list[dict[str, Any]]:
    has_old, has_new = (group[name].notna().to_numpy() for name in ("old_sentiment", "new_sentiment"))
    both = group[has_old & has_new]
    counts = confusion(both["old_sentiment"], both["new_sentiment"], SENTIMENTS)
    figures = {
        "lang": lang,
        "n_sample": len(group),
        "n": len(both),
        "n_only_old": int((has_old & ~has_new).sum()),
        "n_only_new": int((has_new & ~has_old).sum()),
        "confidence": config.confidence,
        "tolerance": config.tolerance,
    } | _of_all_labels(both["difference"].to_numpy(float), int(np.trace(counts)), len(both), config.confidence)
    return [
        figures | {"sentiment": label} | _of_label(counts, i, is_all=lang == ALL, config=config)
        for i, label in enumerate(SENTIMENTS)
    ]


def _of_all_labels(differences: np.ndarray[Any, Any], n_same: int, n: int, confidence: float) -> dict[str, Any]:
    names = ("agreement", "agreement_low", "agreement_high", "score_shift", "score_shift_low", "score_shift_high")
    if n == 0:
        return dict.fromkeys(names)
    same, score = share(n_same, n, confidence), mean_difference(differences, confidence)
    values = (same.estimate, same.low, same.high, score.estimate, score.low, score.high)
    # the sum's last digits differ between processors
    return {name: None if v is None else round(v, 9) for name, v in zip(names, values, strict=True)}


def _of_label(counts: np.ndarray[Any, Any], i: int, *, is_all: bool, config: ModelChangeConfig) -> dict[str, Any]:
    """Return the figures of the i-th label from the confusion of all."""
    n, n_old, n_new, n_both = (int(x) for x in (counts.sum(), counts[i].sum(), counts[:, i].sum(), counts[i, i]))
    row = {"n_old": n_old, "n_new": n_new} | {f"to_{s}": int(counts[i, j]) for j, s in enumerate(SENTIMENTS)}
    shares = dict.fromkeys(("share_old", "share_new", "shift", "shift_low", "shift_high"))
    if n == 0:
        return row | shares | {"is_over": False}
    shift = share_shift(n_old - n_both, n_new - n_both, n, config.confidence)
    assert shift.low is not None
    assert shift.high is not None
    is_clear = is_all or shift.low > 0 or shift.high < 0
    values = (n_old / n, n_new / n, shift.estimate, shift.low, shift.high)
    is_over = is_clear and abs(shift.estimate) > config.tolerance + 1e-12
    return row | dict(zip(shares, values, strict=True)) | {"is_over": is_over}


def judged(found: Bridge, config: ModelChangeConfig) -> list[str]:
    """Return what there is to say of an accepted change, one line each.

    Raises:
        DataError: the shift is over the tolerance, or the models could not be compared, and the configuration says `stop`.
    """
    change = f"the model is {found.new_key}, that of {found.old.run_date} was {found.old.key}"
    if found.problem is not None:
        problem = f"{change}, and the two cannot be compared: {found.problem}"
        if config.on_unavailable == "stop":
            raise DataError(
                f"{problem}; nothing was published: make the old model available again, or publish without knowing what shifts "
                "with model_change.on_unavailable: accept"
            )
        return [problem]
    over = [_shift_line(row, config) for row in found.rows if row["is_over"]]
    if over and config.on_shift == "stop":
        raise DataError(
            "\n".join(
                [
                    f"{change}: nothing was published, shares of labels shift by more than model_change.tolerance "
                    f"{config.tolerance:g} between them; raise it, or set model_change.on_shift: accept",
                    *over,
                ]
            )
        )
    return [change, *(over or [_shift_line(_largest(found.rows), config)])]


def to_rows(found: Bridge | None, night: date) -> list[dict[str, Any]]:
    """Return the rows of `model_bridge`, all of one night: the first of the run that has documents."""
    names = [c.name for c in MODEL_BRIDGE.columns]
    return [{name: row[name] for name in names} | {RUN_DATE: night} for row in (found.rows if found else ())]


def _largest(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return max((row for row in rows if row["lang"] == ALL), key=lambda row: abs(row["shift"]))


def _shift_line(row: dict[str, Any], config: ModelChangeConfig) -> str:
    where = "all languages" if row["lang"] == ALL else row["lang"]
    return (
        f"share of {row['sentiment']} ({where}): {row['share_old']:.4f} by the old model, {row['share_new']:.4f} by the new, "
        f"shift {row['shift']:+.4f} ({config.confidence:.4g} interval {row['shift_low']:+.4f} to {row['shift_high']:+.4f}, "
        f"{row['n']:,} texts), tolerance {config.tolerance:g}"
    )
