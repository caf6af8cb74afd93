"""Fine-tuning: one pass through an encoder serves the embedding and several heads, which read the first token's state.

Notation: b rows, l tokens of a row, h hidden size, c labels of a head.
"""

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from udfs.models.files import locate, verify
from udfs.models.spec import NIGHTJAR, STATIC, TUNED, EncoderSpec
from udfs.models.tuned import LORA_A, LORA_B
from udfs.training.finetune_metrics import Judged, judge
from udfs.training.finetune_spec import FineTuneTaskSpec, HeadTask, LoraSpec
from udfs.training.shards import Batch
from udfs.training.spec import TrainingError
from udfs.training.tasks import decayed_groups

_FORBIDDEN = -1e9


class TunedModule(nn.Module):
    """The encoder and its heads."""

    def __init__(self, trunk: nn.Module, heads: Sequence[HeadTask], hidden: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.trunk, self.dropout, self._is_mean = trunk, nn.Dropout(dropout), pooling == "mean"
        self.heads = nn.ModuleDict({head.name: nn.Linear(hidden, len(head.labels)) for head in heads})
        for layer in self.heads.values():
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first token's states (b, h) and the unit embeddings (b, h), float32, of ids (b, l) and mask (b, l) bool."""
        return read(self.trunk, ids, mask, is_mean=self._is_mean)


def read(trunk: nn.Module, ids: Tensor, mask: Tensor, *, is_mean: bool) -> tuple[Tensor, Tensor]:
    """Return what `TunedModule.forward` does, of an encoder without heads."""
    hidden = trunk(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()  # (b, l, h)
    first = hidden[:, 0]
    real = mask.unsqueeze(2).float()  # (b, l, 1)
    pooled = (hidden * real).sum(dim=1) / real.sum(dim=1) if is_mean else first
    return first, functional.normalize(pooled, dim=1)


@dataclass(frozen=True)
class TunedTensors:
    """What training changed of the encoder, rounded to float16: see `udfs.models.tuned`. `lora_scale` is None without pairs."""

    tensors: dict[str, Tensor]
    lora_scale: float | None


class FineTuneTask:
    """See `FineTuneTaskSpec`, and `udfs.training.tasks.Task` for its use."""

    def __init__(self, spec: FineTuneTaskSpec) -> None:
        self.spec = spec
        trunk, self.pad_id = load_trunk(spec.base)
        self._base = copy.deepcopy(trunk).eval().requires_grad_(False)
        torch.manual_seed(spec.seed)
        if spec.lora:
            _add_pairs(trunk, spec.lora)
        _freeze(trunk, spec.frozen)
        self.tuned = TunedModule(trunk, spec.heads, spec.base.dim, spec.base.pooling, spec.head_dropout)
        self.module: nn.Module = self.tuned
        self._heads = {head.name: head for head in spec.heads}
        self._sources = {source.name: source for source in spec.sources}
        self._weights = {h.name: torch.tensor(h.class_weights or (1.0,) * len(h.labels)) for h in spec.heads}
        self._known = {s.name: _known(len(self._heads[s.head].labels), s.known) for s in spec.sources}

    def parameter_groups(self, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """See `Task`; the heads have their own learning rate."""
        heads = decayed_groups(self.tuned.heads, lr * self.spec.head_lr_factor, weight_decay)
        return [*decayed_groups(self.tuned.trunk, lr, weight_decay), *heads]

    def loss(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, float]:
        """Sum over rows of head weight x class weight x cross-entropy + keep_space x (1 - cosine); the weight is b."""
        first, vectors = self.tuned(batch.ids, batch.mask)
        states = self.tuned.dropout(first)
        total = states.new_zeros(())
        for head, rows in self._rows_by_head(batch):
            logits, labels = self._logits(head, states[rows], batch, rows), self._labels(batch)[rows]
            weights = self._weights[head.name].to(labels.device)[labels]
            total = total + head.weight * (weights * cross_entropy(logits, labels, head.label_smoothing)).sum()
        keep, share = self.spec.keep_space, self.spec.keep_share
        if keep and float(torch.rand((), generator=generator)) < share:
            total = total + keep / share * (1 - self._cosines(batch, vectors)).sum()
        return total, float(len(batch))

    def validate(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return metrics of each head and their means over heads.

        `macro_f1.<head>`, `accuracy.<head>` and `loss.<head>` are means over the head's validation sets, each judged among the
        labels it knows; `macro_f1` and `accuracy` their means over heads. `cosine` is the mean cosine to the base's embedding of
        the same text. `loss` is the mean of the heads' losses by their weights, plus keep_space x (1 - cosine).
        """
        judged = Judged()
        for batch in batches:
            first, vectors = self.tuned(batch.ids, batch.mask)
            judged.add_cosines(self._cosines(batch, vectors))
            for head, rows in self._rows_by_head(batch):
                logits, labels = self._logits(head, first[rows], batch, rows), self._labels(batch)[rows]
                sources = [batch.heads[i] for i in rows.tolist()]
                judged.add(sources, labels, logits.argmax(dim=1), cross_entropy(logits, labels, 0.0))
        return judge(judged, self.spec)

    @torch.no_grad()
    def states(self, batch: Batch) -> Tensor:
        """Return what the heads read of a batch: (b, h)."""
        return self.tuned(batch.ids, batch.mask)[0]  # type: ignore[no-any-return]

    @torch.no_grad()
    def round_to_half(self) -> TunedTensors:
        """Round what training changed to float16, in place, so that what is judged is what is saved; return it."""
        base = self._base.state_dict()
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.tuned.trunk.named_parameters():
            target = _pair_name(name)
            if not parameter.requires_grad or (not target and torch.equal(parameter.cpu(), base[name].cpu())):
                continue
            parameter.copy_(parameter.half())
            tensors[target or name] = parameter.detach().half().cpu()
        lora = self.spec.lora
        return TunedTensors(tensors, lora.alpha / lora.rank if lora else None)

    def _cosines(self, batch: Batch, vectors: Tensor) -> Tensor:
        """Return the cosine (b,) of each unit embedding to the base's of the same text."""
        base = self._base.to(batch.ids.device)
        with torch.no_grad():
            _, wanted = read(base, batch.ids, batch.mask, is_mean=self.spec.base.pooling == "mean")
        return (vectors * wanted).sum(dim=1)

    def _logits(self, head: HeadTask, states: Tensor, batch: Batch, rows: Tensor) -> Tensor:
        """Return (k, c) float32 logits of the k rows; those of labels that a row's source does not know are forbidden."""
        logits: Tensor = self.tuned.heads[head.name](states).float()
        known = torch.stack([self._known[batch.heads[i]] for i in rows.tolist()]).to(logits.device)
        return logits.masked_fill(~known, _FORBIDDEN)

    def _labels(self, batch: Batch) -> Tensor:
        if batch.labels is None:
            raise TrainingError("shards: hold no column `label`; prepare the data again")
        return batch.labels

    def _rows_by_head(self, batch: Batch) -> list[tuple[HeadTask, Tensor]]:
        """Return each head with the rows (k,) int64 that are its own."""
        unknown = sorted(set(batch.heads) - self._sources.keys())
        if unknown:
            raise TrainingError(f"shards: rows of {unknown[0]}, which is no source of the task; prepare the data again")
        own = [self._sources[name].head for name in batch.heads]
        device = batch.ids.device
        return [
            (self._heads[name], torch.tensor([i for i, head in enumerate(own) if head == name], device=device))
            for name in sorted(set(own))
        ]


def cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Return (k,) losses of logits (k, c) and labels (k,); smoothing spreads over the labels that are not forbidden."""
    logs = functional.log_softmax(logits, dim=1)
    loss = -logs.gather(1, labels.unsqueeze(1)).squeeze(1)
    if not smoothing:
        return loss
    known = logits > _FORBIDDEN
    spread = -torch.where(known, logs, 0.0).sum(dim=1) / known.sum(dim=1)
    return (1 - smoothing) * loss + smoothing * spread


def load_trunk(base: EncoderSpec) -> tuple[nn.Module, int]:
    """Verify and load an encoder with weights that can be trained, in float32; return it and its padding token.

    Raises:
        TrainingError: it is no Hugging Face encoder.
    """
    from transformers import AutoModel

    folder = locate(base.source)
    verify(folder, base.files, base.source)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not isinstance(folder, Path) or config.get("model_type") in (STATIC, TUNED, NIGHTJAR):
        raise TrainingError(
            f"base: {base.name} is of the type {config.get('model_type')}; fine-tuning takes a Hugging Face encoder"
        )
    model = AutoModel.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, trust_remote_code=False, dtype=torch.float32
    )
    return model, int(model.config.pad_token_id or 0)


def _add_pairs(trunk: nn.Module, lora: LoraSpec) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise TrainingError(
            "lora: needs the package peft; install nightjar-analytics[train], or take method: full"
        ) from None
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(lora.targets), lora_dropout=0.0)
    try:
        inject_adapter_in_model(config, trunk)
    except ValueError as error:
        raise TrainingError(f"lora.targets: {', '.join(lora.targets)}: {str(error).splitlines()[0]}") from None
    odd = [n for n, p in trunk.named_parameters() if p.requires_grad and _pair_name(n) is None]
    if odd:
        raise TrainingError(f"lora.targets: {odd[0]} is no linear layer's pair; name linear layers only")


def _freeze(trunk: nn.Module, frozen: Sequence[str]) -> None:
    names = [name for name, _ in trunk.named_parameters()]
    odd = [part for part in frozen if not any(part in name for name in names)]
    if odd:
        raise TrainingError(f"frozen: {odd[0]} is in the name of no tensor of the base, such as {names[0]}")
    for name, parameter in trunk.named_parameters():
        # a pooler is used neither by the embedding nor by the heads
        if name.startswith("pooler.") or any(part in name for part in frozen):
            parameter.requires_grad_(False)


def _pair_name(name: str) -> str | None:
    """Return the name of peft's `<layer>.lora_A.default.weight` among tuned tensors: `<layer>.weight.lora_A`; None for others."""
    for kind in (LORA_A, LORA_B):
        end = f"{kind}.default.weight"
        if name.endswith(end):
            return name.removesuffix(end) + ".weight" + kind
    return None


def _known(n_labels: int, positions: Sequence[int]) -> Tensor:
    known = torch.zeros(n_labels, dtype=torch.bool)
    known[list(positions) or list(range(n_labels))] = True
    return known
