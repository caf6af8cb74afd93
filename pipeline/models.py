"""Which models a run uses: names of the configuration turned into verified specs, on the driver, before anything starts."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline.config import LanguageConfig, ModelConfig, NightlyConfig
from pipeline.errors import ModelError
from pipeline.model_lock import Entry, encoder_entry, encoder_identity, encoder_spec, head_entry, head_spec, load_lock
from pipeline.topics import TopicModel
from udfs.models.files import ModelFileError, combined_digest, locate, verify_folder
from udfs.models.spec import FLOAT32
from udfs.spec import EncoderSpec, FileDigest, HeadSpec, LanguageSpec, RouteSpec, ScoreSpec, space_of

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[0-9a-f]{40})?")


def resolve_models(config: NightlyConfig) -> ScoreSpec:
    """Find, check and describe the models of a configuration.

    Raises:
        ModelError: a model is unknown, unsafe, changed, or does not fit the other; the message names the file or key.
    """
    return replace(sentiment_spec(config.model, config.language), max_chars=config.input.max_chars)


def resolve_full_model(config: NightlyConfig, base: ScoreSpec) -> ScoreSpec | None:
    """Find, check and describe the full model of the cascade; None where there is no cascade.

    Both heads have the same labels: a head with others than those of sentiment is refused when it is described.

    Raises:
        ModelError: as `resolve_models`; or the full model is the base model.
    """
    cascade = config.cascade
    if not cascade.enabled:
        return None
    names = {"embedding": cascade.embedding, "sentiment": cascade.sentiment, "others": cascade.others}
    named = config.model.model_copy(update=names)
    full = replace(sentiment_spec(named, config.language, section="cascade"), max_chars=config.input.max_chars)
    if full.model_key() == base.model_key():
        raise ModelError(
            "cascade: the full model is the base model; name a cheap one in model.embedding and model.sentiment "
            "(static-en, sentiment-en-static), or set cascade.enabled: false"
        )
    return full


def sentiment_spec(model: ModelConfig, language: LanguageConfig, section: str = "model") -> ScoreSpec:
    """Find, check and describe encoders and sentiment heads of all routes; messages name the keys of `section`.

    Raises:
        ModelError: see `resolve_models`; or a route's vectors are of another space than the first encoder's.
    """
    spec = embedding_spec(model, language, section)
    lock = load_lock(model.lock)
    try:
        head = _head(model.sentiment, lock, spec.encoder, section)
        others = tuple(_route(model, lock, spec.encoder, f"{section}.others.{i}", i) for i in range(len(model.others)))
    except ModelFileError as error:
        raise ModelError(str(error)) from None
    return replace(spec, sentiment=head, others=others)


def _route(model: ModelConfig, lock: Mapping[str, Entry], first: EncoderSpec, section: str, i: int) -> RouteSpec:
    """Return the verified route `others[i]`."""
    named = model.others[i]
    encoder = _encoder(model.model_copy(update={"embedding": named.embedding}), lock, section)
    if (space_of(encoder), encoder.dim) != (space_of(first), first.dim):
        raise ModelError(
            f"{section}.embedding: {named.embedding} gives vectors of another space than {first.name}: topics and distances "
            f"across languages would mean nothing; take an encoder trained into the space of {first.name}, or leave it out"
        )
    return RouteSpec(encoder, _head(named.sentiment, lock, encoder, section))


def embedding_spec(model: ModelConfig, language: LanguageConfig | None = None, section: str = "model") -> ScoreSpec:
    """Find, check and describe the encoder alone.

    Raises:
        ModelError: see `resolve_models`.
    """
    language = language or LanguageConfig()
    try:
        encoder = _encoder(model, load_lock(model.lock), section)
    except ModelFileError as error:
        raise ModelError(str(error)) from None
    return ScoreSpec(
        encoder=encoder,
        sentiment=None,
        language=LanguageSpec(language.candidates, _lingua_version(), language.min_confidence, language.min_covered),
        max_chunks=model.max_chunks,
        device=model.device,
        mode=model.mode,
        token_budget=model.token_budget,
    )


def head_base_spec(model: ModelConfig, task: str) -> ScoreSpec:
    """Find, check and describe an encoder whose embedding a head for `task` is to be trained on.

    Raises:
        ModelError: see `resolve_models`; or the task is `sentiment`, whose head reads the encoder's features where it has some.
    """
    spec = embedding_spec(model)
    if task == "sentiment" and spec.encoder.n_features:
        raise ModelError(
            f"model.embedding: {spec.encoder.name} gives its sentiment head features of its own, so one trained on its embedding "
            "would read other numbers at night; train on another encoder, such as all-MiniLM-L6-v2, or with jobs/finetune.py"
        )
    return spec


def _encoder(model: ModelConfig, lock: Mapping[str, Entry], section: str) -> EncoderSpec:
    """Return the verified encoder: an entry of the lock, a local folder, or a hub id."""
    name = model.embedding
    if name in lock and lock[name]["task"] == "embedding":
        spec = encoder_spec(lock[name])
        verify_folder(locate(spec.source), spec.files, spec.source)
        return spec
    languages = model.embedding_languages
    if Path(name).is_dir():
        folder = Path(name).resolve()
        return encoder_spec(encoder_entry(folder.name, str(folder), folder, "local", languages))
    if _HUB_ID.fullmatch(name) and not name.startswith(("/", ".")):
        folder, revision = _from_hub(name, section, allow_download=model.allow_download)
        return encoder_spec(encoder_entry(name, str(folder), folder, revision, languages))
    known = ", ".join(sorted(n for n, entry in lock.items() if entry["task"] == "embedding"))
    raise ModelError(f"{section}.embedding: {name!r} is no entry of the lock file ({known}), no folder and no hub id")


def _head(name: str, lock: Mapping[str, Entry], encoder: EncoderSpec, section: str) -> HeadSpec:
    if name in lock and lock[name]["task"] == "sentiment":
        entry: Entry = lock[name]
    elif Path(name).is_dir():
        folder = Path(name).resolve()
        entry = head_entry(folder.name, str(folder), folder)
    else:
        known = ", ".join(sorted(n for n, e in lock.items() if e["task"] == "sentiment"))
        raise ModelError(f"{section}.sentiment: {name!r} is no entry of the lock file ({known}) and no folder")
    if entry.get("encoder", {}).get("sha256") != encoder_identity(encoder):
        raise ModelError(
            f"{section}.sentiment: {entry.get('name')} was trained on the encoder {entry.get('encoder', {}).get('name')}, "
            f"not on {encoder.name}; "
            "train a head for it with jobs/train_head.py"
        )
    spec = head_spec(entry)
    verify_folder(locate(spec.source), spec.files, spec.source)
    return spec


def _from_hub(name: str, section: str, *, allow_download: bool) -> tuple[Path, str]:
    """Return the local snapshot of `owner/model[@revision]` and its revision; download it only where that is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    wanted = ["*.json", "*.safetensors"]
    try:
        folder = snapshot_download(
            repository, revision=revision or None, allow_patterns=wanted, local_files_only=not allow_download
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        advice = (
            "check the id and the network" if allow_download else "download it first, or set model.allow_download: true"
        )
        raise ModelError(
            f"{section}.embedding: {name}: not in the local hub cache; {advice} ({type(error).__name__})"
        ) from None
    path = Path(folder)
    return path, path.name


def model_rows(spec: ScoreSpec) -> list[dict[str, Any]]:
    """Return the rows of the `models` table of a night, without run columns and without its topic model."""
    key = spec.model_key()
    rows = [row for i, route in enumerate(spec.routes()) for row in _route_rows(key, spec, route, is_first=i == 0)]
    rows += [
        {
            **_row(
                key, "language", "lingua", spec.language.version, (), spec.language.candidates, asdict(spec.language)
            ),
            "sha256": _lingua_digest(),
            "precision": "float64",
        },
    ]
    return rows


def head_row(key: str, task: str, head: HeadSpec) -> dict[str, Any]:
    """Return the row of a head of `model.heads`; `key` is the model_key of the night."""
    row = _row(key, task, head.name, head.revision, head.files, head.languages, {"labels": head.labels})
    return row | {"precision": "float64"}


def topic_row(key: str, topics: TopicModel) -> dict[str, Any]:
    """Return the row of a night's topic model; `key` is the model_key of the night."""
    params = {
        "n_topics": len(topics.active),
        "n_sample": topics.n_sample,
        "first_seen": topics.valid_from.isoformat(),
        "agreement": dict(topics.agreement).get(len(topics.active)),
    }
    row = _row(key, "topics", "spherical k-means", topics.spec.key, (), ("*",), params)
    return row | {"sha256": topics.spec.sha256, "precision": "float64"}


def _route_rows(key: str, spec: ScoreSpec, route: RouteSpec, *, is_first: bool) -> list[dict[str, Any]]:
    """Return the rows of a route's encoder and head."""
    encoder, head, runtime = route.encoder, route.sentiment, spec.runtime if is_first else FLOAT32
    params = {
        "max_tokens": encoder.max_tokens, "pooling": encoder.pooling, "max_chars": spec.max_chars,
        "max_chunks": spec.max_chunks, "mode": spec.mode, "runtime": runtime.name,
    }  # fmt: skip
    row = _row(key, "embedding", encoder.name, encoder.revision, encoder.files, encoder.languages, params)
    rows = [row | {"precision": runtime.precision}]
    if head:
        labels = {"labels": head.labels, "encoder": encoder.name}
        row = _row(key, "sentiment", head.name, head.revision, head.files, head.languages, labels)
        rows.append(row | {"precision": "float64"})
    return rows


def _row(
    key: str,
    task: str,
    name: str,
    revision: str,
    files: tuple[FileDigest, ...],
    languages: tuple[str, ...],
    params: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "model_key": key,
        "task": task,
        "name": name,
        "revision": revision,
        "sha256": combined_digest(files),
        "languages": list(languages),
        "params": json.dumps(params, sort_keys=True),
        "precision": "float32",
    }


def _lingua_digest() -> str:
    """Return the sha256 of the package's record, which holds the sha256 of each of its files."""
    from importlib.metadata import distribution

    return hashlib.sha256((distribution("lingua-language-detector").read_text("RECORD") or "").encode()).hexdigest()


def _lingua_version() -> str:
    from importlib.metadata import version

    return version("lingua-language-detector")
