"""Tuned encoders: tensors over a base, against the plain computation of the changed model."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

from pipeline.config import ModelConfig
from pipeline.model_lock import encoder_entry, encoder_spec
from pipeline.models import embedding_spec
from udfs.embedding import Embedder
from udfs.models.encoder import load_encoder
from udfs.models.files import ModelFileError, combined_digest, locate
from udfs.spec import EncoderSpec, space_of

TEXTS = ["A short one.", "The parcel came two days late, and nobody answers.", "好 ok"]
NAME = "encoder.layer.5.output.dense.weight"
LOW_RANK = "encoder.layer.2.intermediate.dense.weight"


@pytest.fixture(scope="module")
def base() -> EncoderSpec:
    return embedding_spec(ModelConfig(embedding="all-MiniLM-L6-v2")).encoder


def write(folder: Path, base: EncoderSpec, tensors: dict[str, torch.Tensor], **facts: object) -> Path:
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    config = {"model_type": "tuned", "base": {"source": base.source, "sha256": combined_digest(base.files)}, **facts}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def spec_of(folder: Path) -> EncoderSpec:
    return encoder_spec(encoder_entry("t", str(folder), folder, "r", ("en",)))


@pytest.fixture(scope="module")
def changes() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        NAME: torch.randn(384, 1536, generator=generator).half() * 0.03,
        LOW_RANK + ".lora_A": torch.randn(4, 384, generator=generator) * 0.1,
        LOW_RANK + ".lora_B": torch.randn(1536, 4, generator=generator) * 0.1,
    }


def test_a_tuned_encoder_computes_the_changed_model(
    base: EncoderSpec, changes: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    space = combined_digest(base.files)
    spec = spec_of(write(tmp_path / "t", base, changes, n_features=384, space=space, lora_scale=2.0))
    assert (spec.dim, spec.n_features, spec.max_tokens, spec.width) == (384, 384, 256, 768)
    assert space_of(spec) == space_of(base)
    encoder = load_encoder(spec, "cpu")
    chunks = encoder.tokenizer.chunks(TEXTS, spec.max_tokens, 1)
    vectors, failed = Embedder(encoder, 2_048).embed(chunks, len(TEXTS))
    assert failed == []

    folder = locate(base.source)
    model, tokenizer = AutoModel.from_pretrained(str(folder)).eval(), AutoTokenizer.from_pretrained(str(folder))
    state = model.state_dict()
    state[NAME] = changes[NAME].float()
    state[LOW_RANK] = state[LOW_RANK] + 2.0 * changes[LOW_RANK + ".lora_B"] @ changes[LOW_RANK + ".lora_A"]
    model.load_state_dict(state)
    for i, text in enumerate(TEXTS):
        with torch.no_grad():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
        mean = hidden.mean(axis=0)
        assert np.abs(vectors.embeddings[i] - mean / np.linalg.norm(mean)).max() < 1e-5
        assert np.abs(vectors.head_inputs[i] - hidden[0]).max() < 1e-4


def test_features_of_a_long_text_are_those_of_its_chunks_weighted_by_tokens(
    base: EncoderSpec, changes: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    spec = spec_of(write(tmp_path / "t", base, changes, n_features=384))
    assert space_of(spec) != space_of(base)
    encoder = load_encoder(spec, "cpu")
    chunks = encoder.tokenizer.chunks(["never again " * 50, "x"], 40, 8)
    vectors, _ = Embedder(encoder, 2_048).embed(chunks, 2)
    each = np.concatenate([encoder.pooled(chunks, np.array([i])) for i in range(len(chunks.text))])
    own = chunks.text == 0
    assert own.sum() > 2
    expected = np.average(each[own][:, spec.dim :], axis=0, weights=chunks.lengths[own])
    assert np.abs(vectors.head_inputs[0] - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"no.such.weight": torch.zeros(2)}, "no.such.weight fits no tensor of the base"),
        ({NAME: torch.zeros(2, 2)}, "fits no tensor of the base"),
        ({NAME + ".lora_A": torch.zeros(2, 1536)}, r"has no .lora_B"),
        ({NAME + ".lora_A": torch.zeros(2, 9), NAME + ".lora_B": torch.zeros(384, 2)}, "fits no tensor of the base"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(
    base: EncoderSpec, tensors: dict[str, torch.Tensor], message: str, tmp_path: Path
) -> None:
    spec = spec_of(write(tmp_path / "t", base, tensors))
    with pytest.raises(ModelFileError, match=message):
        load_encoder(spec, "cpu")


def test_another_base_is_refused(base: EncoderSpec, changes: dict[str, torch.Tensor], tmp_path: Path) -> None:
    folder = write(tmp_path / "t", base, changes)
    spec = spec_of(folder)
    config = json.loads((folder / "config.json").read_text())
    config["base"]["sha256"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match="is not the model t was tuned from"):
        spec_of(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "tuned"}))
    with pytest.raises(ModelFileError, match="must name source and sha256"):
        spec_of(folder)
    assert spec.files
