"""A fine-tuning from labelled sets to the best weights, in steps that are done once: the same command goes on where it was."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.errors import ConfigError, DataError, ModelError
from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.export import refuse_existing
from pipeline.finetuning.rows import counts, head_labels, prepared, with_handles
from pipeline.labelled import CONTENT_KEY, SET_NAME, TEXT
from pipeline.models import embedding_spec
from pipeline.progress import Stages
from pipeline.training.corpus import KEPT, TRAIN, VALIDATION
from pipeline.training.launch import launch
from pipeline.training.sharding import write_shards
from udfs.models.files import locate
from udfs.models.spec import EncoderSpec
from udfs.training.finetune_spec import FineTuneTaskSpec, HeadTask, LabelledSource
from udfs.training.spec import Outcome, TrainingJob

logger = logging.getLogger(__name__)
Row = dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """Shards on disk; the labels of each head; rows per head, set_name, part, label and fate."""

    folder: Path
    labels: dict[str, tuple[str, ...]]
    counts: list[Row]

    @property
    def run_folder(self) -> Path:
        """The folder of checkpoints and metrics log."""
        return self.folder / "run"

    def shards(self, part: str) -> str:
        """Return the folder of the shards of `train` or `validation`."""
        return str(self.folder / "shards" / part)

    def total(self, key: str, **where: str) -> dict[str, int]:
        """Return rows by the values of a column of `counts`, of the lines in which the other columns have these values."""
        found: dict[str, int] = {}
        for line in self.counts:
            if all(line[column] == value for column, value in where.items()):
                found[line[key]] = found.get(line[key], 0) + line["n"]
        return found


def check_output(config: FineTuneConfig) -> None:
    """Refuse to begin what could not be saved.

    Raises:
        ConfigError: the output exists, or the work folder holds another training.
    """
    refuse_existing(Path(config.output))
    marker = config.work_folder / "training.json"
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8"))["fingerprint"] != config.fingerprint():
        raise ConfigError(
            f"work: {config.work_folder} holds a training of another configuration; remove it or name another"
        )
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps({"fingerprint": config.fingerprint()}) + "\n", encoding="utf-8")


def base_encoder(config: FineTuneConfig) -> EncoderSpec:
    """Find and check the encoder to be tuned.

    Raises:
        ModelError: it is unknown, unsafe or changed, or is no folder with a tokenizer.
    """
    base = embedding_spec(config.base, section="base").encoder
    if config.max_tokens > base.max_tokens:
        raise ConfigError(f"max_tokens: {base.name} reads at most {base.max_tokens}, got {config.max_tokens}")
    if not (locate(base.source) / "tokenizer.json").is_file():
        raise ModelError(f"base: {base.name} has no tokenizer.json of its own; tune a Hugging Face encoder")
    return base


def prepare(spark: SparkSession, config: FineTuneConfig, base: EncoderSpec) -> Prepared:
    """Read the sets, drop what must not be trained on, write the shards; or read what an earlier run has left.

    Raises:
        DataError: a set cannot be read, or a label of a head has no training row.
    """
    done = config.work_folder / "prepared.json"
    if done.exists():
        written = json.loads(done.read_text(encoding="utf-8"))
        logger.info(f"prepare   shards of an earlier run in {config.work_folder}")
        return Prepared(config.work_folder, {k: tuple(v) for k, v in written["labels"].items()}, written["counts"])
    stages = Stages(spark.sparkContext)
    labels = head_labels(spark, config)
    rows = prepared(spark, config, labels).persist()
    with stages.stage("clean") as stage:
        data = Prepared(config.work_folder, labels, counts(rows))
        stage.rows = sum(line["n"] for line in data.counts)
    _check_labels(data)
    for part in (TRAIN, VALIDATION):
        for name in config.heads:
            of_head = data.total("fate", head=name, part=part)
            logger.info(f"{part:<9} {name}: " + (", ".join(f"{n:,} {fate}" for fate, n in of_head.items()) or "none"))
        with stages.stage("shards") as stage:
            _write(rows.where(f"part = '{part}' AND fate = '{KEPT}'"), config, base, data, part)
            stage.rows = sum(data.total("part", part=part, fate=KEPT).values())
    rows.unpersist()
    done.write_text(json.dumps({"labels": labels, "counts": data.counts}, ensure_ascii=False) + "\n", encoding="utf-8")
    return data


def task_spec(config: FineTuneConfig, data: Prepared, base: EncoderSpec) -> FineTuneTaskSpec:
    """Return what is trained."""
    heads = tuple(
        HeadTask(name, data.labels[name], head.weight, head.label_smoothing, _class_weights(config, data, name))
        for name, head in config.heads.items()
    )
    return FineTuneTaskSpec(
        base=base,
        heads=heads,
        sources=tuple(_sources(config, data)),
        seed=config.loop.seed,
        lora=config.lora.spec() if config.method == "lora" else None,
        frozen=config.frozen,
        keep_space=config.keep_space,
        keep_share=config.keep_share,
        head_lr_factor=config.head_lr_factor,
        head_dropout=config.head_dropout,
    )


def fit(config: FineTuneConfig, data: Prepared, base: EncoderSpec) -> Outcome:
    """Train, from the last checkpoint where there is one."""
    processes = config.processes
    job = TrainingJob(
        task_spec(config, data, base), config.loop_spec(), data.shards(TRAIN), data.shards(VALIDATION),
        str(data.run_folder), processes.device,
    )  # fmt: skip
    return launch(job, processes.count, is_local=processes.on == "driver", uses_gpu=processes.device == "cuda")


def _write(rows: DataFrame, config: FineTuneConfig, base: EncoderSpec, data: Prepared, part: str) -> None:
    """Write shards whose column `head` names the row's set, from which the head follows."""
    if part == TRAIN and config.replace_handles:
        text = with_handles(F.col(TEXT), F.col(CONTENT_KEY), config.replace_handles, config.loop.seed)
        rows = rows.withColumn(TEXT, text)
    own = data.total(SET_NAME, part=part)
    labels = {one: data.labels[next(iter(data.total("head", set_name=one)))] for one in own}
    named = rows.withColumns({"head": F.col(SET_NAME), "target": F.lit(None).cast("string")})
    tokenizer = str(locate(base.source) / "tokenizer.json")
    write_shards(named, "classification", tokenizer, config.max_tokens, labels, data.shards(part))


def _check_labels(data: Prepared) -> None:
    for name, labels in data.labels.items():
        found = data.total("label", head=name, part=TRAIN, fate=KEPT)
        missing = [label for label in labels if label not in found]
        if missing:
            raise DataError(
                f"heads.{name}: no training row has the label {missing[0]} (after duplicates and texts of validation and "
                "evaluation sets are left out); remove it from `labels`, or see `rename`"
            )


def _sources(config: FineTuneConfig, data: Prepared) -> list[LabelledSource]:
    found = []
    for name, head in config.heads.items():
        for one in (*head.train, *head.validation):
            of_set = data.total("label", head=name, set_name=one.name)
            known = tuple(i for i, label in enumerate(data.labels[name]) if label in of_set)
            found.append(LabelledSource(one.name, name, known if config.task_of(name) == "sentiment" else ()))
    return found


def _class_weights(config: FineTuneConfig, data: Prepared, name: str) -> tuple[float, ...]:
    """Return weights by which every label weighs the same in sum, and a row 1 in the mean; () where rows weigh the same."""
    if config.heads[name].class_weight == "none":
        return ()
    found = data.total("label", head=name, part=TRAIN, fate=KEPT)
    labels = data.labels[name]
    return tuple(sum(found.values()) / (len(labels) * found[label]) for label in labels)
