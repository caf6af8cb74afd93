"""The lock file: which models there are, and the sha256 of each of their files."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.schemas import SENTIMENTS
from udfs.models.files import ModelFileError, combined_digest, inspect, locate
from udfs.models.language_model_config import read_config, read_encoder_config
from udfs.models.spec import NIGHTJAR, STATIC, TUNED
from udfs.spec import EncoderSpec, FileDigest, HeadSpec

Entry = Mapping[str, Any]
READS_EMBEDDING = "embedding"
"""`encoder.reads` of a head that reads an encoder's embedding although the encoder has features for heads."""


def load_lock(path: str | None) -> dict[str, Entry]:
    """Return the entries of the project's lock file, those of the user's own file before them."""
    text = (package_files("pipeline") / "models.lock.json").read_text(encoding="utf-8")
    entries: dict[str, Entry] = json.loads(text)
    if path is None:
        return entries
    try:
        own = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"model.lock: {path}: cannot be read as JSON: {error}") from None
    if not isinstance(own, dict) or not all(isinstance(e, dict) and "task" in e for e in own.values()):
        raise ModelError(f"model.lock: {path}: is not a lock file; make it with jobs/lock_model.py")
    return {**entries, **own}


def lock_entry(name: str, source: str, revision: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Describe a model, encoder or head, for a lock file.

    Raises:
        ModelError: the model is unsafe or incomplete.
    """
    try:
        folder = locate(source)
        if not isinstance(folder, Path):
            raise ModelFileError(f"{source}: lies inside an archive; install the package as files")
        if (folder / "head.json").is_file():
            return head_entry(name, source, folder)
        return encoder_entry(name, source, folder, revision, languages)
    except ModelFileError as error:
        raise ModelError(str(error)) from None


def encoder_entry(name: str, source: str, folder: Path, revision: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Describe an encoder's folder as an entry of a lock file.

    Raises:
        ModelFileError: the folder is unsafe or incomplete.
    """
    files = inspect(folder)
    facts = _read_json(folder, "config.json")
    if not facts:
        raise ModelFileError(f"{folder}/config.json: missing; the folder is not a Hugging Face model")
    if facts.get("model_type") == TUNED:
        return _tuned_entry(name, source, folder, revision, languages)
    is_shared = facts.get("model_type") == STATIC and "tokenizer" in facts
    if not is_shared and not (folder / "tokenizer.json").is_file():
        raise ModelFileError(f"{folder}/tokenizer.json: missing; save the model with a fast tokenizer")
    return {
        "task": "embedding",
        "name": name,
        "source": source,
        "revision": revision,
        "dim": _hidden_size(folder),
        "max_tokens": _max_tokens(folder, facts),
        "pooling": _pooling(folder),
        "languages": list(languages),
        "files": [asdict(f) for f in files],
        **_extras(folder, facts),
    }


def _extras(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only encoders of our own say: features of heads, and the embedding space they were trained into."""
    if config.get("model_type") == NIGHTJAR:
        own = read_encoder_config(folder)
        n_features = own.n_features if own.ngram_buckets is not None else 0
        return {"n_features": n_features, "space": own.space}
    space = config.get("space")
    return {"space": space} if config.get("model_type") == STATIC and space else {}


def _tuned_entry(name: str, source: str, folder: Path, revision: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Describe a tuned encoder: its own files and keys, all else as its base has it."""
    from udfs.models.tuned import base_folder

    facts = _read_json(folder, "config.json")
    base = base_folder(folder, facts)
    entry = encoder_entry(name, str(base), base, revision, languages)
    own = {"source": source, "files": [asdict(f) for f in inspect(folder)]}
    return entry | own | {"n_features": int(facts.get("n_features", 0)), "space": str(facts.get("space", ""))}


def head_entry(name: str, source: str, folder: Path) -> dict[str, Any]:
    """Describe a head's folder as an entry of a lock file.

    Raises:
        ModelFileError: the folder is unsafe or incomplete.
    """
    files = inspect(folder)
    facts = _read_json(folder, "head.json")
    if not facts:
        raise ModelFileError(f"{folder}/head.json: missing; make heads with jobs/train_head.py")
    missing = [key for key in ("task", "revision", "labels", "languages", "encoder", "temperature") if key not in facts]
    if missing:
        raise ModelFileError(f"{folder}/head.json: says no {missing[0]}; make heads with jobs/train_head.py")
    return {
        "task": facts["task"],
        "name": name,
        "source": source,
        "revision": facts["revision"],
        "labels": facts["labels"],
        "languages": facts["languages"],
        "encoder": facts["encoder"],
        "files": [asdict(f) for f in files],
    }


def encoder_identity(encoder: EncoderSpec) -> str:
    """Return what a head remembers of the encoder it was trained on: one sha256 (hex) over its files."""
    return combined_digest(encoder.files)


def encoder_spec(entry: Entry) -> EncoderSpec:
    """Turn an entry of a lock file into a spec.

    Raises:
        ModelError: a field is missing.
    """
    with _complete(entry):
        return EncoderSpec(
            name=entry["name"],
            source=entry["source"],
            files=_digests(entry),
            revision=entry["revision"],
            dim=entry["dim"],
            max_tokens=entry["max_tokens"],
            pooling=entry["pooling"],
            languages=tuple(entry["languages"]),
            n_features=entry.get("n_features", 0),
            space=entry.get("space", ""),
        )


def head_spec(entry: Entry, task: str = "sentiment") -> HeadSpec:
    """Turn an entry of a lock file into the spec of a head for `task`.

    Raises:
        ModelError: a field is missing, the head is for another task, or a label is no text; one for sentiment has its labels.
    """
    with _complete(entry):
        spec = HeadSpec(
            name=entry["name"],
            source=entry["source"],
            files=_digests(entry),
            revision=entry["revision"],
            labels=tuple(entry["labels"]),
            languages=tuple(entry["languages"]),
        )
    if task != "sentiment" and entry["task"] != task:
        raise ModelError(f"{spec.name}: is a head for the task {entry['task']}, not for {task}")
    if task == "sentiment" and set(spec.labels) != set(SENTIMENTS):
        raise ModelError(
            f"model.sentiment: {spec.name} has the labels {', '.join(map(_shown, spec.labels))}, not {', '.join(SENTIMENTS)}"
        )
    if broken := [label for label in spec.labels if _shown(label) != label]:
        raise ModelError(f"{spec.name}: the label {_shown(broken[0])} is not text that can be stored; rename it")
    return spec


def _shown(label: object) -> str:
    """Return a label as it can be printed and stored; half a surrogate pair, which JSON allows, is escaped."""
    return str(label).encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def _complete(entry: Entry) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError) as error:
        name = entry.get("name", "without a name")
        raise ModelError(f"lock entry {name}: is incomplete ({error}); make it again with jobs/lock_model.py") from None


def _pooling(folder: Path) -> str:
    """Return `mean` or `cls` as sentence-transformers saved it; `mean` for a folder that does not say.

    Raises:
        ModelFileError: another pooling, or a module after it that changes the vector.
    """
    modules = (
        json.loads((folder / "modules.json").read_text(encoding="utf-8")) if (folder / "modules.json").is_file() else []
    )
    kinds = [str(m["type"]).rsplit(".", 1)[-1] for m in modules]
    odd = [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]
    if odd:
        raise ModelFileError(
            f"{folder}/modules.json: has a module {odd[0]}; only Transformer, Pooling and Normalize are known"
        )
    facts = _read_json(folder, "1_Pooling/config.json")
    modes = {
        name.removeprefix("pooling_mode_")
        for name, value in facts.items()
        if name.startswith("pooling_mode_") and value is True
    }
    named = facts.get("pooling_mode")
    modes |= {str(m) for m in (named if isinstance(named, list) else [named])} if named else set()
    found = {{"cls_token": "cls", "mean_tokens": "mean"}.get(mode, mode) for mode in modes} or {"mean"}
    if len(found) > 1 or not found <= {"mean", "cls"}:
        raise ModelFileError(
            f"{folder}/1_Pooling/config.json: pools by {', '.join(sorted(found))}; mean or cls is needed"
        )
    return found.pop()


def _hidden_size(folder: Path) -> int:
    """Return the length of the model's vectors; architectures have different names for it."""
    facts = _read_json(folder, "config.json")
    if facts.get("model_type") == STATIC and isinstance(facts.get("hidden_size"), int):
        return int(facts["hidden_size"])
    if facts.get("model_type") == NIGHTJAR:
        return read_encoder_config(folder).vector_size
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (ValueError, KeyError, OSError) as error:
        raise ModelFileError(
            f"{folder}/config.json: is not a model transformers knows: {str(error).splitlines()[0]}"
        ) from None
    size = getattr(config, "hidden_size", None)
    if not isinstance(size, int):
        raise ModelFileError(f"{folder}/config.json: says no hidden_size; the model is not an encoder of text")
    return size


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    """Return the longest sequence the model takes, special tokens included."""
    if config.get("model_type") == NIGHTJAR:
        return read_config(folder).max_tokens
    limits = [_read_json(folder, "sentence_bert_config.json").get("max_seq_length")]
    positions = config.get("max_position_embeddings")
    if positions:
        # RoBERTa and its kin count positions from the padding id + 1
        roberta = "roberta" in str(config.get("model_type", ""))
        limits.append(positions - (int(config.get("pad_token_id") or 0) + 1 if roberta else 0))
    known = [int(limit) for limit in limits if limit]
    return min(known) if known else 512


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return facts


def _digests(entry: Entry) -> tuple[FileDigest, ...]:
    return tuple(FileDigest(**f) for f in entry["files"])
