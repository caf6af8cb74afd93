"""The engine on a CUDA device gives the CPU's vectors. `pytest -m gpu tests/gpu`; skipped where there is no device."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.models import sentiment_spec
from udfs.engine import Engine
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
