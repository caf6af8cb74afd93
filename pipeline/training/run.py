"""A training from corpus to saved model, in steps that are done once: the same command goes on where it was stopped."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from pipeline.errors import ConfigError, DataError
from pipeline.models import embedding_spec
from pipeline.progress import Stages
from pipeline.training.config import SPECIAL_TOKEN_OF, SPECIAL_TOKENS, TrainConfig
from pipeline.training.corpus import KEPT, TRAIN, VALIDATION, fates, prepared
from pipeline.training.launch import launch
from pipeline.training.sharding import with_teacher_vectors, write_shards
from pipeline.training.tokenizer_training import sample_texts, train_tokenizer
from udfs.models.files import ModelFileError, combined_digest, inspect
from udfs.models.language_model_config import LanguageModelConfig
from udfs.spec import space_of
from udfs.training.spec import LanguageModelTaskSpec, Outcome, TrainingJob

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """Data on disk, ready to train on: `fates` counts rows per set, part and fate (see `pipeline.training.corpus`)."""

    folder: Path
    vocabulary_size: int
    fates: list[dict[str, Any]]

    @property
    def tokenizer(self) -> Path:
        """The tokenizer.json the shards were made with."""
        return self.folder / "tokenizer.json"

    @property
    def run_folder(self) -> Path:
        """The folder of checkpoints and metrics log."""
        return self.folder / "run"

    def shards(self, part: str) -> str:
        """Return the folder of the shards of `train` or `validation`."""
        return str(self.folder / "shards" / part)

    def kept(self, part: str, what: str = "n") -> int:
        """Return how many rows (or `n_bytes` of text) of a part are trained or validated on."""
        return sum(int(f[what] or 0) for f in self.fates if f["part"] == part and f["fate"] == KEPT)


def check_output(config: TrainConfig) -> None:
    """Refuse to begin what could not be saved.

    Raises:
        ConfigError: the output or a head's folder exists, or the work folder holds another training.
    """
    if Path(config.output).exists():
        raise ConfigError(f"output: {config.output} exists; a model is never overwritten, give a new output")
    marker, start = config.work_folder / "training.json", _start_digest(config)
    if marker.exists():
        found = json.loads(marker.read_text(encoding="utf-8"))
        if found["fingerprint"] != config.fingerprint():
            raise ConfigError(
                f"work: {config.work_folder} holds a training of another configuration; remove it or name another"
            )
        if found.get("start", start) != start:
            raise ConfigError(
                f"start: {config.start} has changed since this training began; remove {config.work_folder} or name another work"
            )
        return
    for folder in config.head_folders.values():
        if folder.exists():
            raise ConfigError(f"output: {folder} exists, where a head would be saved; give a new output")
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"fingerprint": config.fingerprint(), "start": start}) + "\n", encoding="utf-8")


def prepare(spark: SparkSession, config: TrainConfig) -> Prepared:
    """Clean the corpus, train the tokenizer, write the shards; or read what an earlier run has left.

    Raises:
        DataError: a set cannot be read, or a part is left without rows.
    """
    folder = config.work_folder
    done = folder / "prepared.json"
    if done.exists():
        written = json.loads(done.read_text(encoding="utf-8"))
        logger.info(f"prepare   shards of an earlier run in {folder}")
        return Prepared(folder, written["vocabulary_size"], written["fates"])
    folder.mkdir(parents=True, exist_ok=True)
    stages = Stages(spark.sparkContext)
    rows = prepared(spark, config.corpus, config.model.heads).persist()
    with stages.stage("clean") as stage:
        counted = fates(rows)
        found = Prepared(folder, 0, counted)
        stage.rows = sum(int(f["n"]) for f in counted)
    for part in (TRAIN, VALIDATION):
        if not found.kept(part):
            raise DataError(f"corpus: no row is left for {part}: {_summary(counted, part)}")
    logger.info(f"corpus    {_summary(counted, TRAIN)}; to validate: {_summary(counted, VALIDATION)}")
    kept = rows.where(f"fate = '{KEPT}'")
    with stages.stage("tokenizer") as stage:
        size = _tokenizer(kept.where(f"part = '{TRAIN}'"), config, found.tokenizer)
    if config.objective in ("distillation", "multitask"):
        kept = with_teacher_vectors(kept, config.teacher, labelled_too=config.objective == "distillation")
    for part in (TRAIN, VALIDATION):
        with stages.stage("shards", found.kept(part)) as stage:
            stage.rows = found.kept(part)
            chosen = kept.where(f"part = '{part}'")
            model = config.model
            write_shards(
                chosen, config.objective, str(found.tokenizer), model.max_tokens, model.heads, found.shards(part)
            )
    rows.unpersist()
    done.write_text(json.dumps({"vocabulary_size": size, "fates": counted}, indent=1) + "\n", encoding="utf-8")
    return Prepared(folder, size, counted)


def model_config(config: TrainConfig, data: Prepared) -> LanguageModelConfig:
    """Return the model's configuration with the size and special ids of the vocabulary, and the space it learns."""
    known: dict[str, Any] = {"vocabulary_size": data.vocabulary_size, **_special_ids(data.tokenizer)}
    if config.teaches:
        known["space"] = space_of(embedding_spec(config.teacher).encoder)
    return config.model.model_copy(update=known)


