"""Configuration of jobs/train.py."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.config import JobConfig, ModelConfig
from pipeline.labelled import Part
from pipeline.schemas import SENTIMENTS
from pipeline.settings import Frozen, PathText
from udfs.models.language_model_config import LanguageModelConfig
from udfs.training.spec import LoopSpec, Objective

SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "<mask>")
"""Ids 0 to 4 of every tokenizer trained here."""
SPECIAL_TOKEN_OF = {"pad_id": "<pad>", "bos_id": "<s>", "eos_id": "</s>", "mask_id": "<mask>"}
"""The special token whose id is each of these keys of the model's configuration."""
_SPECIAL_IDS = {key: SPECIAL_TOKENS.index(token) for key, token in SPECIAL_TOKEN_OF.items()}
_CAUSAL = ("rnn", "gru", "lstm", "decoder")
_ARCHITECTURES: dict[str, tuple[str, ...]] = {
    "causal_lm": _CAUSAL,
    "masked_lm": ("encoder",),
    "seq2seq": ("encoder_decoder",),
    "classification": ("rnn", "gru", "lstm", "encoder"),
    "distillation": ("encoder",),
    "multitask": ("encoder",),
}
_METRICS: dict[str, tuple[str, ...]] = {
    "causal_lm": ("loss", "perplexity"),
    "masked_lm": ("loss", "perplexity"),
    "seq2seq": ("loss", "perplexity"),
    "classification": ("loss", "accuracy", "macro_f1"),
    "distillation": ("loss", "cosine"),
    "multitask": ("loss", "accuracy", "macro_f1", "cosine", "spearman"),
}
_LABELLING = ("classification", "multitask")
_MOST_CLASSES = 63
"""Labels of a head of which a set's annotators may have chosen among some: bits of a long in the shards."""
_HIGHER_IS_BETTER = ("accuracy", "macro_f1", "cosine", "spearman")


class TrainingSet(Frozen):
    """A Parquet file or folder of texts to train or validate on.

    Attributes:
        target: the column to write from the text (seq2seq), or whose teacher vector the text learns (distillation, multitask;
            without it, the text's own, or in multitask none where the set has a `label`).
        pair, score: columns of a second text and of how similar people found the two, and `score_range` what their least and
            largest score is (multitask).
        label, head, rename: the column of classes, the head of the model that learns them, and classes to call otherwise; rows
            whose class is not among the head's labels are dropped and counted.
        lang, languages: keep rows whose `lang` column says one of `languages`.
        classes: the labels of the head that this set's annotators chose among, where not all (multitask): a set without neutral
            rows teaches nothing about neutral.
        part: keep a share of the texts, chosen by their content: the same texts as in the other jobs that know a `part`.
        repeat: how often an epoch reads each row.
        max_rows: keep those whose content keys come first: a sample that does not depend on the order of rows.
    """

    name: str
    path: PathText
    text: str = "text"
    target: str | None = None
    pair: str | None = None
    score: str | None = None
    score_range: tuple[float, float] = (0.0, 1.0)
    label: str | None = None
    head: str = "label"
    rename: dict[str, str] = Field(default_factory=dict)
    lang: str | None = None
    languages: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    part: Part | None = None
    repeat: int = Field(default=1, ge=1, le=100)
    max_rows: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.pair is None) != (self.score is None):
            raise ValueError(f"set {self.name}: `pair` and `score` belong together; name both columns or neither")
        if self.score_range[0] >= self.score_range[1]:
            raise ValueError(
                f"set {self.name}: score_range {list(self.score_range)}: the first must be less than the second"
            )
        if self.languages and self.lang is None:
            raise ValueError(
                f"set {self.name} keeps languages {', '.join(self.languages)}; name their column in `lang`"
            )
        return self


class EvaluationSet(Frozen):
    """A set the model will be judged on: no training text equals one of its texts in letters and digits, case aside."""

    path: PathText
    columns: tuple[str, ...] = ("text",)


