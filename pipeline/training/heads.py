"""Label heads of a multitask encoder as a night reads them: each in a folder of its own, calibrated on the validation part."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.head_training import Labelled, TrainedHead, head_of, save_head, validate
from pipeline.model_lock import encoder_entry, encoder_identity, encoder_spec
from pipeline.softmax_regression import FORBIDDEN, fit_temperature
from pipeline.training.config import TrainConfig
from pipeline.training.corpus import TRAIN, VALIDATION
from pipeline.training.run import Prepared

if TYPE_CHECKING:
    from udfs.models.language_models import LanguageModel

_BATCH = 128


def save_heads(config: TrainConfig, data: Prepared, model: "LanguageModel", encoder: Path) -> None:
    """Write those of the model's heads that a night can use, trained on the encoder in the folder `encoder`.

    Each has one temperature (arXiv:1706.04599). A folder that holds a head of this very encoder was left by an export that was
    killed; it stays.

    Raises:
        ConfigError: a head's folder holds something else.
    """
    spec = encoder_spec(encoder_entry(config.name, str(encoder), encoder, "trained", config.languages))
    for name, folder in config.head_folders.items():
        if _is_of(folder, encoder_identity(spec)):
            continue
        labels = config.model.heads[name]
        rows = _validation(data, model, name, labels)
        layer: Any = model.heads[name]
        tensors = {
            f"layers.0.{kind}": getattr(layer, kind).detach().float().cpu().numpy() for kind in ("weight", "bias")
        }
        logits = head_of(tensors, labels, 1.0).logits(rows.embeddings)
        temperature = fit_temperature(np.where(rows.allowed, logits, FORBIDDEN), rows.labels) if len(logits) else 1.0
        head = head_of(tensors, labels, temperature)
        trained = TrainedHead(head, tensors, temperature, 0.0, validate(head, rows))
        save_head(
            trained, folder, f"{config.name}-{name}", config.languages, spec, encoder_identity(spec),
            {"with": config.name, "rows": data.kept(TRAIN)},
        )  # fmt: skip


def _is_of(folder: Path, encoder_sha256: str) -> bool:
    facts = folder / "head.json"
    return facts.is_file() and json.loads(facts.read_text(encoding="utf-8"))["encoder"]["sha256"] == encoder_sha256


def _validation(data: Prepared, model: "LanguageModel", head: str, labels: tuple[str, ...]) -> Labelled:
    """Return the head's n validation rows with features (n, f) in place of embeddings; those of the same labels are a set."""
    import torch

    from udfs.training.shards import Shards

    shards = Shards(data.shards(VALIDATION), model.config.pad_id)
    features, positions = [np.zeros((0, model.config.n_features), np.float32)], [np.zeros(0, np.int64)]
    allowed = [np.zeros((0, len(labels)), np.bool_)]
    for rows in shards.in_order(_BATCH):
        batch = shards.batch(rows)
        mine = torch.tensor([name == head for name in batch.heads], dtype=torch.bool)
        if not bool(mine.any()):
            continue
        assert batch.labels is not None
        assert batch.classes is not None
        with torch.inference_mode():
            hidden = model.hidden(batch.ids[mine], batch.mask[mine])
            features.append(model.features(batch.ids[mine], hidden, batch.mask[mine]).float().numpy())
        positions.append(batch.labels[mine].numpy())
        choice = batch.classes[mine].numpy()[:, None]
        allowed.append((choice & (1 << np.arange(len(labels))) != 0) | (choice == 0))
    known = np.concatenate(allowed)
    sets = [", ".join([VALIDATION, *(name for name, ok in zip(labels, row, strict=True) if ok)]) for row in known]
    return Labelled(np.concatenate(features), np.concatenate(positions), known, np.array(sets, np.object_))
