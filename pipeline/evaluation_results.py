"""Stored results of evaluations: JSON of figures, never of texts. Runs over the same rows add up in one file."""

import json
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

logger = logging.getLogger(__name__)
FORMAT = 1
Row = dict[str, Any]
_LISTS = ("sets", "models", "cells", "similarity", "retrieval", "perplexity")
"""Lists of results in a file. All but `sets` say in `model` (in `models`: `name`) whose they are."""


def machine() -> Row:
    """Return what figures of speed and the last digits hang on."""
    packages = ("torch", "scikit-learn", "pyspark")
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads_of_speed": int(os.environ.get("OMP_NUM_THREADS") or 1),
        **{name: version(name) for name in packages},
    }


def merged(old: Mapping[str, Any] | None, new: Mapping[str, Any], models: Sequence[str]) -> Row:
    """Put new results in the place of old ones of the same models.

    Results of other models stay where `models` still names them and the evaluated rows are the same; the rest is dropped, and
    said. Models are in the order of `models`.
    """
    evaluated = {m["name"] for m in new["models"]}
    kept: list[str] = []
    if old is not None:
        kept = [m["name"] for m in old["models"] if m["name"] in models and m["name"] not in evaluated]
        if kept and old["sets"] != new["sets"]:
            logger.warning(
                f"results   of {', '.join(kept)} dropped: they are of other rows; evaluate these models again"
            )
            kept = []
    known = old or {}
    found: Row = {key: new[key] for key in new if key not in _LISTS}
    if kept and "train" in known:
        found.setdefault("train", known["train"])
    found["sets"] = new["sets"]
    for key in _LISTS[1:]:
        owner = "name" if key == "models" else "model"
        digests = {(r["set"], r["lang"]): r["digest"] for r in new.get(key, ()) if "digest" in r}
        same = [
            r
            for r in known.get(key, ())
            if r.get("digest") == digests.get((r.get("set"), r.get("lang")), r.get("digest"))
        ]
        rows = [*new.get(key, ()), *(r for r in same if r[owner] in kept)]
        found[key] = sorted(rows, key=lambda r: models.index(r[owner]))
    return found


def read_results(path: Path) -> Row:
    """Read a stored file.

    Raises:
        ConfigError: it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"results: {path}: cannot be read as results ({type(error).__name__}); remove it") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ConfigError(f"results: {path}: holds no results of format {FORMAT}; remove it, or give a new file")
    return found


def write_results(results: Mapping[str, Any], path: Path) -> None:
    """Write a file in one step, one line per entry of a list, so that changes are easy to read."""
    parts = []
    for key, value in results.items():
        if key in _LISTS:
            lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in value)
            parts.append(f' "{key}": [\n  {lines}\n ]' if value else f' "{key}": []')
        else:
            parts.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    temporary.replace(path)
