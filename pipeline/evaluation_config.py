"""The configuration of jobs/evaluate.py."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config import JobConfig, LanguageConfig, ModelConfig
from pipeline.labelled import LabelledSet, Part, require_distinct_names
from pipeline.settings import Frozen, PathText


class EvaluatedSet(LabelledSet):
    """A labelled set to evaluate on. `trained_on` names the training sets a baseline learns from for it; empty: all of them."""

    trained_on: tuple[str, ...] = ()


class _Compared(Frozen):
    name: str
    family: str
    """What the row of the table is called: majority class, static embedding + head, fine-tuned encoder, …"""


class MajorityModel(_Compared):
    """Always the most frequent class of the training rows."""

    kind: Literal["majority"]
    family: str = "majority class"


class TfidfModel(_Compared):
    """TF-IDF of character 1-4-grams or word 1-2-grams with logistic regression; `c` is the inverse of its l2 penalty."""

    kind: Literal["tfidf"]
    family: str = "TF-IDF + logistic regression"
    features: Literal["char", "word"] = "char"
    c: float = Field(default=4.0, gt=0)


class EncoderModel(_Compared):
    """An encoder with a sentiment head, as a night runs them. `training_cpu_minutes`: what its training took, where known."""

    kind: Literal["encoder"]
    model: ModelConfig = ModelConfig()
    training_cpu_minutes: float | None = Field(default=None, ge=0)


class TrainedModel(_Compared):
    """A folder made by jobs/train.py: judged by perplexity where it is causal, and by classes where it has a label head."""

    kind: Literal["language_model"]
    folder: PathText
    head: str | None = None
    """The label head that tells sentiments; None: the model is not judged on the labelled sets."""
    training_cpu_minutes: float | None = Field(default=None, ge=0)


ComparedModel = Annotated[MajorityModel | TfidfModel | EncoderModel | TrainedModel, Field(discriminator="kind")]


class HeldBackText(Frozen):
    """Texts that no language model was trained on; perplexities on the same texts compare."""

    name: str
    path: PathText
    text: str = "text"
    part: Part | None = None
    max_rows: int = Field(default=2_000, ge=1, le=100_000)


BASELINES = ("majority", "tfidf")
"""Kinds of models that an evaluation fits itself, on its training sets."""


class SimilaritySet(Frozen):
    """Pairs of texts with a human score of how much they mean the same."""

    name: str
    path: PathText
    text: str = "text"
    text2: str = "text2"
    score: str = "score"
    lang: str = "lang"
    languages: tuple[str, ...] = ()
    max_pairs: int = Field(default=2_000, ge=2, le=20_000)
    """Pairs of a language, the first by their content keys."""


class RetrievalSet(Frozen):
    """Sentences and their English translations, for search across languages and for the agreement of topics."""

    name: str
    path: PathText
    text: str = "text"
    text_en: str = "text_en"
    lang: str = "lang"
    sentence_id: str = "sentence_id"
    languages: tuple[str, ...] = ()
    max_pairs: int = Field(default=1_000, ge=2, le=20_000)
    """Pairs of a language, the first by sentence id."""
    n_topics: int = Field(default=20, ge=2, le=500)


class EvaluateConfig(JobConfig):
    """The configuration of jobs/evaluate.py.

    `only` names the models to evaluate in this run; the results of the others are kept where `results` has them for the same
    rows. `max_rows` of a set are judged, the first by content key.
    """

    name: str
    sets: tuple[EvaluatedSet, ...] = ()
    train: tuple[LabelledSet, ...] = ()
    models: tuple[ComparedModel, ...] = Field(min_length=1)
    only: tuple[str, ...] = ()
    similarity: tuple[SimilaritySet, ...] = ()
    retrieval: tuple[RetrievalSet, ...] = ()
    held_back: tuple[HeldBackText, ...] = ()
    language: LanguageConfig = LanguageConfig()
    results: PathText
    max_rows: int = Field(default=20_000, ge=10, le=200_000)
    max_train_rows: int = Field(default=60_000, ge=10, le=500_000)
    max_groups: int = Field(default=30, ge=1, le=1_000)
    resamples: int = Field(default=1_000, ge=100, le=100_000)
    speed_texts: int = Field(default=1_000, ge=1, le=100_000)
    seed: int = 20_260_101

    @model_validator(mode="after")
    def _named(self) -> "EvaluateConfig":
        require_distinct_names((*self.sets, *self.train))
        names = [m.name for m in self.models]
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise ValueError(f"models: two have the same name: {', '.join(repeated)}")
        unknown = sorted(set(self.only) - set(names))
        if unknown:
            raise ValueError(f"only: no model is named {', '.join(unknown)}; there are {', '.join(names)}")
        if not (self.sets or self.similarity or self.retrieval or self.held_back):
            raise ValueError("nothing to evaluate on: give sets, similarity, retrieval or held_back")
        return self

    @model_validator(mode="after")
    def _trained(self) -> "EvaluateConfig":
        known = {s.name for s in self.train}
        for one in self.sets:
            missing = sorted(set(one.trained_on) - known)
            if missing:
                raise ValueError(f"sets: {one.name}: trained_on names {', '.join(missing)}, which train does not hold")
        if self.sets and not self.train and any(m.kind in BASELINES for m in self.models):
            raise ValueError("train: a majority or tfidf model learns from training sets; name some")
        return self

    def chosen(self) -> tuple[ComparedModel, ...]:
        """Return the models of this run."""
        return tuple(m for m in self.models if not self.only or m.name in self.only)
