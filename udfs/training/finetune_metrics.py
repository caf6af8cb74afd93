"""Metrics of a fine-tuning's validation: per labelled set, then per head, then over heads."""

from dataclasses import dataclass, field
from statistics import fmean

from torch import Tensor

from udfs.training.finetune_spec import FineTuneTaskSpec
from udfs.training.tasks import macro_f1


@dataclass
class Judged:
    """What was said of validation rows, in lists: gold and found positions and losses by source, cosines of all rows."""

    gold: dict[str, list[int]] = field(default_factory=dict)
    found: dict[str, list[int]] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)
    cosines: list[float] = field(default_factory=list)

    def add(self, sources: list[str], gold: Tensor, found: Tensor, losses: Tensor) -> None:
        """Add k rows: their sources, and (k,) tensors."""
        for name, truth, guess, loss in zip(sources, gold.tolist(), found.tolist(), losses.tolist(), strict=True):
            self.gold.setdefault(name, []).append(truth)
            self.found.setdefault(name, []).append(guess)
            self.losses.setdefault(name, []).append(loss)

    def add_cosines(self, cosines: Tensor) -> None:
        """Add (b,) cosines."""
        self.cosines += cosines.tolist()


def judge(judged: Judged, spec: FineTuneTaskSpec) -> dict[str, float]:
    """Return the metrics that `FineTuneTask.validate` names."""
    import numpy as np

    found: dict[str, float] = {}
    heads = []
    for head in spec.heads:
        own = [s.name for s in spec.sources if s.head == head.name and s.name in judged.gold]
        if not own:
            continue
        heads.append(head)
        gold, guess = ({name: np.array(rows[name]) for name in own} for rows in (judged.gold, judged.found))
        found[f"macro_f1.{head.name}"] = fmean(macro_f1(gold[name], guess[name]) for name in own)
        found[f"accuracy.{head.name}"] = fmean(float((gold[name] == guess[name]).mean()) for name in own)
        found[f"loss.{head.name}"] = fmean(fmean(judged.losses[name]) for name in own)
    for kind in ("macro_f1", "accuracy"):
        found[kind] = fmean([found[f"{kind}.{head.name}"] for head in heads]) if heads else 0.0
    found["cosine"] = fmean(judged.cosines) if judged.cosines else 0.0
    weight = sum(head.weight for head in heads)
    loss = sum(head.weight * found[f"loss.{head.name}"] for head in heads) / weight if weight else 0.0
    found["loss"] = loss + spec.keep_space * (1 - found["cosine"])
    return found
