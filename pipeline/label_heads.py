"""Heads for a user's own labels: training by cross-validation or on validation sets, thresholds, the report."""

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cross_validation import MEASURES, CrossValidation, Positions, cross_validate, default_repeats
from pipeline.few_shot import FewShot, few_shot
from pipeline.head_config import HeadConfig
from pipeline.head_training import Labelled, TrainedHead, fit_tensors, head_of, train_head
from pipeline.label_rows import FEW_ROWS
from pipeline.softmax_regression import FORBIDDEN, probabilities

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelHead:
    """A trained head, how good it is, and what to know about it.

    Attributes:
        cross_validation: None where it was judged on validation sets.
        thresholds: least probability of each label, None without `min_precision`.
        coverage: the share of judged rows that still get a label with those thresholds.
    """

    trained: TrainedHead
    cross_validation: CrossValidation | None
    few_shot: list[FewShot]
    thresholds: list[float] | None
    coverage: float | None
    warnings: list[str]

    def facts(self) -> dict[str, Any]:
        """Return what head.json says of it beyond labels, temperature and validation."""
        found: dict[str, Any] = {}
        if self.thresholds is not None:
            found |= {"thresholds": self.thresholds, "threshold_coverage": self.coverage}
        if (cv := self.cross_validation) is not None:
            found["cross_validation"] = {
                "folds": cv.folds,
                "repeats": cv.repeats,
                "macro_f1_by_l2": {f"{l2:g}": value for l2, value in cv.by_l2.items()},
                **{name: asdict(cv.measures[name]) for name in MEASURES},
                "classes": [asdict(c) for c in cv.classes],
            }
        if self.few_shot:
            found["few_shot"] = [asdict(one) for one in self.few_shot]
        facts: dict[str, Any] = finite(found | {"warnings": self.warnings})
        return facts


def train_label_head(
    config: HeadConfig,
    classes: Sequence[str],
    train: Labelled,
    validation: Labelled | None,
    warnings: Sequence[str] = (),
) -> LabelHead:
    """Train, judge, calibrate; see `HeadConfig`."""
    if validation is None:
        cross = _cross_validate(config, classes, train)
        tensors = fit_tensors(train, len(classes), 0, cross.l2, config.seed, config.class_weight)
        temperature = cross.temperature
        trained = TrainedHead(head_of(tensors, classes, temperature), tensors, temperature, cross.l2, {})
        logits, labels = cross.logits, train.labels
    else:
        cross = None
        trained = train_head(train, validation, classes, config.hidden, config.l2, config.seed, config.class_weight)
        logits = np.where(validation.allowed, trained.head.logits(validation.embeddings), FORBIDDEN)
        labels = validation.labels
    draws = few_shot(train.embeddings, train.labels, classes, config.few_shot, config.few_shot_draws, config.seed)
    tried = {one.per_class for one in draws}
    said = list(warnings)
    said += [
        f"few_shot: {k}: fewer than two classes have more rows than that" for k in config.few_shot if k not in tried
    ]
    thresholds, coverage = None, None
    if config.min_precision is not None:
        chances = probabilities(logits, trained.temperature)
        thresholds = precision_thresholds(chances, labels, config.min_precision)
        coverage = float((chances.max(axis=1) >= np.asarray(thresholds)[chances.argmax(axis=1)]).mean())
        said += [
            f"class {name}: no threshold keeps a precision of {config.min_precision}; it is never given"
            for name, threshold in zip(classes, thresholds, strict=True)
            if threshold > 1
        ]
    return LabelHead(trained, cross, draws, thresholds, coverage, said)


def precision_thresholds(
    chances: NDArray[np.float64], labels: Positions, min_precision: float, min_rows: int = FEW_ROWS
) -> list[float]:
    """Return for each class the least probability from which on its precision is at least `min_precision`.

    Chosen on the rows given, out-of-fold or of validation sets. A class that reaches it at no probability with `min_rows` rows or
    more gets 2: never given.

    Args:
        chances: (n, n_classes) probabilities of rows the head was not trained on.
        labels: (n,) their classes.
    """
    best, chance = chances.argmax(axis=1), chances.max(axis=1)
    found = []
    for position in range(chances.shape[1]):
        mine = np.flatnonzero(best == position)
        mine = mine[np.argsort(-chance[mine], kind="stable")]
        right = np.cumsum(labels[mine] == position)
        n = np.arange(1, len(mine) + 1)
        # of equal probabilities all are given or none
        is_last = np.append(chance[mine][1:] != chance[mine][:-1], True) if len(mine) else np.zeros(0, bool)
        good = np.flatnonzero((right / n >= min_precision) & (n >= min_rows) & is_last)
        found.append(math.floor(chance[mine[good[-1]]] * 1e6) / 1e6 if len(good) else 2.0)
    return found


def _cross_validate(config: HeadConfig, classes: Sequence[str], train: Labelled) -> CrossValidation:
    n = len(train.labels)
    folds = min(config.folds, n)
    repeats = config.repeats or default_repeats(n)
    logger.info(f"validate  {n:,} rows, {len(classes)} classes: {repeats} x {folds} folds")
    allowed = None if train.allowed.all() else train.allowed
    return cross_validate(
        train.embeddings, train.labels, classes, config.l2, folds, repeats, config.class_weight, config.seed, allowed
    )


def finite(value: Any) -> Any:
    """Return a JSON value with null in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
