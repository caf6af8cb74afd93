"""Tiny shards, models and jobs for the tests of training."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from udfs.models.language_model_config import LanguageModelConfig
from udfs.training.spec import LanguageModelTaskSpec, LoopSpec, Objective, TrainingJob

VOCABULARY = 23
FIRST_WORD = 5
"""Ids below are special: pad 0, beginning 1, end 2, unknown 3, mask 4."""


def write_shards(folder: Path, n: int = 70, seed: int = 3, n_files: int = 2, **columns: list[Any]) -> str:
    """Write n rows of 3 to 12 tokens; every token is followed by the next number, mostly, so there is something to learn."""
    generator = np.random.default_rng(seed)
    rows = []
    for length in generator.integers(1, 11, n):
        start = int(generator.integers(VOCABULARY - FIRST_WORD))
        rows.append([1, *(FIRST_WORD + (start + i) % (VOCABULARY - FIRST_WORD) for i in range(length)), 2])
    table = pa.table({"ids": pa.array(rows, pa.list_(pa.int32())), **columns})
    folder.mkdir(parents=True)
    for i, start in enumerate(range(0, n, -(-n // n_files))):
        pq.write_table(table.slice(start, -(-n // n_files)), folder / f"part-{i:05d}.parquet")
    return str(folder)


def config(architecture: str, **changes: Any) -> LanguageModelConfig:
    """A model of width 8."""
    transformer = {} if architecture in ("rnn", "gru", "lstm") else {"n_heads": 2, "inner_size": 12}
    fixed = {"hidden_size": 8, "n_layers": 1, "max_tokens": 16, "pad_id": 0, "bos_id": 1, "eos_id": 2, "mask_id": 4}
    return LanguageModelConfig.model_validate(
        {"architecture": architecture, "vocabulary_size": VOCABULARY, **transformer, **fixed, **changes}
    )


def task_spec(objective: Objective, architecture: str, **changes: Any) -> LanguageModelTaskSpec:
    """A tiny model and its objective."""
    return LanguageModelTaskSpec(objective, config(architecture, **changes).model_dump_json(), seed=1)


def job(folder: Path, task: LanguageModelTaskSpec, **changes: Any) -> TrainingJob:
    """70 training rows in batches of 16: 5 steps an epoch, 3 epochs."""
    loop: dict[str, Any] = {
        "batch_rows": 16,
        "micro_rows": 4,
        "epochs": 3,
        "lr": 0.02,
        "checkpoint_every": 2,
        "threads": 1,
    }
    train, validation = folder / "train", folder / "validation"
    if not train.exists():
        write_shards(train)
        write_shards(validation, n=20, seed=4)
    return TrainingJob(task, LoopSpec(**loop | changes), str(train), str(validation), str(folder / "run"), device="cpu")
