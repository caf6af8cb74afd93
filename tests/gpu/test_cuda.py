"""The engine on a CUDA device gives the CPU's vectors. `pytest -m gpu tests/gpu`; skipped where there is no device."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from udfs.engine import Engine
from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.language_models import EncoderLanguageModel, build
from udfs.models.packed_language_model import PackedLanguageModel
from udfs.results import TEXTS

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


def test_cuda_and_cpu_agree() -> None:
    texts = [("word " * n).strip() + f" number {n}" for n in range(1, 400, 7)]
    rows = {"content_key": [str(i) for i in range(len(texts))], "lang_hint": ["en"] * len(texts), "text": texts}
    batches = pa.table(rows, schema=TEXTS).to_batches()
    tables = {}
    for device in ("cpu", "cuda"):
        engine = Engine(sentiment_spec(ModelConfig(device=device), LanguageConfig()))  # type: ignore[arg-type]
        tables[device] = pa.Table.from_batches(list(engine.score(batches)))
    cpu, cuda = (np.array(tables[d].column("embedding").to_pylist()) for d in ("cpu", "cuda"))
    assert (cpu * cuda).sum(axis=1).min() > 0.9999
    assert tables["cpu"].column("n_chunks").to_pylist() == tables["cuda"].column("n_chunks").to_pylist()


@pytest.mark.parametrize("architecture", ["rnn", "gru", "lstm", "encoder", "decoder", "encoder_decoder"])
def test_language_models_compute_on_cuda_what_they_do_on_the_cpu(architecture: str) -> None:
    facts = {"architecture": architecture, "vocabulary_size": 50, "hidden_size": 32, "n_layers": 2, "max_tokens": 40}
    facts |= {"pad_id": 0, "bos_id": 1, "eos_id": 2, "dropout": 0.0}
    facts |= {} if architecture in ("rnn", "gru", "lstm") else {"n_heads": 4}
    model = build(LanguageModelConfig.model_validate(facts))
    ids, mask = torch.randint(3, 50, (4, 33)), torch.arange(33) < torch.tensor([33, 5, 0, 20])[:, None]
    expected = model.hidden(ids, mask).detach()
    model.cuda()
    found = model.hidden(ids.cuda(), mask.cuda())
    model.logits(found).square().mean().backward()
    assert torch.allclose(found.detach().cpu()[mask], expected[mask], atol=1e-3)
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in model.parameters())


def test_a_packed_encoder_computes_on_cuda_what_it_does_on_the_cpu() -> None:
    facts = {"architecture": "encoder", "vocabulary_size": 50, "hidden_size": 32, "n_layers": 2, "n_heads": 4}
    model = build(LanguageModelConfig.model_validate({**facts, "max_tokens": 9, "pad_id": 0, "bos_id": 1, "eos_id": 2}))
    assert isinstance(model, EncoderLanguageModel)
    ids, positions, runs = (
        torch.randint(3, 50, (20,)),
        torch.tensor([*range(6), *range(6), *range(8)]),
        [(0, 2, 6), (2, 3, 8)],
    )
    with torch.inference_mode():
        expected = PackedLanguageModel(model)(ids, positions, runs)
        found = PackedLanguageModel(model.cuda())(ids.cuda(), positions.cuda(), runs)
    assert torch.allclose(found.cpu(), expected, atol=1e-3)
