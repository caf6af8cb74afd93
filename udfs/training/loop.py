"""The training loop: AdamW, warm-up and cosine, clipping, validation, early stopping, checkpoints. It does not know the model.

A step's gradient is the sum of the gradients of all its rows' losses divided by the sum of their weights, however the rows are
split into micro-batches and over processes. The order of rows follows from (seed, epoch); dropout and masking follow from
(seed, step, number of the micro-batch in its batch). So a resumed training continues the same curve, and several processes draw
the same numbers as one.
"""

import json
import logging
import math
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from udfs.training.checkpoint import Position, load_checkpoint, save_best, save_checkpoint
from udfs.training.processes import Group
from udfs.training.shards import Batch, Rows, Shards, cut
from udfs.training.spec import LoopSpec, Outcome, TrainingError, learning_rate
from udfs.training.tasks import Task

logger = logging.getLogger(__name__)
METRICS_LOG = "metrics.jsonl"
_LOG_EVERY_SEC = 10.0


def fit(task: Task, spec: LoopSpec, train: str, validation: str, folder: str, group: Group) -> Outcome:
    """Train until the last epoch or until the metric stops getting better; go on from a checkpoint where there is one.

    The best weights are left in the folder (`checkpoint.load_best`), and `metrics.jsonl` has a line per step (step, epoch, loss,
    lr, gradient_norm, weight, seconds) and per validation (step, validation).

    Raises:
        TrainingError: a loss is not finite, the shards hold nothing, or the checkpoint is of another model.
    """
    started = time.monotonic()
    loop = _Loop(task, spec, Path(folder), group, train, validation)
    position = loop.run()
    return Outcome(position.step, position.best_step, position.best, position.stopped_early, time.monotonic() - started)


