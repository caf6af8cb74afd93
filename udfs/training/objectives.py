"""The objectives of our own language models, as tasks for the training loop.

Notation: b rows, l tokens of a row, d hidden size, V vocabulary size, k positions that are predicted, D width of teacher vectors.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from udfs.models.language_models import EncoderDecoderLanguageModel, LanguageModel
from udfs.training.shards import Batch
from udfs.training.spec import TrainingError
from udfs.training.tasks import decayed_groups, macro_f1

_MASKED_SHARE = 0.15
_MASK, _RANDOM = 0.8, 0.1
"""Of the tokens to be predicted, so many are replaced by the mask token and by a random one; the rest stay."""
_VALIDATION_SEED = 20_260_101


class LanguageModelTask(ABC):
    """What the objectives share: the sum of losses over rows or tokens, and its mean as the validation metric `loss`."""

    def __init__(self, model: LanguageModel) -> None:
        self.module: nn.Module = model
        self.model = model
        self.pad_id = model.config.pad_id

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """See `Task`."""
        return decayed_groups(self.module, lr, weight_decay)

    @abstractmethod
    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """See `Task`."""

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss`, the mean over all rows or tokens; masks are the same at every validation."""
        generator = torch.Generator().manual_seed(_VALIDATION_SEED)
        total = weight = 0.0
        for batch in batches:
            loss, n = self.loss(batch, generator)
            total, weight = total + float(loss), weight + n
        return {"loss": total / max(weight, 1.0)}

    def _token_loss(self, hidden: Tensor, predicted: Tensor, wanted: Tensor) -> tuple[Tensor, float]:
        """Return the summed cross-entropy of the vocabulary head at the k positions `predicted` (b, l) bool; wanted is (b, l)."""
        states = hidden[predicted]  # (k, d): the vocabulary head is costly, so only where it is asked for
        logits = self.model.logits(states).float()  # (k, V)
        return functional.cross_entropy(logits, wanted[predicted], reduction="sum"), float(len(states))


class CausalTask(LanguageModelTask):
    """Predict each token from those before it."""

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over all tokens but the first of each row."""
        hidden = self.model.hidden(batch.ids[:, :-1], batch.mask[:, :-1])  # (b, l - 1, d)
        return self._token_loss(hidden, batch.mask[:, 1:], batch.ids[:, 1:])

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss`, the mean in nats per token, and `perplexity`, its exponential."""
        return _with_perplexity(super().validate(batches))


