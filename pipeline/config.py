"""Configuration of the nightly job: frozen, unknown keys rejected, every problem reported at once."""

import difflib
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from pipeline.errors import ConfigError
from pipeline.iceberg.settings import IcebergConfig
from pipeline.patterns.config import PatternsConfig
from pipeline.settings import Fraction, Frozen, Identifier, PathText
from pipeline.thresholds import smallest_sample
from udfs.language import SUPPORTED_LANGUAGES


def _check_languages(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(value) - SUPPORTED_LANGUAGES)
    if unknown:
        raise ValueError(f"no identifier for {', '.join(unknown)}; known: {', '.join(sorted(SUPPORTED_LANGUAGES))}")
    if len(value) < 2:
        raise ValueError("needs at least two languages")
    return tuple(sorted(set(value)))


class ColumnsConfig(Frozen):
    """Names of the corpus' columns. `id`, `text` and `time` must exist; the others are null where not named."""

    id: str = "id"
    text: str = "text"
    time: str = "time"
    source: str | None = None
    group: str | None = None
    lang: str | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "ColumnsConfig":
        names = [n.lower() for n in self.named().values()]
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise ValueError(f"the same corpus column is named twice: {', '.join(repeated)}")
        return self

    def named(self) -> dict[str, str]:
        """Return role -> corpus column for every role that is named."""
        return {role: name for role, name in self.model_dump().items() if name is not None}


class InputConfig(Frozen):
    """The corpus: a Parquet file or a folder searched recursively; names that begin with `_` or `.` are ignored.

    A run also publishes anew the nights of the `lookback_days` before it whose rows changed since they were published, and the
    published nights after them.
    """

    path: PathText
    file_suffix: str = ".parquet"
    other_files: Literal["fail", "ignore"] = "fail"
    columns: ColumnsConfig = ColumnsConfig()
    on_corrupt: Literal["fail", "quarantine_file"] = "fail"
    invalid_utf8: Literal["reject", "repair"] = "reject"
    max_chars: int = Field(default=20_000, ge=1, le=1_000_000)
    too_long_chars: int = Field(default=5_000_000, ge=1)
    lookback_days: int = Field(default=0, ge=0, le=366)


class OutputConfig(Frozen):
    """Where tables go: a folder, the schema (database) of the Spark catalog, and an Iceberg catalog where one is set."""

    root: PathText
    catalog: Identifier = "nightjar"
    iceberg: IcebergConfig | None = None


class RouteConfig(Frozen):
    """An encoder and its sentiment head, named as in `ModelConfig`, for the languages both cover."""

    embedding: str
    sentiment: str


class ModelConfig(Frozen):
    """The models. `embedding` and `sentiment` name an entry of the lock file, a local folder or a hub id (embedding only).

    `mode` is a promise: `exact`, every vector within cosine 0.9999 of float32; `fast`, within 0.995 in the mean. `runtime` and
    `precision` left to `auto` are chosen by a self-test on an executor. `embedding_languages` says what a folder or hub id
    covers (ISO 639-1, `*` for all); an entry of the lock file says so itself.

    A text whose language these do not cover goes to the first of `others` that does. All encoders must give vectors of one
    space.
    """

    embedding: str = "all-MiniLM-L6-v2"
    sentiment: str = "sentiment-en"
    lock: str | None = None
    allow_download: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    mode: Literal["exact", "fast"] = "exact"
    runtime: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = "auto"
    token_budget: int | None = Field(default=None, ge=64, le=1_000_000)
    max_chunks: int = Field(default=32, ge=1, le=10_000)
    embedding_languages: tuple[str, ...] = ("en",)
    others: tuple[RouteConfig, ...] = Field(default=(), max_length=8)

    @model_validator(mode="after")
    def _kept_promise(self) -> "ModelConfig":
        if self.mode == "exact" and self.precision in ("bfloat16", "int8"):
            raise ValueError(
                f"precision {self.precision} does not keep what mode exact promises; set mode: fast, or precision: auto"
            )
        if self.runtime == "torch" and self.precision == "int8":
            raise ValueError("precision int8 needs runtime: openvino")
        if self.runtime == "openvino" and self.device == "cuda":
            raise ValueError("runtime openvino computes on the CPU; set device: cpu, or runtime: torch")
        return self


TASKS = ("embedding", "sentiment", "language", "topics")
"""Tasks of the models that every night has."""


class NightModelConfig(ModelConfig):
    """The models of a night: by default the shipped ones, English and, for the other languages, multilingual.

    Where `embedding` is named and `others` is not, there are no others. `heads` gives each task of labels of one's own a folder
    made by jobs/train_head.py or jobs/zero_shot.py, or an entry of the lock file.
    """

    embedding: str = "tuned-en"
    sentiment: str = "sentiment-en-tuned"
    others: tuple[RouteConfig, ...] = Field(
        default=(RouteConfig(embedding="multilingual", sentiment="sentiment-multilingual"),), max_length=8
    )
    heads: dict[Identifier, str] = Field(default_factory=dict, max_length=16)

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "embedding" in data and "others" not in data:
            return {**data, "others": ()}
        return data

    @model_validator(mode="after")
    def _other_tasks(self) -> "NightModelConfig":
        if taken := sorted(set(self.heads) & set(TASKS)):
            raise ValueError(f"heads: {taken[0]} names a model of every night; give these labels another task")
        return self


