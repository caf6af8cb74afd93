"""What the loop knows of a model: the task interface, and what tasks share.

Notation: n rows.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from udfs.training.shards import Batch


class Task(Protocol):
    """What the loop trains.

    Attributes:
        module: changed in place.
        pad_id: the token that fills rows of a batch to equal length.
    """

    module: nn.Module
    pad_id: int

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """Return AdamW's parameter groups, each with its highest learning rate `lr`."""
        ...

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Return the sum () of the losses of a micro-batch, and their weight: the number of rows or tokens they are of.

        Sums, not means: so micro-batches and processes add up exactly. What is drawn at random is drawn from `generator` (CPU).
        """
        ...

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics of the validation rows; called without gradient and in evaluation mode."""
        ...


def decayed_groups(module: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Return two groups: matrices, which decay, and vectors (biases, norms), which do not."""
    trained = [p for p in module.parameters() if p.requires_grad]
    matrices, vectors = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]
    groups = [(matrices, weight_decay), (vectors, 0.0)]
    return [{"params": params, "lr": lr, "weight_decay": decay} for params, decay in groups if params]


def macro_f1(gold: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return the mean F1 of the classes that `gold` (n,) holds; `predicted` is (n,)."""
    scores = []
    for label in np.unique(gold):
        hits = np.sum((gold == label) & (predicted == label))
        scores.append(2 * hits / max(np.sum(gold == label) + np.sum(predicted == label), 1))
    return float(np.mean(scores)) if scores else 0.0
