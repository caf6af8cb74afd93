"""Heads: training on separable data, calibration, sets that do not know every class, metrics against scikit-learn."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from pipeline.config import ModelConfig
from pipeline.errors import ConfigError
from pipeline.head_training import make_labelled, save_head, train_head
from pipeline.metrics import evaluate
from pipeline.model_lock import encoder_identity, head_entry, head_spec
from pipeline.models import embedding_spec
from pipeline.schemas import SENTIMENTS
from udfs.models.head import load_head

RNG = np.random.default_rng(7)


def blobs(n: int, names: list[str], set_name: str, noise: float = 0.8):  # type: ignore[no-untyped-def]
    centres = {"negative": np.eye(8)[0], "neutral": np.eye(8)[1], "positive": np.eye(8)[2]}
    labels = [names[i % len(names)] for i in range(n)]
    x = np.stack([centres[label] + noise * RNG.normal(size=8) for label in labels])
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), labels, [set_name] * n


@pytest.mark.parametrize("hidden", [0, 16])
def test_a_head_learns_and_is_saved_and_loaded(hidden: int, tmp_path: Path) -> None:
    train = make_labelled(*blobs(900, list(SENTIMENTS), "a", 0.3), SENTIMENTS)
    validation = make_labelled(*blobs(300, list(SENTIMENTS), "v", 0.3), SENTIMENTS)
    trained = train_head(train, validation, SENTIMENTS, hidden, [1e-4], seed=1)
    assert trained.validation["v"].accuracy > 0.9
    encoder = embedding_spec(ModelConfig()).encoder
    save_head(trained, tmp_path / "h", "h", ["en"], encoder, encoder_identity(encoder), {})
    loaded = load_head(head_spec(head_entry("h", str(tmp_path / "h"), tmp_path / "h")))
    assert np.allclose(
        loaded.probabilities(validation.embeddings), trained.head.probabilities(validation.embeddings), atol=1e-6
    )
    assert np.allclose(loaded.probabilities(validation.embeddings).sum(axis=1), 1)
    with pytest.raises(ConfigError, match="never overwritten"):
        save_head(trained, tmp_path / "h", "h", ["en"], encoder, encoder_identity(encoder), {})


def test_a_set_without_neutral_does_not_teach_that_there_is_none() -> None:
    x1, l1, s1 = blobs(300, list(SENTIMENTS), "three", 0.3)
    x2, l2, s2 = blobs(3000, ["negative", "positive"], "two", 0.3)
    rows = make_labelled(np.concatenate([x1, x2]), l1 + l2, s1 + s2, SENTIMENTS)
    assert rows.allowed[0].all()
    assert rows.allowed[-1].tolist() == [True, False, True]
    validation = make_labelled(*blobs(300, list(SENTIMENTS), "v", 0.3), SENTIMENTS)
    trained = train_head(rows, validation, SENTIMENTS, 0, [1e-4], seed=1)
    neutral = next(c for c in trained.validation["v"].classes if c.label == "neutral")
    assert neutral.recall > 0.85


def test_temperature_calibrates() -> None:
    """Trained on little noise, judged on much: without a temperature the head is far too sure."""
    train = make_labelled(*blobs(600, list(SENTIMENTS), "a", 0.2), SENTIMENTS)
    validation = make_labelled(*blobs(3000, list(SENTIMENTS), "v", 1.0), SENTIMENTS)
    trained = train_head(train, validation, SENTIMENTS, 0, [1e-6], seed=1)
    assert trained.temperature > 1.5
    assert trained.validation["v"].calibration_error < 0.05


def test_metrics_equal_scikit_learn() -> None:
    gold = RNG.choice(SENTIMENTS, 500).tolist()
    predicted = np.where(RNG.random(500) < 0.6, gold, RNG.choice(SENTIMENTS, 500)).tolist()
    metrics = evaluate(gold, predicted, None, SENTIMENTS)
    assert metrics.accuracy == pytest.approx(accuracy_score(gold, predicted))
    assert metrics.macro_f1 == pytest.approx(f1_score(gold, predicted, average="macro"))
    precision, recall, f1, n = precision_recall_fscore_support(gold, predicted, labels=list(SENTIMENTS))
    for i, c in enumerate(metrics.classes):
        assert (c.precision, c.recall, c.f1, c.n) == pytest.approx((precision[i], recall[i], f1[i], n[i]))


def test_calibration_error_by_hand() -> None:
    """Ten answers at 0.95, nine right; ten at 0.55, two right: (0.05 * 10 + 0.35 * 10) / 20."""
    right = [True] * 9 + [False] + [True] * 2 + [False] * 8
    predicted = ["positive" if ok else "negative" for ok in right]
    metrics = evaluate(["positive"] * 20, predicted, [0.95] * 10 + [0.55] * 10, SENTIMENTS)
    assert metrics.calibration_error == pytest.approx(0.2)
    assert metrics.macro_f1 == pytest.approx(2 * 11 / 31)


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no labelled rows"):
        evaluate([], [], None, SENTIMENTS)
