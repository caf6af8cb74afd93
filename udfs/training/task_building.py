"""From a frozen description to a task with its model, in the process that trains."""

from pathlib import Path

import torch
from torch import nn

from udfs.models.files import ModelFileError, combined_digest, inspect
from udfs.models.head import read_head
from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.language_models import EncoderLanguageModel, LanguageModel, build, read_weights
from udfs.training.multitask import MultitaskTask
from udfs.training.objectives import (
    CausalTask,
    ClassificationTask,
    DistillationTask,
    LanguageModelTask,
    MaskedTask,
    SequenceTask,
)
from udfs.training.spec import LanguageModelTaskSpec, Objective, TrainingError

_TASKS: dict[Objective, type[LanguageModelTask]] = {
    "causal_lm": CausalTask,
    "masked_lm": MaskedTask,
    "seq2seq": SequenceTask,
    "classification": ClassificationTask,
    "distillation": DistillationTask,
}


def language_model_task(spec: LanguageModelTaskSpec) -> LanguageModelTask:
    """Build the task that a spec describes; see `LanguageModelTaskSpec.build`."""
    config = LanguageModelConfig.model_validate_json(spec.config_json)
    torch.manual_seed(spec.seed)
    model = build(config)
    taken = _take_over(model, spec.start) if spec.start is not None else set()
    for name, folder in spec.start_heads:
        _take_over_head(model, name, config.heads[name], Path(folder), spec.start)
        taken |= {f"heads.{name}.weight", f"heads.{name}.bias"}
    _freeze(model, spec.frozen, taken)
    if spec.tokenizer is not None and isinstance(model, EncoderLanguageModel):
        model.read_characters(Path(spec.tokenizer))
    if spec.objective == "multitask":
        return MultitaskTask(
            model, spec.distillation_weight, spec.similarity_weight, spec.token_dropout, spec.ngram_dropout
        )
    return _TASKS[spec.objective](model)


def _take_over(model: LanguageModel, folder: str) -> set[str]:
    """Copy the weights that fit; return their names."""
    try:
        there = read_weights(Path(folder))
    except OSError as error:
        raise TrainingError(f"start: {folder}: cannot be read: {error}") from None
    own = model.state_dict()
    fitting = {name: t for name, t in there.items() if name in own and own[name].shape == t.shape}
    if "tokens.weight" not in fitting:
        raise TrainingError(f"start: {folder}: its token embeddings do not fit the model; train it with its tokenizer")
    model.load_state_dict(fitting, strict=False)
    return set(fitting)


def _take_over_head(model: LanguageModel, name: str, labels: tuple[str, ...], folder: Path, start: str | None) -> None:
    try:
        head = read_head(folder)
    except ModelFileError as error:
        raise TrainingError(f"start_heads.{name}: {error}") from None
    encoder = head.facts.get("encoder", {}).get("sha256")
    if encoder is not None and start is not None and encoder != combined_digest(inspect(Path(start))):
        raise TrainingError(f"start_heads.{name}: {folder} was trained on another encoder than {start}")
    layer = model.heads[name]
    assert isinstance(layer, nn.Linear)
    if head.labels != labels:
        raise TrainingError(
            f"start_heads.{name}: {folder} has the labels {', '.join(head.labels)}, model.heads.{name} {', '.join(labels)}"
        )
    if len(head.layers) != 1 or head.layers[0][0].shape != tuple(layer.weight.shape):
        shapes = ", ".join(str(weight.shape) for weight, _ in head.layers)
        raise TrainingError(
            f"start_heads.{name}: {folder} has weights {shapes}; the model's head is one layer {tuple(layer.weight.shape)}"
        )
    weight, bias = head.layers[0]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def _freeze(model: LanguageModel, frozen: tuple[str, ...], taken: set[str]) -> None:
    """Exclude tensors from training; only what was taken over from elsewhere can stay as it is."""
    names = [name for name, _ in model.named_parameters()]
    for part in frozen:
        if not part or not any(part in name for name in names):
            raise TrainingError(f"frozen: {part!r} is in the name of no tensor of the model, such as {names[0]}")
        new = [name for name in names if part in name and name not in taken]
        if new:
            raise TrainingError(
                f"frozen: {part}: {new[0]} is not in `start`, or has another shape there, and would stay random"
            )
    if all(any(part in name for part in frozen) for name in names):
        raise TrainingError(f"frozen: {', '.join(frozen)} leave nothing to train")
    for name, parameter in model.named_parameters():
        if any(part in name for part in frozen):
            parameter.requires_grad_(False)