class CorpusConfig(Frozen):
    """What is trained and validated on. `held_back`: the part of the training texts kept for validation, chosen by their hash."""

    train: tuple[TrainingSet, ...] = Field(min_length=1)
    validation: tuple[TrainingSet, ...] = ()
    held_back: float = Field(default=0.0, ge=0.0, le=0.5)
    exclude: tuple[EvaluationSet, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = [one.name for one in (*self.train, *self.validation)]
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise ValueError(f"two sets have the same name: {', '.join(repeated)}")
        if not self.validation and not self.held_back:
            raise ValueError("nothing to validate on; name `validation` sets or set `held_back`, for example 0.02")
        return self


class TokenizerConfig(Frozen):
    """The tokenizer: trained on at most `sample_rows` texts of the training part, or read from `file`.

    Attributes:
        kind: `unigram` (Kudo, 2018, arXiv:1804.10959), `bpe` on bytes (GPT-2's), `wordpiece` (BERT's).
        size: tokens, special ones included; fewer where the texts have no more to give.
        lowercase: fold case before tokenising.
        byte_fallback: unigram writes characters it has no token for as UTF-8 bytes, so that none is unknown. 256 tokens.
        scripts: scripts whose every character becomes a token: `han` (20,992 characters), `kana`, `hangul` (11,172).
        file: a tokenizer.json made here before; all else is then unused.
    """

    kind: Literal["unigram", "bpe", "wordpiece"] = "unigram"
    size: int = Field(default=8_000, ge=300, le=500_000)
    sample_rows: int = Field(default=200_000, ge=100, le=1_000_000)
    lowercase: bool = False
    byte_fallback: bool = True
    scripts: tuple[Literal["han", "kana", "hangul"], ...] = ()
    file: PathText | None = None

    @model_validator(mode="after")
    def _scripts_possible(self) -> Self:
        possible = {"unigram": ("han", "kana", "hangul"), "bpe": (), "wordpiece": ("han",)}[self.kind]
        wrong = sorted(set(self.scripts) - set(possible))
        if wrong:
            advice = "bpe on bytes has no unknown character" if self.kind == "bpe" else "wordpiece takes han only"
            raise ValueError(f"scripts {', '.join(wrong)}: {advice}; remove it or use unigram")
        return self


class LoopConfig(Frozen):
    """How the model is trained; the keys are those of `udfs.training.spec.LoopSpec`."""

    batch_rows: int = Field(ge=1)
    micro_rows: int = Field(ge=1)
    epochs: int = Field(ge=1, le=10_000)
    lr: float = Field(gt=0.0)
    warm_up_fraction: float = Field(default=0.05, ge=0.0, le=1.0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    clip_norm: float = Field(default=1.0, gt=0.0)
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(default=20_260_101, ge=0)
    checkpoint_every: int = Field(default=200, ge=1)
    validate_every: int = Field(default=0, ge=0)
    metric: str = "loss"
    patience: int | None = Field(default=None, ge=1)
    threads: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _micro_fits(self) -> Self:
        if self.micro_rows > self.batch_rows:
            raise ValueError(f"micro_rows {self.micro_rows}: must not exceed batch_rows {self.batch_rows}")
        return self

    def spec(self) -> LoopSpec:
        """Return what travels to the processes that train."""
        return LoopSpec(**self.model_dump(), higher_is_better=self.metric in _HIGHER_IS_BETTER)


class ProcessesConfig(Frozen):
    """Processes that train together, one device each: on the driver's host, or as tasks of the executors."""

    count: int = Field(default=1, ge=1, le=1_024)
    on: Literal["driver", "executors"] = "driver"
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @property
    def is_this_one(self) -> bool:
        """Return whether the job's own process trains, without Spark."""
        return self.count == 1 and self.on == "driver"


class TrainConfig(JobConfig):
    """The configuration of jobs/train.py.

    `model.vocabulary_size` and the ids of special tokens follow from the tokenizer. `start` is a folder with a model whose
    weights are taken over where they fit, `start_heads` names folders of heads trained on it to go on from, `frozen` the parts
    of names of tensors that stay as they are. `teacher` is the encoder whose vectors are learnt (distillation, multitask), and
    `distillation_weight` how much 1 - cosine to them counts beside a label (multitask); `similarity_weight` how much the
    squared difference of a pair's cosine and score does; `token_dropout` and `ngram_dropout` are the shares of tokens hidden in
    rows with a label, and of rows whose heads miss the n-grams (multitask). `weights` is the number format of the saved model;
    with `int8_tokens` the token embeddings are int8 with a scale per token. Shards, checkpoints and the metrics log go to `work`
    (by default `<output>-work`): the same command goes on from there.
    """

    name: str
    output: PathText
    work: PathText | None = None
    objective: Objective
    languages: tuple[str, ...] = ("en",)
    corpus: CorpusConfig
    tokenizer: TokenizerConfig = TokenizerConfig()
    model: LanguageModelConfig
    start: PathText | None = None
    start_heads: dict[str, PathText] = Field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    teacher: ModelConfig = ModelConfig()
    distillation_weight: float = Field(default=1.0, gt=0.0)
    similarity_weight: float = Field(default=1.0, gt=0.0)
    token_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    ngram_dropout: float = Field(default=0.0, ge=0.0, le=1.0)
    loop: LoopConfig
    processes: ProcessesConfig = ProcessesConfig()
    weights: Literal["float32", "float16"] = "float32"
    int8_tokens: bool = False

    @model_validator(mode="before")
    @classmethod
    def _with_vocabulary(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not isinstance(data.get("model"), Mapping):
            return data
        tokenizer = data.get("tokenizer")
        size = tokenizer.get("size") if isinstance(tokenizer, Mapping) else None
        known = {"vocabulary_size": size or TokenizerConfig().size, **_SPECIAL_IDS}
        return {**data, "model": {**known, **data["model"]}}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        problems = [*self._model_problems(), *self._set_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def work_folder(self) -> Path:
        """The folder of shards, checkpoints and log."""
        return Path(self.work or f"{self.output.rstrip('/')}-work")

    @property
    def head_folders(self) -> dict[str, Path]:
        """The folders `<output>-<head>` of the heads that a night can use.

        An encoder with n-grams gives features for sentiment beside its vector; other heads stay in the model.
        """
        if self.objective != "multitask" or self.model.ngram_buckets is None:
            return {}
        stem = self.output.rstrip("/")
        return {name: Path(f"{stem}-{name}") for name, labels in self.model.heads.items() if labels == SENTIMENTS}

    @property
    def teaches(self) -> bool:
        """Whether some row learns a vector of the teacher: where the model gets the teacher's space."""
        sets = self.corpus.train
        is_taught = any(one.target or (one.label is None and one.pair is None) for one in sets)
        return self.objective == "distillation" or (self.objective == "multitask" and is_taught)

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of all that the trained weights depend on."""
        elsewhere = {"spark", "output", "work", "processes", "weights", "int8_tokens", "name", "languages"}
        return hashlib.sha256(self.model_dump_json(exclude=elsewhere).encode()).hexdigest()

    @property
    def _validated(self) -> tuple[TrainingSet, ...]:
        return self.corpus.validation + (self.corpus.train if self.corpus.held_back else ())

    def _model_problems(self) -> list[str]:
        problems = []
        fitting, metrics = _ARCHITECTURES[self.objective], _METRICS[self.objective]
        if self.model.architecture not in fitting:
            problems.append(
                f"model.architecture {self.model.architecture}: objective {self.objective} needs {' or '.join(fitting)}"
            )
        if self.loop.metric not in metrics:
            problems.append(f"loop.metric {self.loop.metric}: objective {self.objective} has {', '.join(metrics)}")
        if self.objective in _LABELLING and not self.model.heads:
            problems.append(f"model.heads: missing; objective {self.objective} needs a head and its labels")
        if self.objective == "multitask":
            problems += [
                f"model.heads.{name}: {len(labels)} labels; objective multitask takes {_MOST_CLASSES} at most"
                for name, labels in self.model.heads.items()
                if len(labels) > _MOST_CLASSES
            ]
        else:
            problems += [
                f"{key} {value:g}: belongs to objective multitask"
                for key, value in (("token_dropout", self.token_dropout), ("ngram_dropout", self.ngram_dropout))
                if value
            ]
        if self.ngram_dropout and self.model.ngram_buckets is None:
            problems.append(f"ngram_dropout {self.ngram_dropout:g}: the model has no n-grams; set model.ngram_buckets")
        elif self.ngram_dropout == 1 and not (self.start and self.start_heads):
            problems.append(
                "ngram_dropout 1: n-grams never learn; lower it, or name `start` and `start_heads` that have them"
            )
        if self.start is None and (self.start_heads or self.frozen):
            key = "start_heads" if self.start_heads else "frozen"
            problems.append(f"{key}: needs `start`, the model it belongs to")
        if self.loop.metric == "spearman" and not any(one.pair for one in self._validated):
            problems.append("loop.metric spearman: no set that is validated on has `pair` and `score`")
        if self.work_folder in self.head_folders.values():
            problems.append(f"work: {self.work_folder} is the folder of a head; name another")
        problems += [
            f"start_heads.{name}: not among model.heads" for name in self.start_heads if name not in self.model.heads
        ]
        wrong = [key for key, i in _SPECIAL_IDS.items() if getattr(self.model, key) != i]
        if wrong:
            problems.append(f"model.{wrong[0]}: follows from the tokenizer; remove it")
        return problems

    def _set_problems(self) -> list[str]:
        problems = []
        for one in (*self.corpus.train, *self.corpus.validation):
            if self.objective == "seq2seq" and one.target is None:
                problems.append(f"corpus set {one.name}: objective seq2seq needs `target`, the column to be written")
            if self.objective == "classification" and one.label is None:
                problems.append(f"corpus set {one.name}: objective classification needs `label`, the column of classes")
            if self.objective != "multitask" and one.pair is not None:
                problems.append(f"corpus set {one.name}: pair and score belong to objective multitask")
            if self.objective in _LABELLING and one.label is not None:
                problems += self._head_problems(one)
            elif one.classes:
                problems.append(
                    f"corpus set {one.name}: classes belong to a `label` of objective {' or '.join(_LABELLING)}"
                )
        return problems

    def _head_problems(self, one: TrainingSet) -> list[str]:
        if one.head not in self.model.heads:
            return [f"corpus set {one.name}: head {one.head} is not among model.heads"]
        labels = self.model.heads[one.head]
        unknown = [name for name in one.classes if name not in labels]
        return [f"corpus set {one.name}: class {unknown[0]} is not a label of head {one.head}"] if unknown else []
