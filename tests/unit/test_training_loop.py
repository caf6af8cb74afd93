"""The loop: schedule, micro-batches, early stopping, and checkpoints that continue the same curve to the last digit."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_rows import job, task_spec

from udfs.training.checkpoint import load_best
from udfs.training.loop import METRICS_LOG
from udfs.training.processes import train
from udfs.training.shards import Shards
from udfs.training.spec import TrainingError, TrainingJob, learning_rate

KILL = Path(__file__).parents[1] / "training_kill.py"
DECODER = task_spec("causal_lm", "decoder")


def curve(run: TrainingJob) -> list[dict[str, Any]]:
    """The metrics log without what time it took."""
    lines = (Path(run.folder) / METRICS_LOG).read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def weights(run: TrainingJob) -> dict[str, torch.Tensor]:
    module = run.task.build().module
    load_best(Path(run.folder), module)
    return module.state_dict()


def test_the_learning_rate_rises_then_follows_half_a_cosine() -> None:
    factors = [learning_rate(step, 100, 0.1) for step in range(100)]
    assert factors[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert all(a > b for a, b in pairwise(factors[10:]))
    assert 0 < factors[-1] < 0.001
    assert learning_rate(0, 1, 0.0) == 1.0


def test_training_lowers_the_loss_and_keeps_the_best_weights(tmp_path: Path) -> None:
    run = job(tmp_path, DECODER, epochs=6)
    outcome = train(run)
    lines = curve(run)
    validations = [line["validation"]["loss"] for line in lines if "validation" in line]
    assert outcome.steps == 30
    assert len(validations) == 6
    assert validations[-1] < 0.8 * validations[0]
    assert outcome.best["loss"] == min(validations)
    assert outcome.best["perplexity"] == pytest.approx(math.exp(outcome.best["loss"]))
    kept = run.task.build()
    load_best(Path(run.folder), kept.module)
    kept.module.eval()
    shards = Shards(run.validation, 0)
    with torch.no_grad():
        again = kept.validate(shards.batch(rows) for rows in shards.in_order(4))
    assert again["loss"] == pytest.approx(outcome.best["loss"], rel=1e-6)


def test_the_size_of_micro_batches_changes_only_rounding(tmp_path: Path) -> None:
    spec = task_spec("causal_lm", "decoder", dropout=0.0)
    whole, small = job(tmp_path / "a", spec, micro_rows=16), job(tmp_path / "b", spec, micro_rows=3)
    train(whole)
    train(small)
    losses = [[line["loss"] for line in curve(run) if "loss" in line] for run in (whole, small)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


@pytest.mark.parametrize("spec", [DECODER, task_spec("masked_lm", "encoder")], ids=["causal", "masked"])
def test_a_training_stopped_in_the_middle_goes_on_with_the_same_curve(tmp_path: Path, spec: Any) -> None:
    whole, stopped = job(tmp_path / "a", spec), job(tmp_path / "b", spec)
    train(whole)
    with pytest.raises(KeyboardInterrupt):
        train(replace(stopped, task=_Interrupted(spec, at_step=7)))
    assert len([line for line in curve(stopped) if "loss" in line]) == 7  # the last checkpoint is of step 6
    train(stopped)
    assert curve(stopped) == curve(whole)
    ours, theirs = weights(stopped), weights(whole)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_killed_process_resumes_to_the_same_curve(tmp_path: Path) -> None:
    whole, killed = job(tmp_path / "a", DECODER), job(tmp_path / "b", DECODER)
    train(whole)
    done = subprocess.run([sys.executable, KILL, tmp_path / "b"], check=False)
    assert done.returncode == -9
    written = curve(killed)
    assert 0 < len(written) < len(curve(whole))
    train(killed)
    assert curve(killed) == curve(whole)


def test_training_again_after_the_end_changes_nothing(tmp_path: Path) -> None:
    run = job(tmp_path, DECODER, epochs=1)
    first, lines = train(run), curve(run)
    assert replace(train(run), seconds=first.seconds) == first
    assert curve(run) == lines


def test_early_stopping(tmp_path: Path) -> None:
    run = job(tmp_path, DECODER, epochs=50, patience=2, lr=1e-9)
    # a learning rate of nothing: the first validation or two may differ in the last digit, then no better one comes
    outcome = train(run)
    assert outcome.stopped_early
    assert outcome.steps < 250
    assert outcome.steps - outcome.best_step == 2 * 5


def test_bfloat16_stays_near_float32(tmp_path: Path) -> None:
    spec = task_spec("causal_lm", "gru", dropout=0.0)
    exact, low = job(tmp_path / "a", spec), job(tmp_path / "b", spec, precision="bfloat16")
    assert train(low).best["loss"] == pytest.approx(train(exact).best["loss"], rel=0.02)
    assert curve(low) != curve(exact)


def test_a_loss_that_is_not_finite_stops_with_advice(tmp_path: Path) -> None:
    run = job(tmp_path, DECODER, lr=1e30, clip_norm=1e30)
    with pytest.raises(TrainingError, match=r"lower loop\.lr"):
        train(run)


def test_an_unknown_metric_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="accuracy is not among the task's metrics loss, perplexity"):
        train(job(tmp_path, DECODER, metric="accuracy", epochs=1))


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    train(job(tmp_path, DECODER, epochs=1))
    with pytest.raises(TrainingError, match="is of another model"):
        train(job(tmp_path, task_spec("causal_lm", "gru"), epochs=1))


class _Interrupted:
    """A task spec whose task stops as Ctrl-C does, in the middle of a step."""

    def __init__(self, spec: Any, at_step: int) -> None:
        self._spec, self._at = spec, at_step

    def build(self) -> Any:
        task = self._spec.build()
        original, calls = task.loss, [0]

        def loss(batch: Any, generator: torch.Generator) -> Any:
            if task.module.training:
                calls[0] += 1
                if calls[0] > self._at * 4 - 2:
                    raise KeyboardInterrupt
            return original(batch, generator)

        task.loss = loss
        return task