class _Loop:
    def __init__(self, task: Task, spec: LoopSpec, folder: Path, group: Group, train: str, validation: str) -> None:
        self.task, self.spec, self.folder, self.group = task, spec, folder, group
        self.train, self.validation = Shards(train, task.pad_id), Shards(validation, task.pad_id)
        self.per_epoch = math.ceil(len(self.train) / spec.batch_rows)
        self.n_steps = self.per_epoch * spec.epochs
        task.module.to(group.device)
        self.parameters = [p for p in task.module.parameters() if p.requires_grad]
        groups = task.parameter_groups(spec.lr, spec.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=spec.lr, fused=True)
        self.rates = [float(g["lr"]) for g in self.optimiser.param_groups]
        self.progress = _Progress(self.n_steps)

    def run(self) -> Position:
        folder, spec = self.folder, self.spec
        folder.mkdir(parents=True, exist_ok=True)
        position = load_checkpoint(folder, self.task.module, self.optimiser)
        log = folder / METRICS_LOG
        if self.group.is_first:
            _keep_until(log, position.step)
        while position.step < self.n_steps and not position.stopped_early:
            epoch, first = divmod(position.step, self.per_epoch)
            for rows in self.train.batches(spec.seed, epoch, spec.batch_rows)[first:]:
                self._log(log, {"step": position.step + 1, "epoch": epoch, **self._step(rows, position.step)})
                position.step += 1
                if self._is_validated(position.step):
                    self._validate(position, log)
                    self._save(position)
                    if position.stopped_early:
                        break
                elif position.step % spec.checkpoint_every == 0:
                    self._save(position)
        return position

    def _step(self, rows: Rows, step: int) -> dict[str, float]:
        """Do one step on a global batch; return its figures."""
        started, spec = time.monotonic(), self.spec
        factor = learning_rate(step, self.n_steps, spec.warm_up_fraction)
        for parameters, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            parameters["lr"] = factor * rate
        self.task.module.train()
        self.optimiser.zero_grad(set_to_none=True)
        totals = torch.zeros(2, dtype=torch.float64, device=self.group.device)  # sum of losses, sum of weights
        for number, part in enumerate(cut(rows, spec.micro_rows)):
            if number % self.group.size == self.group.rank:
                totals += self._backward(part, step, number)
        loss, weight = self.group.add_up(self.parameters, totals).tolist()
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter.grad.div_(max(weight, 1e-12))
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, spec.clip_norm))
        if not math.isfinite(loss) or not math.isfinite(norm):  # before it gets into the weights and a checkpoint
            raise TrainingError(
                f"loss: is {loss} at step {step + 1}, its gradient's norm {norm}; lower loop.lr or raise loop.warm_up_fraction"
            )
        self.optimiser.step()
        seconds = time.monotonic() - started
        self.progress.log(step + 1, loss / max(weight, 1e-12), weight, seconds)
        return {
            "loss": loss / max(weight, 1e-12), "lr": factor * spec.lr, "gradient_norm": norm, "weight": weight,
            "seconds": round(seconds, 4),
        }  # fmt: skip

    def _backward(self, rows: Rows, step: int, number: int) -> torch.Tensor:
        """Add the gradient of a micro-batch's losses; return (2,) their sum and weight."""
        drawn = np.random.SeedSequence([self.spec.seed, step, number]).generate_state(2, np.uint64) >> np.uint64(1)
        torch.manual_seed(int(drawn[0]))  # dropout
        generator = torch.Generator().manual_seed(int(drawn[1]))
        batch = self.train.batch(rows).to(self.group.device)
        with self._autocast(), self._attention():
            loss, weight = self.task.loss(batch, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        return torch.stack([loss.detach().double(), torch.tensor(weight, dtype=torch.float64, device=loss.device)])

    def _autocast(self) -> torch.autocast:
        is_low = self.spec.precision == "bfloat16"
        return torch.autocast(self.group.device.type, dtype=torch.bfloat16, enabled=is_low)

    def _attention(self) -> AbstractContextManager[None]:
        """Attention by plain products on a CPU: the backward pass of its fused kernel takes several times as long."""
        if self.group.device.type != "cpu":
            return nullcontext()
        return sdpa_kernel(SDPBackend.MATH)

    def _is_validated(self, step: int) -> bool:
        every = self.spec.validate_every or self.per_epoch
        return step % every == 0 or step == self.n_steps

    def _validate(self, position: Position, log: Path) -> None:
        """Validate in the first process; note in every process' position whether the metric got better."""
        metrics = self.group.from_first(self._metrics() if self.group.is_first else None)
        name, sign = self.spec.metric, -1.0 if self.spec.higher_is_better else 1.0
        if name not in metrics:
            raise TrainingError(f"loop.metric: {name} is not among the task's metrics {', '.join(sorted(metrics))}")
        if not math.isfinite(metrics[name]):
            raise TrainingError(f"loop.metric: {name} is {metrics[name]} at step {position.step}; lower loop.lr")
        if not position.best or sign * metrics[name] < sign * position.best[name]:
            position.best, position.best_step, position.since_best = metrics, position.step, 0
            if self.group.is_first:
                save_best(self.folder, self.task.module)
        else:
            position.since_best += 1
        patience = self.spec.patience
        position.stopped_early = patience is not None and position.since_best >= patience
        self._log(log, {"step": position.step, "validation": metrics})
        shown = ", ".join(f"{k} {v:.4f}" for k, v in metrics.items())
        logger.info(f"validate  step {position.step:,}: {shown}")

    def _metrics(self) -> dict[str, float]:
        def batches() -> Iterator[Batch]:
            for rows in self.validation.in_order(self.spec.micro_rows):
                yield self.validation.batch(rows).to(self.group.device)

        self.task.module.eval()
        with torch.no_grad(), self._autocast():
            return self.task.validate(batches())

    def _save(self, position: Position) -> None:
        if self.group.is_first:
            save_checkpoint(self.folder, self.task.module, self.optimiser, position)

    def _log(self, log: Path, line: dict[str, Any]) -> None:
        if self.group.is_first:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


class _Progress:
    """Logs a line every ten seconds."""

    def __init__(self, n_steps: int) -> None:
        self._n_steps, self._last = n_steps, time.monotonic()
        self._seconds = self._weight = 0.0
        self._steps = 0

    def log(self, step: int, loss: float, weight: float, seconds: float) -> None:
        self._seconds, self._weight, self._steps = self._seconds + seconds, self._weight + weight, self._steps + 1
        if time.monotonic() - self._last < _LOG_EVERY_SEC:
            return
        self._last = time.monotonic()
        left = (self._n_steps - step) * self._seconds / self._steps
        rate = self._weight / self._seconds
        logger.info(
            f"train     step {step:,} of {self._n_steps:,}, loss {loss:.4f}, {rate:,.0f} losses/s, about {left:.0f} s left"
        )


def _keep_until(log: Path, step: int) -> None:
    """Drop lines of steps that a killed training did after its last checkpoint; they will be done again."""
    if not log.exists():
        return
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
    partial = log.with_name(f".{log.name}.partial")
    partial.write_text("".join(kept), encoding="utf-8")
    os.replace(partial, log)
