"""Labels, a teacher's vectors and judgements of similarity learnt together: one trunk serves all, and the embedding keeps its
space as heads are trained.

Notation: b rows, k rows that have what is asked for, d hidden size, D width of teacher vectors.
"""

from collections.abc import Iterable

import torch
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn import functional

from udfs.models.language_models import LanguageModel
from udfs.training.objectives import ClassificationTask
from udfs.training.shards import Batch


class MultitaskTask(ClassificationTask):
    """A row with a label learns it by its head, a row with a teacher's vector its direction, a row with a second text and a score
    how near the two are; a row may have all (Caruana, 1997, Multitask Learning, doi:10.1023/A:1007379606734).

    Nearness: squared difference of cosine and score, as in Sentence-BERT (Reimers and Gurevych, 2019, arXiv:1908.10084).
    """

    def __init__(self, model: LanguageModel, distillation_weight: float, similarity_weight: float = 1.0) -> None:
        """Take a model and how much 1 - cosine, and the squared difference, count beside the cross-entropy of a label."""
        super().__init__(model)
        self.distillation_weight, self.similarity_weight = distillation_weight, similarity_weight

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over rows of the cross-entropy of their label, the weighted 1 - cosine to their vector and the weighted squared
        difference of their cosine and score, of what they have."""
        hidden = self.model.hidden(batch.ids, batch.mask)  # (b, l, d)
        features = self.model.features(batch.ids, hidden, batch.mask)  # (b, n_features)
        total = self.distillation_weight * self._distances(batch, hidden).sum()
        cosines, scores = self._pairs(batch, hidden)
        total = total + self.similarity_weight * (cosines - scores).square().sum()
        for _, logits, labels in self._answers(batch, features):
            total = total + functional.cross_entropy(logits, labels, reduction="sum")
        return total, float(len(batch))

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the metrics of `ClassificationTask` of rows with a label; `cosine`, the mean of rows with a vector;
        `spearman`, the rank correlation of cosines and scores of rows with a second text."""
        kept, distances = [], []
        pairs: list[tuple[Tensor, Tensor]] = []
        for batch in batches:
            kept.append(batch)
            hidden = self.model.hidden(batch.ids, batch.mask)
            distances.append(self._distances(batch, hidden))
            pairs.append(self._pairs(batch, hidden))
        metrics = super().validate(kept)
        all_distances = torch.cat(distances) if distances else torch.zeros(0)
        if len(all_distances):
            metrics["cosine"] = 1 - float(all_distances.mean())
        cosines, scores = (torch.cat(side).cpu().numpy() for side in zip(*pairs, strict=True))
        if len(set(scores.tolist())) > 1 and len(set(cosines.tolist())) > 1:
            metrics["spearman"] = float(spearmanr(cosines, scores).statistic)
        return metrics

    def _distances(self, batch: Batch, hidden: Tensor) -> Tensor:
        """Return 1 - cosine (k,) of rows that have a vector, of hidden states (b, l, d)."""
        if batch.vectors is None:
            return hidden.new_zeros(0)
        has = batch.vectors.abs().sum(dim=1) > 0  # (b,)
        vectors = self._vectors(hidden, batch.mask)  # (b, D)
        return 1 - functional.cosine_similarity(vectors[has], batch.vectors[has])

    def _pairs(self, batch: Batch, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cosines (k,) and scores (k,) of rows that have two texts; hidden states (b, l, d) are those of the first."""
        if batch.scores is None:
            return hidden.new_zeros(0), hidden.new_zeros(0)
        assert batch.pair_ids is not None
        assert batch.pair_mask is not None
        has = ~batch.scores.isnan()  # (b,)
        if not bool(has.any()):
            return hidden.new_zeros(0), hidden.new_zeros(0)
        ids, mask = batch.pair_ids[has], batch.pair_mask[has]
        first = self._vectors(hidden[has], batch.mask[has])
        second = self._vectors(self.model.hidden(ids, mask), mask)
        return functional.cosine_similarity(first, second), batch.scores[has]

    def _vectors(self, hidden: Tensor, mask: Tensor) -> Tensor:
        return self.model.project(self.model.pooled(hidden, mask)).float()  # (b, D)
