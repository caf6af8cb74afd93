"""What a training is, before it runs: small frozen descriptions that travel to the processes that train."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from udfs.training.tasks import Task

Precision = Literal["float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]
Objective = Literal["causal_lm", "masked_lm", "classification", "seq2seq", "distillation", "multitask"]


class TrainingError(Exception):
    """A training cannot go on; the message says what to change."""


class TaskSpec(Protocol):
    """Describes a task and builds it, in the process that trains."""

    def build(self) -> "Task":
        """Return the task with its module in its initial state: the same in every process."""
        ...


@dataclass(frozen=True)
class LanguageModelTaskSpec:
    """A language model of our own and its objective; `config_json` is a `LanguageModelConfig`, `seed` draws the weights.

    `start` is a folder with `model.safetensors` of a model whose weights are taken over where names and shapes agree (masked-LM
    weights into a classifier, say); `start_heads` are names of heads and the folders (`udfs.models.head`, one layer) whose
    weights they begin with. Tensors with one of `frozen` in their names stay as they are. `distillation_weight` is how much a
    row's distance to its teacher counts beside a row's label, `similarity_weight` how much a pair's squared difference of
    cosine and score does, `token_dropout` the share of tokens hidden in rows with a label, `ngram_dropout` the share of rows
    whose heads miss the n-grams (multitask). `tokenizer` is the tokenizer.json whose tokens spell the characters of n-grams.
    """

    objective: Objective
    config_json: str
    seed: int
    start: str | None = None
    distillation_weight: float = 1.0
    tokenizer: str | None = None
    similarity_weight: float = 1.0
    start_heads: tuple[tuple[str, str], ...] = ()
    frozen: tuple[str, ...] = ()
    token_dropout: float = 0.0
    ngram_dropout: float = 0.0

    def build(self) -> "Task":
        """Return the task; the same weights for the same seed.

        Raises:
            TrainingError: `start` or one of `start_heads` cannot be read or does not fit, or a part of `frozen` is in no name.
        """
        from udfs.training.task_building import language_model_task

        return language_model_task(self)


@dataclass(frozen=True)
class LoopSpec:
    """How a module is trained.

    Attributes:
        batch_rows: rows of a step, over all processes.
        micro_rows: rows that go through the module at once. Changes memory and speed, the result only by rounding and by what is
            drawn at random, because random numbers belong to a micro-batch.
        epochs: passes over the training rows.
        lr: the highest learning rate; see `learning_rate`.
        warm_up_fraction: part of all steps in which the learning rate rises.
        weight_decay: AdamW's, decoupled from the gradient (Loshchilov and Hutter, 2019, arXiv:1711.05101).
        clip_norm: largest Euclidean norm of the gradient; a larger gradient is scaled down to it.
        precision: bfloat16 computes matrix products in it; parameters, gradients and the optimiser's state stay float32.
        seed: of the order of rows, dropout and masking.
        checkpoint_every: steps from one checkpoint to the next; there is also one after each validation.
        validate_every: steps from one validation to the next; 0 validates after each epoch. The last step is always validated.
        metric: the validation metric that decides which weights are kept; the lowest, or with `higher_is_better` the highest.
        patience: stop after this many validations in a row without a better metric; None never stops early.
        threads: CPU threads of each process; None leaves PyTorch's choice.
    """

    batch_rows: int
    micro_rows: int
    epochs: int
    lr: float
    warm_up_fraction: float = 0.05
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    precision: Precision = "float32"
    seed: int = 20_260_101
    checkpoint_every: int = 200
    validate_every: int = 0
    metric: str = "loss"
    higher_is_better: bool = False
    patience: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class TrainingJob:
    """All that a process needs: folders that every process sees, the task and the loop.

    `train` and `validation` hold token shards (`udfs.training.shards`); checkpoints, the metrics log and the best weights go to
    `folder`.
    """

    task: TaskSpec
    loop: LoopSpec
    train: str
    validation: str
    folder: str
    device: Device = "auto"


@dataclass(frozen=True)
class Outcome:
    """How a training ended: steps done, the step of the best validation and its metrics, and time since the (re)start."""

    steps: int
    best_step: int
    best: dict[str, float]
    stopped_early: bool
    seconds: float


def learning_rate(step: int, n_steps: int, warm_up_fraction: float) -> float:
    """Return the factor in [0, 1] of the learning rate at `step` (from 0): a linear rise, then half a cosine down to zero.

    Cosine decay as in Loshchilov and Hutter (2017, arXiv:1608.03983), without restarts.
    """
    warm_up = math.ceil(warm_up_fraction * n_steps)
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm_up) / max(1, n_steps - warm_up)))