class CascadeConfig(Frozen):
    """The cascade: `model` scores every text, the full model named here decides the sentiment where `model` is not sure.

    The threshold is chosen on an audit of `audit_size` random texts of the run, so that with `confidence` at least
    `min_agreement` of the texts have the label the full model gives. All else of the full model is as in `model`.
    """

    enabled: bool = False
    embedding: str = "tuned-en"
    sentiment: str = "sentiment-en-tuned"
    others: tuple[RouteConfig, ...] = Field(default=(), max_length=8)
    min_agreement: float = Field(default=0.98, gt=0.5, lt=1.0)
    confidence: float = Field(default=0.95, ge=0.5, lt=1.0)
    audit_size: int = Field(default=2_000, ge=1, le=200_000)
    seed: int = 20_260_101

    @model_validator(mode="after")
    def _large_enough(self) -> "CascadeConfig":
        needed = smallest_sample(self.min_agreement, self.confidence)
        if self.audit_size < needed:
            raise ValueError(
                f"an audit of {self.audit_size} texts cannot show an agreement of {self.min_agreement} at confidence "
                f"{self.confidence}, even if all agree; set audit_size to at least {needed}"
            )
        return self


class ScoringConfig(Frozen):
    """How the scoring stage is cut into tasks, and what a task asks of a cluster. Changes speed, not results.

    `tokens_per_task` is predicted tokens: more for a fast model, so that starting a task is noise. `gpu_amount_per_task` (a share
    of one GPU, or a whole number) and `task_cpus` ask for this stage alone, through stage-level scheduling; not in local mode.
    A worker that returns nothing for `hang_timeout_sec` is killed, and the text it hangs on is found and left out.
    """

    tokens_per_task: int = Field(default=262_144, ge=1_024, le=1_000_000_000)
    hang_timeout_sec: int = Field(default=1_800, ge=1, le=86_400)
    gpu_amount_per_task: float | None = Field(default=None, gt=0.0, le=64.0)
    task_cpus: int | None = Field(default=None, ge=1, le=1_024)

    @model_validator(mode="after")
    def _whole_or_share(self) -> "ScoringConfig":
        amount = self.gpu_amount_per_task
        if amount is not None and amount > 1 and amount % 1:
            raise ValueError(f"gpu_amount_per_task must be at most 1 or a whole number, got {amount}")
        return self


class LanguageConfig(Frozen):
    """Language identification of documents whose language the corpus does not declare."""

    candidates: Annotated[tuple[str, ...], AfterValidator(_check_languages)] = (
        "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "vi", "zh",
    )  # fmt: skip
    min_confidence: Fraction = 0.5
    min_covered: Fraction = 0.2


class TopicsConfig(Frozen):
    """Topics: fitted on at most `sample_size` texts of the first run, then moved on to newer texts every `refit_every_nights`.

    `n_topics` null picks the finest topics on which two halves of the sample agree for at least `least_agreement` of the texts
    (see `pipeline.topic_clusters.chosen_number`), from `min_topics` on; that null is round(sqrt(n / 10)), since a mixed corpus is
    stable in a handful of topics only, too coarse for a theme that comes up. A refit reads the `history_nights` nights up to the
    night it takes force; `refit_every_nights` 0 refits never. A topic keeps its id where its texts before and after have a
    Jaccard index of at least `least_overlap`; a dormant topic is forgotten after `dormant_nights`.
    `usual_share` of a topic's texts are within its usual distance; documents beyond it are marked `is_other`.
    """

    n_topics: int | None = Field(default=None, ge=2, le=500)
    min_topics: int | None = Field(default=None, ge=2, le=150)
    least_agreement: Fraction = 0.7
    sample_size: int = Field(default=20_000, ge=100, le=200_000)
    min_texts: int = Field(default=50, ge=2)
    usual_share: float = Field(default=0.95, gt=0, lt=1)
    refit_every_nights: int = Field(default=7, ge=0)
    history_nights: int = Field(default=28, ge=1, le=366)
    least_overlap: float = Field(default=0.25, gt=0, le=1)
    dormant_nights: int = Field(default=365, ge=1)
    seed: int = 20_260_101

    def fewest(self, n_texts: int) -> int:
        """Return the least number of topics that is considered for a sample of `n_texts`."""
        return self.min_topics or min(150, max(2, round(math.sqrt(n_texts / 10))))


class QualityConfig(Frozen):
    """Limits a night must keep to be published. `min_rows: 0` allows an empty night."""

    max_rejected_fraction: Fraction = 0.05
    max_error_fraction: Fraction = 0.01
    min_rows: int = Field(default=1, ge=0)


