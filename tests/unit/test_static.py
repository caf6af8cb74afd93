"""The static encoder: the formula it states, texts without known tokens, and files that do not fit each other."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from pipeline.config import ModelConfig
from pipeline.models import embedding_spec
from udfs.models.encoder import load_encoder
from udfs.models.files import ModelFileError
from udfs.models.static import StaticEncoder

WORDS = {"[UNK]": 0, "good": 1, "bad": 2, "day": 3}
VECTORS = np.random.default_rng(3).normal(size=(4, 6)).astype(np.float16)


def write_static(folder: Path, vectors: np.ndarray = VECTORS, hidden_size: int = 6) -> Path:  # type: ignore[type-arg]
    folder.mkdir()
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"model_type": "static", "hidden_size": hidden_size, "max_position_embeddings": 1_000_000}
    (folder / "config.json").write_text(json.dumps(config))
    save_file({"vectors": vectors}, folder / "model.safetensors")
    return folder


def load(folder: Path) -> StaticEncoder:
    encoder = load_encoder(embedding_spec(ModelConfig(embedding=str(folder))).encoder, "cpu")
    assert isinstance(encoder, StaticEncoder)
    return encoder


def pooled(encoder: StaticEncoder, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
    chunks = encoder.tokenizer.chunks(texts, encoder.spec.max_tokens, 32)
    assert chunks.text.tolist() == list(range(len(texts)))
    return encoder.pooled(chunks, np.arange(len(texts)))


def test_a_vector_is_the_mean_of_the_tokens_vectors(tmp_path: Path) -> None:
    encoder = load(write_static(tmp_path / "m"))
    found = pooled(encoder, ["good day", "bad", "day day good"])
    table = VECTORS.astype(np.float32)
    wanted = [(table[1] + table[3]) / 2, table[2], (2 * table[3] + table[1]) / 3]
    assert found.dtype == np.float32
    assert np.allclose(found, wanted, atol=1e-6)


def test_a_batch_may_be_any_selection_in_any_order(tmp_path: Path) -> None:
    encoder = load(write_static(tmp_path / "m"))
    chunks = encoder.tokenizer.chunks(["good day bad", "bad", "", "day good"], 1_000, 32)
    whole = encoder.pooled(chunks, np.arange(4))
    assert np.array_equal(encoder.pooled(chunks, np.array([3, 1, 2])), whole[[3, 1, 2]])


def test_unknown_words_have_a_vector_and_an_empty_text_is_zero(tmp_path: Path) -> None:
    encoder = load(write_static(tmp_path / "m"))
    found = pooled(encoder, ["xyzzy", "", "good xyzzy"])
    table = VECTORS.astype(np.float32)
    assert np.allclose(found, [table[0], np.zeros(6), (table[0] + table[1]) / 2], atol=1e-6)


def test_a_long_text_is_one_chunk(tmp_path: Path) -> None:
    encoder = load(write_static(tmp_path / "m"))
    chunks = encoder.tokenizer.chunks(["good " * 20_000], encoder.spec.max_tokens, 32)
    assert (len(chunks.text), chunks.n_read.tolist()) == (1, [20_000])


@pytest.mark.parametrize("vectors", [VECTORS[:3], VECTORS[:, :5]])
def test_a_table_of_another_shape_is_refused(tmp_path: Path, vectors: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ModelFileError, match=r"`vectors` has the shape \(\d, \d\), not \(4, 6\)"):
        load(write_static(tmp_path / "m", vectors))
