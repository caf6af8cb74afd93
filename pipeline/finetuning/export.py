"""Writing what fine-tuning made: a tuned encoder (`udfs.models.tuned`) and its heads, each in a folder of its own.

Notation: h hidden size of the encoder.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError, ModelError
from pipeline.head_training import TrainedHead, head_of, save_head
from pipeline.metrics import Metrics
from pipeline.model_lock import encoder_entry, encoder_identity, encoder_spec
from udfs.models.files import ModelFileError, combined_digest, inspect, locate
from udfs.models.spec import TUNED
from udfs.spec import EncoderSpec, space_of

if TYPE_CHECKING:
    from torch import Tensor

ENCODER, CARD = "encoder", "README.md"


@dataclass(frozen=True)
class TunedHead:
    """A head on the first token's last hidden state.

    Attributes:
        name: of the head and its folder; task: what its labels say (`sentiment`, `emotion`, ...).
        weight: (n_labels, h); bias: (n_labels,).
        training: what head.json says of the training: rows per set, recipe.
        validation: metrics of each validation set.
        facts: further keys of head.json, such as `thresholds`.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    training: dict[str, Any]
    validation: dict[str, Metrics] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def trained(self) -> TrainedHead:
        """Return what `save_head` writes."""
        tensors = {"layers.0.weight": np.asarray(self.weight), "layers.0.bias": np.asarray(self.bias)}
        return TrainedHead(
            head_of(tensors, self.labels, self.temperature), tensors, self.temperature, 0.0, self.validation
        )


def save_tuned(
    output: Path,
    name: str,
    base: EncoderSpec,
    tensors: Mapping[str, "Tensor"],
    heads: Sequence[TunedHead],
    *,
    keeps_space: bool,
    lora_scale: float | None = None,
    card: str = "",
) -> EncoderSpec:
    """Write the folders `encoder` (with the model card) and one for each head under a new folder `output`: all or nothing.

    Args:
        base: the encoder that was tuned; named by its source and sha256, not copied.
        tensors: what was changed, by the base's names, or pairs of low rank; see `udfs.models.tuned`. Written as float16.
        keeps_space: the embeddings stayed those of the base, so that they may be compared with its.
        lora_scale: factor of the pairs.

    Returns:
        The encoder's spec; its source lies under `output`.

    Raises:
        ConfigError: the output exists.
        ModelError: the base is no folder of files that can be tuned, or a number does not fit float16.
    """
    refuse_existing(output)
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    folder = partial / ENCODER
    try:
        encoder = _save_encoder(folder, name, base, tensors, bool(heads), keeps_space, lora_scale)
    except ModelFileError as error:
        raise ModelError(str(error)) from None
    for head in heads:
        save_head(
            head.trained(), partial / head.name, head.name, head.languages, encoder, encoder_identity(encoder),
            head.training, head.task, head.facts,
        )  # fmt: skip
    (folder / CARD).write_text(card or f"# {name}\n", encoding="utf-8")
    refuse_existing(output)
    partial.rename(output)
    return replace(encoder, source=str((output / ENCODER).resolve()))


def refuse_existing(output: Path) -> None:
    """Raise ConfigError where the output exists."""
    if output.exists():
        raise ConfigError(f"output: {output} exists; a model is never overwritten, give a new output")


def changed_tensors(trained: Mapping[str, "Tensor"], base: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return the tensors of a tuned model that differ from those of its base, by the base's names.

    Raises:
        ModelError: a tensor is none of the base's, or of another shape.
    """
    odd = [name for name, value in trained.items() if name not in base or base[name].shape != value.shape]
    if odd:
        raise ModelError(f"{odd[0]}: fits no tensor of the base; give the state of the tuned encoder without its heads")
    return {name: value for name, value in trained.items() if bool((value.float() != base[name].float()).any())}


def _save_encoder(
    folder: Path,
    name: str,
    base: EncoderSpec,
    tensors: Mapping[str, "Tensor"],
    has_features: bool,
    keeps_space: bool,
    lora_scale: float | None,
) -> EncoderSpec:
    from safetensors.torch import save_file

    place = locate(base.source)
    if not isinstance(place, Path):
        raise ModelFileError(f"{base.source}: lies inside an archive; install the package as files")
    folder.mkdir()
    halves = {key: value.detach().cpu().half().contiguous() for key, value in tensors.items()}
    too_large = [key for key, value in halves.items() if not bool(value.isfinite().all())]
    if too_large:
        raise ModelError(f"{too_large[0]}: holds numbers that float16 cannot hold; lower loop.lr and train again")
    save_file(halves, folder / "model.safetensors")
    config = {
        "model_type": TUNED,
        "base": {"source": base.source, "sha256": combined_digest(inspect(place))},
        "n_features": base.dim if has_features else 0,
        **({"space": space_of(base)} if keeps_space else {}),
        **({"lora_scale": lora_scale} if lora_scale is not None else {}),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    revision = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:12]
    return encoder_spec(encoder_entry(name, str(folder), folder, revision, base.languages))