class ModelChangeConfig(Frozen):
    """What happens when a run's model is not that of the last published night before it: both score a sample of the run's texts.

    The run stops, and publishes nothing, where the share of a label shifts by more than `tolerance`, or where the old model is
    not available any more; `accept` publishes all the same.
    """

    sample: int = Field(default=2_000, ge=1, le=200_000)
    tolerance: Fraction = 0.03
    confidence: float = Field(default=0.95, ge=0.5, lt=1.0)
    on_shift: Literal["stop", "accept"] = "stop"
    on_unavailable: Literal["stop", "accept"] = "stop"


class JobConfig(Frozen):
    """Base of every job's configuration. `spark` holds Spark properties, with or without the leading `spark.`."""

    spark: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _flatten_spark(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(data.get("spark"), Mapping):
            return {**data, "spark": _flatten_spark(data["spark"])}
        return data


class NightlyConfig(JobConfig):
    """The nightly job's whole configuration."""

    input: InputConfig
    output: OutputConfig
    model: NightModelConfig = NightModelConfig()
    cascade: CascadeConfig = CascadeConfig()
    language: LanguageConfig = LanguageConfig()
    scoring: ScoringConfig = ScoringConfig()
    topics: TopicsConfig = TopicsConfig()
    patterns: PatternsConfig = PatternsConfig()
    quality: QualityConfig = QualityConfig()
    model_change: ModelChangeConfig = ModelChangeConfig()

    def patterns_read(self) -> PatternsConfig:
        """Return `patterns`, which read no more of a text than `input.max_chars`: what is cut off beyond that is not there."""
        most, aspects, keyphrases = self.input.max_chars, self.patterns.aspects, self.patterns.keyphrases
        return self.patterns.model_copy(
            update={
                "aspects": aspects.model_copy(update={"max_chars": min(aspects.max_chars, most)}),
                "keyphrases": keyphrases.model_copy(update={"max_chars": min(keyphrases.max_chars, most)}),
            }
        )

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of the resolved configuration."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def _flatten_spark(tree: Mapping[str, Any], prefix: str = "spark") -> dict[str, str]:
    """Turn nested or dotted Spark properties into `spark.x.y: text`, booleans as true/false."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        name = str(key) if str(key).startswith("spark.") else f"{prefix}.{key}"
        if isinstance(value, Mapping):
            flat |= _flatten_spark(value, name)
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


C = TypeVar("C", bound=JobConfig)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> NightlyConfig:
    """Read the nightly job's configuration; see `load_job_config`."""
    return load_job_config(NightlyConfig, path, overrides)


def load_job_config(model: type[C], path: str | Path, overrides: Sequence[str] = ()) -> C:
    """Read a YAML file and apply `key=value` overrides (`a.b.c=value`, value read as YAML).

    Raises:
        ConfigError: with every problem found, one per line: key, value, what to do.
    """
    problems: list[str] = []
    data = _read_yaml(Path(path))
    for override in overrides:
        problem = _apply_override(data, override)
        if problem:
            problems.append(problem)
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        problems += [_describe(problem, model) for problem in error.errors()]
    if problems:
        raise ConfigError(f"{path}: {len(problems)} problem(s)\n" + "\n".join(f"  {p}" for p in problems))
    return config


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give --config the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that is none, such as 2026-02-30
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold a mapping of sections (input, output, ...), found {type(data).__name__}")
    return data


def _apply_override(data: dict[str, Any], override: str) -> str | None:
    """Set one dotted key in place; return what is wrong with the override, or None."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        return f"--set {override!r}: write it as key=value, for example --set quality.min_rows=0"
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return f"--set {override!r}: the value is not valid YAML; quote it"
    parts = key.strip().split(".")
    if parts[0] == "spark":
        parts = ["spark", ".".join(parts)]
    node = data
    for part in parts[:-1]:
        if node.get(part) is None:
            node[part] = {}
        node = node[part]
        if not isinstance(node, dict):
            return f"--set {override!r}: {part} holds a value, not a section"
    node[parts[-1]] = value
    return None


def _describe(problem: Any, model: type[JobConfig]) -> str:
    """Say one validation problem as `key: what is wrong, got value`."""
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location) or "configuration"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _known_keys(model, location[:-1]), n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]}?" if near else "; remove it")
    if problem["type"] == "missing":
        return f"{key}: missing; set it in the file or with --set {key}=..."
    message = problem["msg"].removeprefix("Value error, ")
    shown = problem["input"]
    if location[:1] == ["spark"] or not isinstance(shown, str | int | float | bool | None):
        return f"{key}: {message}"  # a whole section, or a property that may be a secret
    return f"{key}: {message}, got {shown!r}"


def _known_keys(model: type[JobConfig], path: Sequence[str]) -> list[str]:
    section: Any = model
    for part in path:
        known = getattr(section, "model_fields", {})
        annotation = known[part].annotation if part in known else None
        # a section that may be left out is a union with None
        section = next((a for a in get_args(annotation) if hasattr(a, "model_fields")), annotation)
    return list(getattr(section, "model_fields", {}))