def task_spec(config: TrainConfig, data: Prepared) -> LanguageModelTaskSpec:
    """Return what is trained."""
    model = model_config(config, data)
    return LanguageModelTaskSpec(
        config.objective, model.model_dump_json(), config.loop.seed, config.start, config.distillation_weight,
        str(data.tokenizer), config.similarity_weight, tuple(sorted(config.start_heads.items())), config.frozen,
        config.token_dropout, config.ngram_dropout,
    )  # fmt: skip


def fit(config: TrainConfig, data: Prepared) -> Outcome:
    """Train, from the last checkpoint where there is one."""
    job = TrainingJob(
        task_spec(config, data), config.loop.spec(), data.shards(TRAIN), data.shards(VALIDATION), str(data.run_folder),
        config.processes.device,
    )  # fmt: skip
    processes = config.processes
    return launch(job, processes.count, is_local=processes.on == "driver", uses_gpu=processes.device == "cuda")


def _start_digest(config: TrainConfig) -> str | None:
    """Return what names the files a training begins from: frozen tensors are read from them again when it goes on."""
    folders = [folder for folder in (config.start, *config.start_heads.values()) if folder is not None]
    try:
        digests = [combined_digest(inspect(Path(folder))) for folder in folders]
    except ModelFileError as error:
        raise ConfigError(f"start: {error}") from None
    return " ".join(digests) or None


def _tokenizer(training_rows: DataFrame, config: TrainConfig, path: Path) -> int:
    """Write tokenizer.json, trained or copied; return the size of its vocabulary."""
    from tokenizers import Tokenizer

    if config.tokenizer.file is None:
        content = train_tokenizer(sample_texts(training_rows, config.tokenizer.sample_rows), config.tokenizer)
    else:
        try:
            content = Path(config.tokenizer.file).read_bytes()
        except OSError as error:
            raise ConfigError(f"tokenizer.file: {config.tokenizer.file} cannot be read: {error}") from None
    tokenizer = Tokenizer.from_str(content.decode())
    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise ConfigError(f"tokenizer.file: {config.tokenizer.file} was not made here: it has no token {missing[0]}")
    path.write_bytes(content)
    return int(tokenizer.get_vocab_size())


def _special_ids(tokenizer: Path) -> dict[str, int]:
    """Return the ids of special tokens by the keys of the model's configuration; a tokenizer from a file has its own."""
    from tokenizers import Tokenizer

    read = Tokenizer.from_file(str(tokenizer))
    return {key: int(read.token_to_id(token) or 0) for key, token in SPECIAL_TOKEN_OF.items()}


def _summary(counted: list[dict[str, Any]], part: str) -> str:
    """Say how many rows of a part met which fate."""
    totals: dict[str, int] = {}
    for one in counted:
        if one["part"] == part:
            totals[one["fate"]] = totals.get(one["fate"], 0) + int(one["n"])
    return (
        ", ".join(f"{n:,} {fate}" for fate, n in sorted(totals.items(), key=lambda item: item[0] != KEPT)) or "no rows"
    )
