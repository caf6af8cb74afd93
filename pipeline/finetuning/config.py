"""Configuration of jobs/finetune.py."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import JobConfig, ModelConfig
from pipeline.labelled import LabelledSet, require_distinct_names
from pipeline.schemas import SENTIMENTS
from pipeline.settings import Fraction, Frozen, Identifier, PathText
from pipeline.training.config import EvaluationSet, LoopConfig, ProcessesConfig
from udfs.training.finetune_spec import LoraSpec
from udfs.training.spec import LoopSpec

_LOWER_IS_BETTER = "loss"


class TuningSet(LabelledSet):
    """A labelled set; of its rows that are left, `max_rows` are taken, those whose content keys come first."""

    max_rows: int | None = Field(default=None, ge=1)


class TunedHeadConfig(Frozen):
    """A head and what it learns from.

    Attributes:
        task: what the labels say; by default the head's name. Sets of `sentiment` that lack a class say nothing of it.
        labels: in the order of the outputs; by default those of the training sets in alphabetical order.
        validation: what the head is judged and calibrated on. A head that only helps the others may have none.
        is_saved: whether the head is a result, or only helps to train the encoder.
        weight: of its rows in the loss.
        class_weight: `balanced` gives every label the same weight in sum.
        min_precision: gives each label a threshold; texts below it get no label. Not for `sentiment`.
    """

    task: Identifier | None = None
    labels: Annotated[tuple[str, ...], Field(min_length=2, max_length=500)] | None = None
    languages: tuple[str, ...] = ("en",)
    train: tuple[TuningSet, ...] = Field(min_length=1)
    validation: tuple[TuningSet, ...] = ()
    is_saved: bool = True
    weight: float = Field(default=1.0, gt=0.0)
    class_weight: Literal["balanced", "none"] = "none"
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    min_precision: float | None = Field(default=None, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.is_saved and not self.validation:
            raise ValueError("validation: missing; name sets to calibrate the head on, or set is_saved: false")
        if self.labels and len(set(self.labels)) < len(self.labels):
            raise ValueError("labels: one is named twice")
        return self


class LoraConfig(Frozen):
    """Low-rank adaptation (arXiv:2106.09685) of the linear layers whose names end in one of `targets`."""

    rank: int = Field(default=16, ge=1, le=1_024)
    alpha: int = Field(default=32, ge=1)
    targets: tuple[str, ...] = Field(default=("query", "key", "value", "dense"), min_length=1)

    def spec(self) -> LoraSpec:
        """Return what travels to the processes that train."""
        return LoraSpec(self.rank, self.alpha, self.targets)


class FineTuneConfig(JobConfig):
    """The configuration of jobs/finetune.py.

    Attributes:
        base: the encoder to tune, any Hugging Face encoder: see `ModelConfig.embedding`.
        heads: name -> head.
        evaluation: sets the result will be judged on: their texts are never trained on.
        method: `full` trains the encoder's own weights, `lora` pairs of low rank beside them.
        frozen: tensors whose names hold one of these stay as they are; frozen word embeddings keep the result small.
        keep_space: weight of 1 - cosine of a text's embedding to the base's; with 0 the result has a space of its own.
        keep_share: the share of micro-batches in which that is computed; each costs the base's pass more.
        head_lr_factor: the heads' learning rate is so many times that of the encoder.
        max_tokens: of a training or validation text; what is beyond is not read in training.
        replace_handles: the share of training texts in which the placeholder `@user` becomes a made-up handle.
        work: shards, checkpoints and log, by default `<output>-work`; the same command goes on from there.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    output: PathText
    work: PathText | None = None
    base: ModelConfig = ModelConfig()
    heads: Annotated[dict[Identifier, TunedHeadConfig], Field(min_length=1)]
    evaluation: tuple[EvaluationSet, ...] = ()
    method: Literal["full", "lora"] = "full"
    lora: LoraConfig = LoraConfig()
    frozen: tuple[str, ...] = ()
    keep_space: float = Field(default=0.0, ge=0.0)
    keep_share: float = Field(default=1.0, gt=0.0, le=1.0)
    head_lr_factor: float = Field(default=10.0, gt=0.0)
    head_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    max_tokens: int = Field(default=128, ge=8, le=8_192)
    replace_handles: Fraction = 0.0
    loop: LoopConfig
    processes: ProcessesConfig = ProcessesConfig()

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        sets = [one for head in self.heads.values() for one in (*head.train, *head.validation)]
        require_distinct_names(sets)
        problems = [p for name in self.heads for p in self._head_problems(name)]
        judged = [name for name, head in self.heads.items() if head.validation]
        if not judged:
            problems.append("heads: none has validation sets; the weights to keep are chosen by them")
        kinds = ("macro_f1", "accuracy", "loss")
        known = [*kinds, "cosine", *(f"{kind}.{name}" for kind in kinds for name in judged)]
        if judged and self.loop.metric not in known:
            problems.append(f"loop.metric {self.loop.metric}: there are {', '.join(known)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def work_folder(self) -> Path:
        """The folder of shards, checkpoints and log."""
        return Path(self.work or f"{self.output.rstrip('/')}-work")

    def task_of(self, head: str) -> str:
        """Return what the labels of a head say."""
        return self.heads[head].task or head

    def loop_spec(self) -> LoopSpec:
        """Return what travels to the processes that train."""
        higher = not self.loop.metric.startswith(_LOWER_IS_BETTER)
        return LoopSpec(**self.loop.model_dump(), higher_is_better=higher)

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of all that the trained weights depend on."""
        elsewhere = {"spark", "output", "work", "processes", "name"}
        return hashlib.sha256(self.model_dump_json(exclude=elsewhere).encode()).hexdigest()

    def _head_problems(self, name: str) -> list[str]:
        head, problems = self.heads[name], []
        if self.task_of(name) == "sentiment":
            if head.labels and set(head.labels) != set(SENTIMENTS):
                problems.append(
                    f"heads.{name}.labels: those of sentiment are {', '.join(SENTIMENTS)}; or name another task"
                )
            if head.min_precision is not None:
                problems.append(f"heads.{name}.min_precision: every text gets a sentiment; leave it out")
        return problems
