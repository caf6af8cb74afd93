"""A fine-tuned encoder as what it changed: tensors laid over a base model that lies elsewhere and is never copied.

The folder holds config.json and model.safetensors. config.json: `model_type` is `tuned`; `base` names `source` and `sha256`
(over the base's files) of the model that was tuned; `n_features` is 0, or the hidden size where heads read the first token's
state; `space` is the sha256 of the encoder whose embedding space was kept, absent where the space is a new one.

model.safetensors, in any float type: a tensor under the name it has in the base takes its place; a pair `<name>.lora_A` (r, in)
and `<name>.lora_B` (out, r) is added to it: W + scale * B A, with `lora_scale` of config.json.
Low-rank adaptation: Hu et al. (2021), arXiv:2106.09685.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from udfs.models.files import ModelFileError, combined_digest, inspect, locate
from udfs.models.spec import TUNED

WEIGHTS = "model.safetensors"
LORA_A, LORA_B = ".lora_A", ".lora_B"


def fits(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json describes a tuned encoder."""
    return config.get("model_type") == TUNED


def base_folder(folder: Path, config: Mapping[str, Any]) -> Path:
    """Return the verified folder of the base model.

    Raises:
        ModelFileError: config.json does not name it, it is missing, or it is not the one that was tuned.
    """
    base = config.get("base")
    if not isinstance(base, dict) or not {"source", "sha256"} <= base.keys():
        raise ModelFileError(f"{folder}/config.json: `base` must name source and sha256 of the model that was tuned")
    found = locate(base["source"])
    if not isinstance(found, Path):
        raise ModelFileError(f"{base['source']}: lies inside an archive; install the package as files")
    if combined_digest(inspect(found)) != base["sha256"]:
        raise ModelFileError(
            f"{base['source']}: is not the model {folder.name} was tuned from; install the locked version"
        )
    return found


def merged(weights: Mapping[str, Tensor], folder: Path) -> dict[str, Tensor]:
    """Return the base's weights with the folder's tensors laid over them, in float32.

    Raises:
        ModelFileError: a tensor is none of the base's, has another shape, or is half of a pair.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    changes = load_file(folder / WEIGHTS)
    result = {name: value.float() for name, value in weights.items()}
    for name, value in changes.items():
        if name.endswith(LORA_B):
            continue
        target = name.removesuffix(LORA_A)
        new = value.float()
        if name.endswith(LORA_A):
            if target + LORA_B not in changes:
                raise ModelFileError(f"{folder}/{WEIGHTS}: {name} has no {LORA_B}")
            new = float(config.get("lora_scale", 1.0)) * changes[target + LORA_B].float() @ value.float()
            new = result[target] + new if target in result and result[target].shape == new.shape else new
        if target not in result or result[target].shape != new.shape:
            raise ModelFileError(f"{folder}/{WEIGHTS}: {name} fits no tensor of the base")
        result[target] = new
    return result
