"""From a frozen description to a task with its model, in the process that trains."""

from pathlib import Path

import torch

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
    if spec.start is not None:
        _take_over(model, spec.start)
    if spec.tokenizer is not None and isinstance(model, EncoderLanguageModel):
        model.read_characters(Path(spec.tokenizer))
    if spec.objective == "multitask":
        return MultitaskTask(model, spec.distillation_weight)
    return _TASKS[spec.objective](model)


def _take_over(model: LanguageModel, folder: str) -> None:
    try:
        there = read_weights(Path(folder))
    except OSError as error:
        raise TrainingError(f"start: {folder}: cannot be read: {error}") from None
    own = model.state_dict()
    fitting = {name: t for name, t in there.items() if name in own and own[name].shape == t.shape}
    if "tokens.weight" not in fitting:
        raise TrainingError(f"start: {folder}: its token embeddings do not fit the model; train it with its tokenizer")
    model.load_state_dict(fitting, strict=False)
