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
from udfs.training.spec import TrainingError


class MultitaskTask(ClassificationTask):
    """A row with a label learns it by its head, a row with a teacher's vector its direction, a row with a second text and a score
    how near the two are; a row may have all (Caruana, 1997, Multitask Learning, doi:10.1023/A:1007379606734).

    Nearness: squared difference of cosine and score, as in Sentence-BERT (Reimers and Gurevych, 2019, arXiv:1908.10084).
    """

    def __init__(
        self,
        model: LanguageModel,
        distillation_weight: float,
        similarity_weight: float = 1.0,
        token_dropout: float = 0.0,
        ngram_dropout: float = 0.0,
    ) -> None:
        """Take a model, how much 1 - cosine and the squared difference count beside the cross-entropy of a label, and what is
        hidden from it in training: shares of the tokens of rows with a label, and of the rows whose heads miss the n-grams.

        Raises:
            TrainingError: tokens are to be hidden from a model without a mask token.
        """
        super().__init__(model)
        self.distillation_weight, self.similarity_weight = distillation_weight, similarity_weight
        self.token_dropout, self.ngram_dropout = token_dropout, ngram_dropout
        if token_dropout and model.config.mask_id is None:
            raise TrainingError("model.mask_id: missing; token_dropout needs a mask token")

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over rows of the cross-entropy of their label, the weighted 1 - cosine to their vector and the weighted squared
        difference of their cosine and score, of what they have."""
        hidden = self.model.hidden(self._thinned(batch, generator), batch.mask)  # (b, l, d)
        features = self._without_ngrams(
            self.model.features(batch.ids, hidden, batch.mask), generator
        )  # (b, n_features)
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

    def _thinned(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return ids (b, l) with some tokens of rows with a label replaced by the mask token; special tokens stay.

        Word dropout: Iyyer et al. (2015), Deep Unordered Composition Rivals Syntactic Methods, doi:10.3115/v1/P15-1162.
        """
        mask_id = self.model.config.mask_id
        if not self.token_dropout or not batch.heads or mask_id is None:
            return batch.ids
        draw = torch.rand(batch.ids.shape, generator=generator)  # on the CPU, so that every device draws the same
        labelled = torch.tensor([bool(head) for head in batch.heads]).unsqueeze(1)  # (b, 1)
        hidden = ((draw < self.token_dropout) & labelled).to(batch.ids.device)
        special = torch.tensor(self.model.config.special_ids, device=batch.ids.device)
        return batch.ids.masked_fill(hidden & batch.mask & ~torch.isin(batch.ids, special), mask_id)

    def _without_ngrams(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Return features (b, n_features) in which the n-grams, its last columns, are zero in some rows.

        A bag of n-grams that was fitted to these labels knows most of them by heart; beside it the rest of the model learns
        little that is new.
        """
        size = self.model.config.ngram_size
        if not self.ngram_dropout or self.model.config.ngram_buckets is None:
            return features
        draw = torch.rand((len(features), 1), generator=generator)
        kept = (draw >= self.ngram_dropout).to(features.device, features.dtype)  # (b, 1)
        return torch.cat([features[:, :-size], features[:, -size:] * kept], dim=1)

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
