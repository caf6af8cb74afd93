"""A training that kills its own process, as `kill -9` would, in the middle of its eighth step."""

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training_rows import job, task_spec

from udfs.training.processes import train
from udfs.training.spec import LanguageModelTaskSpec


@dataclass(frozen=True)
class Killed:
    """A task that dies after so many micro-batches."""

    spec: LanguageModelTaskSpec
    after: int

    def build(self) -> Any:
        """Return the task."""
        task: Any = self.spec.build()
        original, calls = task.loss, [0]

        def loss(*arguments: Any) -> Any:
            calls[0] += task.module.training
            if calls[0] > self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments)

        task.loss = loss
        return task


if __name__ == "__main__":
    task = task_spec("causal_lm", "decoder")
    run = job(Path(sys.argv[1]), task)
    train(replace(run, task=Killed(task, after=7 * 4 + 1)))
