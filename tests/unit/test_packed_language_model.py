"""A trained encoder behind the engine's interface: the same vectors as the padded module it was trained as."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from pipeline.config import ModelConfig
from pipeline.errors import ModelError
from pipeline.models import embedding_spec
from udfs.models.encoder import Encoder, load_encoder
from udfs.models.files import ModelFileError
from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.language_models import EncoderLanguageModel, build, save
from udfs.models.packed_language_model import PackedLanguageModel
from udfs.models.spec import EncoderSpec, Runtime

SPECIAL = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3, "[UNK]": 4}
WORDS = SPECIAL | {word: 5 + i for i, word in enumerate("the phone is good bad slow today and we like it".split())}
MAX_TOKENS = 12
TEXTS = [
    "the phone is good",
    "bad",
    "",
    "slow slow slow and unknown today",
    "we like it and it is good and the phone is slow today and bad",
    "good phone is the",
]


def write_model(folder: Path, architecture: str = "encoder", **changes: object) -> EncoderLanguageModel:
    facts = {
        "architecture": architecture,
        "vocabulary_size": len(WORDS),
        "hidden_size": 16,
        "n_layers": 2,
        "n_heads": 4,
    }
    facts |= {"max_tokens": MAX_TOKENS, "pad_id": 0, "bos_id": 1, "eos_id": 2, "mask_id": 3, "dropout": 0.3}
    torch.manual_seed(1)
    model = build(LanguageModelConfig.model_validate({**facts, **changes}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    save(model, folder)
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    special = [(name, SPECIAL[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model.eval()  # type: ignore[return-value]


def spec_of(folder: Path) -> EncoderSpec:
    return embedding_spec(ModelConfig(embedding=str(folder))).encoder


def load(folder: Path, runtime: Runtime | None = None) -> Encoder:
    encoder = load_encoder(spec_of(folder), "cpu", runtime or Runtime())
    assert isinstance(encoder, Encoder)
    return encoder


def vectors(encoder: Encoder) -> np.ndarray:  # type: ignore[type-arg]
    """One row per chunk of TEXTS, computed in batches of unlike order and size."""
    chunks = encoder.tokenizer.chunks(TEXTS, encoder.spec.max_tokens, 4)
    found = np.zeros((len(chunks.text), encoder.spec.dim), np.float32)
    order = np.argsort(-chunks.lengths, kind="stable")
    for batch in (order[:3], order[3:]):
        found[batch] = encoder.pooled(chunks, batch)
    return found


@torch.no_grad()
def padded_vectors(model: EncoderLanguageModel, encoder: Encoder) -> np.ndarray:  # type: ignore[type-arg]
    chunks = encoder.tokenizer.chunks(TEXTS, encoder.spec.max_tokens, 4)
    mask = torch.arange(int(chunks.lengths.max())) < torch.from_numpy(chunks.lengths)[:, None]
    ids = torch.zeros(mask.shape, dtype=torch.int64)
    ids[mask] = torch.from_numpy(chunks.ids.astype(np.int64))
    return model.project(model.pooled(model.hidden(ids, mask), mask)).numpy()


@pytest.mark.parametrize(
    ("changes", "dim"),
    [
        ({}, 16),
        ({"output_size": 6, "token_size": 8, "final_norm": False}, 6),
        ({"output_size": 20, "tied": False, "heads": {"tone": ["bad", "good"]}}, 20),
    ],
)
def test_vectors_are_those_of_the_padded_module(tmp_path: Path, changes: dict[str, object], dim: int) -> None:
    model = write_model(tmp_path, **changes)
    encoder = load(tmp_path)
    assert (encoder.spec.dim, encoder.spec.max_tokens, encoder.spec.pooling) == (dim, MAX_TOKENS, "mean")
    found, wanted = vectors(encoder), padded_vectors(model, encoder)
    assert len(found) > len(TEXTS)  # a long text has two chunks
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() < 1e-5 < np.abs(wanted).max()


def test_half_precision_stays_near_and_is_projected_in_float32(tmp_path: Path) -> None:
    write_model(tmp_path, output_size=6)
    exact, rough = vectors(load(tmp_path)), vectors(load(tmp_path, Runtime("torch", "bfloat16")))
    assert rough.dtype == np.float32
    assert 0 < np.abs(exact - rough).max() < 0.05 * np.abs(exact).max()


def test_a_block_without_runs_computes_the_same(tmp_path: Path) -> None:
    packed = PackedLanguageModel(write_model(tmp_path, token_size=8))
    ids = torch.randint(0, len(WORDS), (3, 5))
    with torch.inference_mode():
        wanted = packed(ids.flatten(), torch.arange(5).repeat(3), [(0, 3, 5)]).view(3, 5, 16)
        assert torch.allclose(packed.block(ids), wanted, atol=1e-5)


def test_openvino_computes_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the optional extra openvino is not installed")
    write_model(tmp_path, output_size=6, token_size=8)
    assert np.abs(vectors(load(tmp_path)) - vectors(load(tmp_path, Runtime("openvino", "float32")))).max() < 1e-4


def test_another_architecture_is_refused_when_it_is_locked(tmp_path: Path) -> None:
    write_model(tmp_path, "decoder")
    with pytest.raises(ModelError, match=r"config\.json: architecture decoder does not embed texts"):
        spec_of(tmp_path)


def test_a_configuration_with_a_mistake_is_refused_when_it_is_locked(tmp_path: Path) -> None:
    write_model(tmp_path)
    facts = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**facts, "n_heads": 5}))
    with pytest.raises(ModelError, match=r"config\.json: n_heads 5: must divide hidden_size 16"):
        spec_of(tmp_path)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path, vocabulary_size=len(WORDS) - 1)
    with pytest.raises(ModelFileError, match=f"has {len(WORDS)} tokens, the model vocabulary_size {len(WORDS) - 1}"):
        load(tmp_path)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    write_model(tmp_path)
    spec = replace(spec_of(tmp_path), dim=17)
    with pytest.raises(ModelFileError, match=r"gives vectors of shape \(16,\), not \(17,\)"):
        load_encoder(spec, "cpu")
