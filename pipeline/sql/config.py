"""The configuration of the SQL functions."""

from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config import JobConfig, LanguageConfig, NightModelConfig
from pipeline.settings import Frozen, Identifier, PathText

Text = Annotated[str, Field(min_length=1)]
MAX_LABELS = 500


class LabelSetConfig(Frozen):
    """Labels with a name, for `ai_classify(text, 'name')`: described in words, or a trained head.

    `labels` gives each label one or more descriptions; `head` is a folder made by jobs/train_head.py or jobs/zero_shot.py, or an
    entry of the lock file. A head is applied to the vectors of the model whose encoder it was trained on, which must be one of
    `models`; labels in words to those of `model`, by default the first.
    """

    labels: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    head: str | None = None
    task: Identifier | None = None
    model: Identifier | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "LabelSetConfig":
        if bool(self.labels) == (self.head is not None):
            raise ValueError("give either labels or head")
        if self.labels and not 2 <= len(self.labels) <= MAX_LABELS:
            raise ValueError(f"labels: {len(self.labels)} labels; give 2 to {MAX_LABELS}")
        if self.head is not None and self.task is None:
            raise ValueError("task: name the task of the head, as its head.json does")
        return self


class StoreConfig(Frozen):
    """The night's score store, never written: `root` is output.root of the nightly job.

    `index` is a folder that the driver writes through executors and every executor sees; about as large as the store.
    """

    root: PathText
    index: PathText


class CacheConfig(Frozen):
    """The result cache of a node. `folder` is on a local disk; null for one of each executor's own, which ends with it."""

    folder: PathText | None = None
    max_gib: float = Field(default=4.0, gt=0.0, le=4096.0)
    wait_sec: float = Field(default=600.0, gt=0.0, le=86_400.0)


class SqlConfig(JobConfig):
    """Models, label sets, store and caps of the SQL functions.

    `model` is what a call without a model uses; for the store to count it is the night's, and `language` and `max_chars` are too.
    `models` are others by name: `ai_sentiment(text, model => 'name')`. A text longer than `max_text_chars` is TOO_LONG; one
    longer than `max_chars` is read up to there, which `coverage` says.
    """

    model: NightModelConfig = NightModelConfig()
    models: dict[Identifier, NightModelConfig] = Field(default_factory=dict, max_length=8)
    language: LanguageConfig = LanguageConfig()
    max_chars: int = Field(default=20_000, ge=1, le=1_000_000)
    max_text_chars: int = Field(default=200_000, ge=1, le=100_000_000)
    label_sets: dict[Identifier, LabelSetConfig] = Field(default_factory=dict)
    store: StoreConfig | None = None
    cache: CacheConfig = CacheConfig()
    temperature: float = Field(default=0.055, gt=0.0, le=100.0)
    agg_rows: int = Field(default=2_000, ge=10, le=50_000)
    explain_units: int = Field(default=64, ge=2, le=1_000)

    @model_validator(mode="after")
    def _known_models(self) -> "SqlConfig":
        if DEFAULT in self.models:
            raise ValueError(f"models.{DEFAULT}: is the name of `model`; take another")
        for name, one in self.label_sets.items():
            if one.model not in (None, DEFAULT, *self.models):
                raise ValueError(f"label_sets.{name}.model: {one.model} is none of models")
        return self


DEFAULT = "default"
"""The name of the model of `SqlConfig.model`."""