class MaskedTask(LanguageModelTask):
    """Predict 15 % of the tokens, most of them hidden: BERT's objective (Devlin et al., 2019, arXiv:1810.04805)."""

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over the tokens chosen."""
        ids, chosen = self._masked(batch.ids.cpu(), batch.mask.cpu(), generator)
        device = batch.ids.device
        hidden = self.model.hidden(ids.to(device), batch.mask)  # (b, l, d)
        return self._token_loss(hidden, chosen.to(device), batch.ids)

    def _masked(self, ids: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return ids (b, l) with tokens replaced, and which tokens (b, l) are to be predicted; special tokens never are."""
        config = self.model.config
        if config.mask_id is None:
            raise TrainingError("model.mask_id: missing; objective masked_lm needs a mask token")
        special = torch.tensor(config.special_ids)
        draw = torch.rand((2, *ids.shape), generator=generator)  # on the CPU, so that every device draws the same
        chosen = (draw[0] < _MASKED_SHARE) & mask & ~torch.isin(ids, special)
        random = torch.randint(config.vocabulary_size, ids.shape, generator=generator)
        replaced = torch.where(draw[1] < _MASK + _RANDOM, random, ids)
        replaced = torch.where(draw[1] < _MASK, torch.tensor(config.mask_id), replaced)
        return torch.where(chosen, replaced, ids), chosen

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss`, the mean in nats per chosen token, and `perplexity`, its exponential (of masked tokens)."""
        return _with_perplexity(super().validate(batches))


class SequenceTask(LanguageModelTask):
    """Write the target text from the source text: each target token from the source and the target tokens before it."""

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over all target tokens but the first of each row."""
        assert batch.target_ids is not None
        assert batch.target_mask is not None
        model = cast(EncoderDecoderLanguageModel, self.model)
        memory = model.encode(batch.ids, batch.mask)  # (b, l, d)
        hidden = model.decode(batch.target_ids[:, :-1], batch.target_mask[:, :-1], memory, batch.mask)  # (b, m - 1, d)
        return self._token_loss(hidden, batch.target_mask[:, 1:], batch.target_ids[:, 1:])

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss`, the mean in nats per target token, and `perplexity`, its exponential."""
        return _with_perplexity(super().validate(batches))


class ClassificationTask(LanguageModelTask):
    """Predict labels by the heads of the model; each row belongs to one head, or to none and is left out."""

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over rows."""
        losses = [
            functional.cross_entropy(logits, labels, reduction="sum")
            for _, logits, labels in self._answers(batch, self._features(batch))
        ]
        return torch.stack(losses).sum(), float(len(batch))

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss`, `accuracy` and `macro_f1` (means over heads), and per head `accuracy.<head>`, `macro_f1.<head>`."""
        total = n = 0.0
        gold: dict[str, list[Tensor]] = {}
        found: dict[str, list[Tensor]] = {}
        for batch in batches:
            for name, logits, labels in self._answers(batch, self._features(batch)):
                total += float(functional.cross_entropy(logits, labels, reduction="sum"))
                gold.setdefault(name, []).append(labels.cpu())
                found.setdefault(name, []).append(logits.argmax(dim=1).cpu())
                n += len(labels)
        metrics = {"loss": total / max(n, 1.0), "accuracy": 0.0, "macro_f1": 0.0}
        for name in sorted(gold):
            truth, guess = torch.cat(gold[name]), torch.cat(found[name])
            metrics[f"accuracy.{name}"] = float((truth == guess).double().mean())
            metrics[f"macro_f1.{name}"] = macro_f1(truth.numpy(), guess.numpy())
        for kind in ("accuracy", "macro_f1"):
            metrics[kind] = sum(metrics[f"{kind}.{name}"] for name in gold) / max(len(gold), 1)
        return metrics

    def _features(self, batch: Batch) -> Tensor:
        hidden = self.model.hidden(batch.ids, batch.mask)  # (b, l, d)
        return self.model.features(batch.ids, hidden, batch.mask)  # (b, n_features)

    def _answers(self, batch: Batch, features: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield of each head its name, and of its k rows the logits (k, labels) and labels (k,).

        A row whose label is a choice of some classes has no chance of the others.
        """
        assert batch.labels is not None
        for name, rows in _rows_by_head(batch):
            logits = self.model.label_logits(features[rows], name).float()
            if batch.classes is not None:
                choice = batch.classes[rows].unsqueeze(1)  # (k, 1)
                bits = 2 ** torch.arange(logits.shape[1], device=logits.device)  # (labels,)
                logits = logits.masked_fill((choice != 0) & (choice & bits == 0), -1e4)
            yield name, logits, batch.labels[rows]


class DistillationTask(LanguageModelTask):
    """Give a text the direction of its teacher's vector: knowledge distillation of sentence embeddings, across languages where
    the teacher read a translation (Reimers and Gurevych, 2020, arXiv:2004.09813), by cosine instead of squared error."""

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum of 1 - cosine over rows."""
        assert batch.vectors is not None
        hidden = self.model.hidden(batch.ids, batch.mask)  # (b, l, d)
        vectors = self.model.project(self.model.pooled(hidden, batch.mask)).float()  # (b, D)
        return (1 - functional.cosine_similarity(vectors, batch.vectors)).sum(), float(len(batch))

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return `loss` and `cosine`, the mean cosine with the teacher's vectors."""
        metrics = super().validate(batches)
        return {**metrics, "cosine": 1 - metrics["loss"]}


def _with_perplexity(metrics: dict[str, float]) -> dict[str, float]:
    return {**metrics, "perplexity": math.exp(min(metrics["loss"], 700.0))}


def _rows_by_head(batch: Batch) -> list[tuple[str, Tensor]]:
    """Return each head's name with the rows (k,) int64 that are its own; rows without a head are nobody's."""
    names = sorted(set(batch.heads) - {""})
    return [
        (name, torch.tensor([i for i, own in enumerate(batch.heads) if own == name], device=batch.ids.device))
        for name in names
    ]
