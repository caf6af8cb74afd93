"""The configuration of jobs/train_head.py."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.labelled import LabelledSet, TrainHeadConfig
from pipeline.schemas import SENTIMENTS
from pipeline.settings import Identifier
from pipeline.softmax_regression import ClassWeight

MAX_CLASSES = 500


class HeadConfig(TrainHeadConfig):
    """The configuration of jobs/train_head.py.

    `task` names what the labels say (`topic`, `intent`, ...); `labels` are taken from the data where they are not given, except
    for `sentiment`. Without `validation` the rows are cross-validated: `folds` parts, cut anew `repeats` times (by default so
    often that about 2,000 rows are judged). `few_shot` lists numbers of examples per class to try. `min_precision` gives each
    class a threshold; texts below it get no label. A set of the task sentiment that lacks a class says nothing about it; sets of
    any other task know all classes.
    """

    task: Identifier = "sentiment"
    labels: Annotated[tuple[str, ...], Field(min_length=2, max_length=MAX_CLASSES)] | None = None
    validation: tuple[LabelledSet, ...] = ()
    l2: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (3e-6, 1e-5, 1e-4, 1e-3)
    class_weight: ClassWeight = "balanced"
    folds: int = Field(default=5, ge=2, le=20)
    repeats: int | None = Field(default=None, ge=1, le=100)
    few_shot: tuple[Annotated[int, Field(ge=1, le=1_000)], ...] = ()
    few_shot_draws: int = Field(default=10, ge=2, le=100)
    min_precision: float | None = Field(default=None, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _consistent(self) -> "HeadConfig":
        if self.labels and len(set(self.labels)) < len(self.labels):
            raise ValueError("labels: one is named twice")
        if self.task == "sentiment":
            if self.labels and set(self.labels) != set(SENTIMENTS):
                raise ValueError(
                    f"labels: those of sentiment are {', '.join(SENTIMENTS)}; give other labels another task"
                )
            if self.min_precision is not None:
                raise ValueError("min_precision: every text gets a sentiment; leave it out, or give another task")
        if self.hidden and not self.validation:
            raise ValueError(
                "hidden: without validation sets the head is linear; set hidden: 0, or name validation sets"
            )
        return self
