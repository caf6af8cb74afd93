"""Checkpoints: what a training needs to go on as if it had never stopped. Safetensors and JSON, written aside and renamed.

No state of a random number generator is kept: every number drawn in training follows from (seed, step, micro-batch).
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from udfs.training.spec import TrainingError

_PREFIX, _BEST = "checkpoint-", "best.safetensors"
_OPTIMISER_STATE = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Position:
    """Where a training is: steps done, the best validation until now, and validations since then."""

    step: int = 0
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    since_best: int = 0
    stopped_early: bool = False


def trained_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the tensors that training changes: parameters with a gradient (tied ones once) and saved buffers."""
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    saved = module.state_dict(keep_vars=True)
    return parameters | {name: b for name, b in module.named_buffers() if name in saved}


def save_checkpoint(folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer, position: Position) -> None:
    """Write a checkpoint of the step, then remove the older ones. Killed at any moment, one whole checkpoint is left."""
    tensors = {f"module.{name}": t.detach().contiguous() for name, t in trained_tensors(module).items()}
    for name, parameter in trained_tensors(module).items():
        for key, value in optimiser.state.get(parameter, {}).items():
            tensors[f"{key}.{name}"] = value.detach().contiguous()
    partial, final = folder / f".{_PREFIX}partial", folder / f"{_PREFIX}{position.step:09d}"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(final, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(tensors, partial / "tensors.safetensors")
    (partial / "position.json").write_text(json.dumps(asdict(position)) + "\n", encoding="utf-8")
    partial.rename(final)
    for old in folder.glob(f"{_PREFIX}*"):
        if old != final:
            shutil.rmtree(old)


def load_checkpoint(folder: Path, module: nn.Module, optimiser: torch.optim.Optimizer) -> Position:
    """Put the newest checkpoint into module and optimiser; a training without one starts at step 0.

    Raises:
        TrainingError: the checkpoint is of another module.
    """
    newest = max(folder.glob(f"{_PREFIX}*"), default=None)
    if newest is None:
        return Position()
    tensors = load_file(newest / "tensors.safetensors")
    _copy(module, {k.removeprefix("module."): t for k, t in tensors.items() if k.startswith("module.")}, newest)
    for name, parameter in trained_tensors(module).items():
        state = {k: tensors[f"{k}.{name}"] for k in _OPTIMISER_STATE if f"{k}.{name}" in tensors}
        if state:
            optimiser.state[parameter] = {k: t.to(parameter.device) for k, t in state.items()}
    written: dict[str, Any] = json.loads((newest / "position.json").read_text(encoding="utf-8"))
    return Position(**written)


def save_best(folder: Path, module: nn.Module) -> None:
    """Keep the weights as the best until now."""
    partial = folder / f".{_BEST}.partial"
    save_file({name: t.detach().contiguous() for name, t in trained_tensors(module).items()}, partial)
    partial.rename(folder / _BEST)


def load_best(folder: Path, module: nn.Module) -> None:
    """Put the best weights of a training into a module built from the same task.

    Raises:
        TrainingError: there are none, or they are of another module.
    """
    file = folder / _BEST
    if not file.exists():
        raise TrainingError(f"{file}: no such file; the training has not come to its first validation, run it again")
    _copy(module, load_file(file), file)


@torch.no_grad()
def _copy(module: nn.Module, tensors: dict[str, Tensor], source: Path) -> None:
    own = trained_tensors(module)
    different = sorted(set(own) ^ set(tensors)) or [n for n, t in own.items() if t.shape != tensors[n].shape]
    if different:
        raise TrainingError(f"{source}: is of another model, {different[0]} differs; use a new folder")
    for name, tensor in own.items():
        tensor.copy_(tensors[name])
