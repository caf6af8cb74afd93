"""Labels of custom heads for published documents, from the vectors the nights stored: the texts are not read again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.config import JobConfig
from pipeline.errors import ConfigError, ModelError
from pipeline.model_lock import READS_EMBEDDING, Entry, encoder_identity, encoder_spec, head_entry, head_spec, load_lock
from pipeline.read_tables import published_files
from pipeline.settings import Identifier, PathText
from udfs.labels import make_labels
from udfs.models.files import ModelFileError, locate, verify_folder
from udfs.spec import HeadSpec

SCHEMA = (
    "run_date date, doc_id string, event_date date, model_key string, task string, label string, probability double, "
    "head string, head_revision string"
)
_MAX_KEYS = 10_000


class LabelDocumentsConfig(JobConfig):
    """The configuration of jobs/label_documents.py.

    `root` is the output.root of nightly runs; `heads` gives each task a folder made by jobs/train_head.py or jobs/zero_shot.py,
    or an entry of the lock file. `output` is a new folder of Parquet, partitioned by run_date.
    """

    root: PathText
    heads: Annotated[dict[Identifier, str], Field(min_length=1)]
    lock: str | None = None
    output: PathText


def resolve_heads(
    heads: Mapping[str, str], lock_path: str | None = None, section: str = "heads"
) -> tuple[list[tuple[str, HeadSpec]], str]:
    """Find and verify heads, given by task; return them with their tasks, and the sha256 of the encoder all were trained on.

    Raises:
        ModelError: a head is unknown, changed, for another task, reads no embedding, or the heads are of different encoders.
    """
    lock = load_lock(lock_path)
    entries = {task: _entry(task, name, lock, section) for task, name in heads.items()}
    encoders = {task: str(entry["encoder"]["sha256"]) for task, entry in entries.items()}
    if len(set(encoders.values())) > 1:
        names = ", ".join(f"{task}: {entries[task]['encoder']['name']}" for task in encoders)
        raise ModelError(
            f"{section}: were trained on different encoders ({names}); label with the heads of one at a time"
        )
    _require_embeddings(entries, lock, section)
    return [(task, head_spec(entry, task)) for task, entry in entries.items()], next(iter(encoders.values()))


def resolve_head(task: str, name: str, lock_path: str | None = None) -> tuple[HeadSpec, str]:
    """Find and verify one head that reads an embedding; return it, and the sha256 of the encoder it was trained on.

    Raises:
        ModelError: as `resolve_heads`.
    """
    lock = load_lock(lock_path)
    entry = _entry(task, name, lock, "heads")
    _require_embeddings({task: entry}, lock, "heads")
    return head_spec(entry, task), str(entry["encoder"]["sha256"])


def _require_embeddings(entries: dict[str, Entry], lock: dict[str, Entry], section: str) -> None:
    """Fail for a head that reads an encoder's features, which are not stored: on embeddings it would say anything."""
    encoders = [
        encoder_spec(entry) for entry in lock.values() if entry["task"] == "embedding" and entry.get("n_features")
    ]
    with_features = {encoder_identity(encoder) for encoder in encoders}
    for task, entry in entries.items():
        encoder = entry["encoder"]
        is_of_features = encoder.get("n_features") or encoder["sha256"] in with_features
        if is_of_features and encoder.get("reads") != READS_EMBEDDING:
            raise ModelError(
                f"{section}.{task}: {entry['name']} reads features of {entry['encoder']['name']} that are not stored, not its "
                "embedding; label with a head made by jobs/train_head.py or jobs/zero_shot.py"
            )


def read_published(spark: SparkSession, root: Path, table: str) -> DataFrame:
    """Return a table as published now, with its partition columns.

    Raises:
        ConfigError: nothing was published there.
    """
    files = [str(path) for path in published_files(root, table)]
    if not files:
        raise ConfigError(
            f"root: {root}: no published night has rows of {table}; run jobs/nightly.py with this output.root"
        )
    return spark.read.option("basePath", str(root / "_data" / table)).option("mergeSchema", True).parquet(*files)


def label_documents(spark: SparkSession, config: LabelDocumentsConfig) -> DataFrame:
    """Return the labels of every published document with a vector, one row per document and head; see `udfs.labels.LABELLED`.

    Raises:
        ConfigError: nothing was published. ModelError: see `resolve_heads`; or no night used the heads' encoder.
    """
    heads, encoder_sha256 = resolve_heads(config.heads, config.lock)
    root = Path(config.root).absolute()
    models = read_published(spark, root, "models")
    ours = models.where((F.col("task") == "embedding") & (F.col("sha256") == encoder_sha256))
    keys = [
        r["model_key"]
        for r in ours.select("model_key").distinct().limit(_MAX_KEYS).collect()  # bounded: _MAX_KEYS
    ]  # bounded: _MAX_KEYS
    if not keys:
        raise ModelError(f"heads: no night under {root} was scored with the encoder the heads were trained on")
    return with_labels(
        read_published(spark, root, "doc_embeddings").where(F.col("model_key").isin(keys)),
        read_published(spark, root, "doc_scores"),
        heads,
    )


def with_labels(embeddings: DataFrame, scores: DataFrame, heads: Sequence[tuple[str, HeadSpec]]) -> DataFrame:
    """Apply heads to doc_embeddings; doc_scores gives each document its language and date."""
    documents = scores.select("run_date", "doc_id", "event_date", "lang")
    vectors = embeddings.select("run_date", "doc_id", "model_key", "embedding")
    # a document is one row of each table on a run date
    joined = vectors.join(documents, on=["run_date", "doc_id"], how="inner")
    return joined.mapInArrow(make_labels(heads), SCHEMA)


def _entry(task: str, name: str, lock: dict[str, Entry], section: str) -> Entry:
    try:
        if name in lock and lock[name]["task"] == task:
            entry: Entry = lock[name]
        elif Path(name).is_dir():
            folder = Path(name).resolve()
            entry = head_entry(folder.name, str(folder), folder)
        else:
            raise ModelError(f"{section}.{task}: {name!r} is no entry of the lock file for this task and no folder")
        spec = head_spec(entry, task)
        verify_folder(locate(spec.source), spec.files, spec.source)
    except ModelFileError as error:
        raise ModelError(str(error)) from None
    return entry
