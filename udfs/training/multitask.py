"""Labels and a teacher's vectors learnt together: one trunk serves both, and the embedding keeps its space as heads are trained.

Notation: b rows, k rows with a vector, d hidden size, D width of teacher vectors.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from udfs.models.language_models import LanguageModel
from udfs.training.objectives import ClassificationTask
from udfs.training.shards import Batch


class MultitaskTask(ClassificationTask):
    """A row with a label learns it by its head, a row with a teacher's vector its direction; a row may have both (Caruana, 1997,
    Multitask Learning, doi:10.1023/A:1007379606734)."""

    def __init__(self, model: LanguageModel, distillation_weight: float) -> None:
        """Take a model and how much 1 - cosine counts beside the cross-entropy of a label."""
        super().__init__(model)
        self.distillation_weight = distillation_weight

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over rows of the cross-entropy of their label and the weighted 1 - cosine to their vector, of what they have."""
        hidden = self.model.hidden(batch.ids, batch.mask)  # (b, l, d)
        features = self.model.features(batch.ids, hidden, batch.mask)  # (b, n_features)
        total = self.distillation_weight * self._distances(batch, hidden).sum()
        for _, logits, labels in self._answers(batch, features):
            total = total + functional.cross_entropy(logits, labels, reduction="sum")
        return total, float(len(batch))

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics of `ClassificationTask` of rows with a label, and `cosine`, the mean of rows with a vector."""
        kept, distances = [], []
        for batch in batches:
            kept.append(batch)
            hidden = self.model.hidden(batch.ids, batch.mask)
            distances.append(self._distances(batch, hidden))
        metrics = super().validate(kept)
        all_distances = torch.cat(distances) if distances else torch.zeros(0)
        return {**metrics, "cosine": 1 - float(all_distances.mean())} if len(all_distances) else metrics

    def _distances(self, batch: Batch, hidden: Tensor) -> Tensor:
        """Return 1 - cosine (k,) of rows that have a vector, of hidden states (b, l, d)."""
        if batch.vectors is None:
            return hidden.new_zeros(0)
        has = batch.vectors.abs().sum(dim=1) > 0  # (b,)
        vectors = self.model.project(self.model.pooled(hidden, batch.mask)).float()  # (b, D)
        return 1 - functional.cosine_similarity(vectors[has], batch.vectors[has])
