"""Training by several processes, started by Spark's TorchDistributor, equals training by one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pyspark.sql import SparkSession
from training_rows import job, task_spec

from pipeline.training.launch import launch
from udfs.training.checkpoint import load_best
from udfs.training.loop import METRICS_LOG
from udfs.training.processes import train


@pytest.mark.timeout(240)
def test_two_processes_equal_one(spark: SparkSession, tmp_path: Path) -> None:
    # with dropout: random numbers belong to a micro-batch, not to a process
    one, two = (job(tmp_path / name, task_spec("causal_lm", "decoder"), epochs=2) for name in ("a", "b"))
    alone = train(one)
    together = launch(two, n_processes=2, is_local=True, uses_gpu=False)
    assert (together.steps, together.best_step) == (alone.steps, alone.best_step)
    logs = [
        [json.loads(line) for line in (Path(run.folder) / METRICS_LOG).read_text().splitlines()] for run in (one, two)
    ]
    assert len(logs[0]) == len(logs[1]) == 12
    for ours, theirs in zip(*logs, strict=True):
        assert ours.get("weight") == theirs.get("weight")
        figures = [line["validation"]["loss"] if "validation" in line else line["loss"] for line in (ours, theirs)]
        np.testing.assert_allclose(*figures, rtol=1e-4)
    states = []
    for run in (one, two):
        module = run.task.build().module
        load_best(Path(run.folder), module)
        states.append(module.state_dict())
    for name in states[0]:
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-2, atol=1e-3)
