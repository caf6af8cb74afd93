"""What a run remembers of the model its sentiment comes from, so that a later run can load the same model again.

`_runs/<run id>/model.json` holds the whole `ScoreSpec`: names, sources, digests of the files and all that decides a result. It is
written before the run is published and never changed; some kilobytes, whatever the corpus.
"""

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline import run_schemas
from pipeline.errors import PublishError
from pipeline.manifest import Manifest, published_runs, read_manifest, write_whole
from pipeline.table import Table
from udfs.models.files import ModelFileError, locate, verify
from udfs.models.spec import FLOAT32
from udfs.spec import ScoreSpec

FORMAT = 1


class RecordError(Exception):
    """A record that this version cannot turn into a model."""


@dataclass(frozen=True)
class PublishedModel:
    """The model that decided the sentiment of a published night.

    Attributes:
        spec: None where the model is not recorded or the record cannot be read; `problem` then says why.
    """

    run_date: date
    key: str
    spec: ScoreSpec | None
    problem: str | None = None


def record_path(root: Path, run_id: str) -> Path:
    """Return where a run's record lies."""
    return root / "_runs" / run_id / "model.json"


def write_record(root: Path, run_id: str, spec: ScoreSpec) -> Path:
    """Write a run's record. The topic model is left out: it is assigned from the vectors and has a key of its own."""
    body = {"format": FORMAT, "model_key": spec.model_key(), "spec": asdict(replace(spec, topics=None))}
    path = record_path(root, run_id)
    write_whole(path, json.dumps(body, indent=1) + "\n")
    return path


def published_model(root: Path, before: date) -> PublishedModel | None:
    """Return the model of the last published night before a date; None where there is no such night.

    Raises:
        PublishError: the publish log, a manifest or a published file is unreadable.
    """
    earlier = {day: run_id for day, run_id in published_runs(root).items() if day < before}
    if not earlier:
        return None
    day, run_id = max(earlier.items())
    path = record_path(root, run_id)
    if not path.is_file():
        key = _key_in_tables(root, read_manifest(root, run_id), day)
        return PublishedModel(day, key, None, "it was published by a version of Nightjar that did not record its model")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        key = str(body["model_key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PublishError(f"{path}: cannot be read: {error}") from None
    try:
        if body.get("format") != FORMAT:
            raise RecordError(f"its record is not of format {FORMAT}")
        spec: ScoreSpec = built(ScoreSpec, body["spec"])
    except (RecordError, KeyError) as error:
        return PublishedModel(day, key, None, f"{path}: {error}")
    if spec.model_key() != key:
        return PublishedModel(day, key, None, "another version of Nightjar scored it; this one computes other scores")
    return PublishedModel(day, key, spec)


def missing_part(spec: ScoreSpec) -> str | None:
    """Say what of a recorded model is not to be had on this machine any more, in one line; None where all is there."""
    for part in _with_files(spec):
        try:
            verify(locate(part.source), part.files, part.source)
        except ModelFileError as error:
            return str(error)
    lingua = version("lingua-language-detector")
    if lingua != spec.language.version:
        return f"it identified languages with lingua {spec.language.version}; installed is {lingua}"
    if spec.mode == "fast" and spec.runtime.name != "torch" and find_spec(spec.runtime.name) is None:
        return f"it was computed by {spec.runtime.name}, which is not installed"
    return None


def loadable(recorded: ScoreSpec, like: ScoreSpec) -> ScoreSpec:
    """Return a recorded spec with the device and sizes of this run, which change no result.

    In exact mode every runtime computes the same; torch in float32 is always there.
    """
    runtime = FLOAT32 if recorded.mode == "exact" else recorded.runtime
    return replace(recorded, topics=None, device=like.device, runtime=runtime, window_bytes=like.window_bytes)


def built(kind: Any, value: Any) -> Any:
    """Build a value of a type (dataclass, tuple, optional or plain) from what `json` made of `dataclasses.asdict`.

    A field that is missing has its default: an older version wrote the record.

    Raises:
        RecordError: a field that this version does not know, or a value of another type.
    """
    if is_dataclass(kind) and isinstance(kind, type):
        return _built_dataclass(kind, value)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(built(args[0], item) for item in value)
    if origin in (typing.Union, types.UnionType):
        wanted = [a for a in args if a is not type(None)]
        return None if value is None else built(wanted[0], value)
    if origin is typing.Literal and value in args:
        return value
    if kind is float and isinstance(value, int | float):
        return float(value)
    if isinstance(kind, type) and isinstance(value, kind):
        return value
    raise RecordError(f"holds a value of type {type(value).__name__} where {kind} is expected")


def _built_dataclass(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise RecordError(f"{kind.__name__} is not an object")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(value) - set(hints))
    if unknown:
        raise RecordError(f"{kind.__name__} has the unknown field {unknown[0]}; a newer version of Nightjar wrote it")
    try:
        return kind(**{name: built(hints[name], item) for name, item in value.items()})
    except TypeError as error:
        raise RecordError(f"{kind.__name__} is incomplete: {error}") from None


def _with_files(value: Any) -> Iterator[Any]:
    """Yield every part of a spec that names a source and its files, however deep."""
    if isinstance(value, tuple):
        for item in value:
            yield from _with_files(item)
    elif is_dataclass(value):
        names = {f.name for f in fields(value)}
        if {"source", "files"} <= names:
            yield value
        for name in names:
            yield from _with_files(getattr(value, name))


def _key_in_tables(root: Path, manifest: Manifest, day: date) -> str:
    """Return the key of the model that decided a night's sentiment, as its published tables say."""
    full = _values(root, manifest, day, run_schemas.CASCADE_REPORT, "full_model_key")
    own = _values(root, manifest, day, run_schemas.RUNS, "model_key")
    if not own:
        raise PublishError(f"{manifest.run_id}: its table runs has no row for {day}; publish that night again")
    return (full or own)[0]


def _values(root: Path, manifest: Manifest, day: date, table: Table, column: str) -> list[str]:
    """Return a column of one night of a table with few rows."""
    found: list[str] = []
    for night in manifest.nights:
        if (night.table, night.run_date) == (table.name, day):
            for path in night.files:
                try:
                    with pq.ParquetFile(root / path) as file:
                        found += file.read(columns=[column]).column(column).to_pylist()
                except (OSError, ValueError, KeyError) as error:
                    raise PublishError(f"{root / path}: cannot be read: {error}") from None
    return found
