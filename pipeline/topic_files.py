"""The files of topic models: a folder per embedding space, in it one folder per model, named after the first night in force.

A model is written once and never changed.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.topic_lineage import TopicEvent
from udfs.spec import TopicSpec

if TYPE_CHECKING:
    from pipeline.topics import TopicModel

_FACTS, _CENTROIDS = "topics.json", "centroids.safetensors"


def versions(folder: Path) -> dict[date, Path]:
    """Return the models of a space by the first night in force, oldest first."""
    found = (path.parent for path in folder.glob(f"*/{_FACTS}") if not path.parent.name.startswith("."))
    return {date.fromisoformat(path.name): path for path in sorted(found)}


def read_model(path: Path) -> "TopicModel":
    """Return a kept model."""
    from safetensors.numpy import load

    from pipeline.topics import Topic, TopicModel

    facts = json.loads((path / _FACTS).read_text(encoding="utf-8"))
    weights = path / _CENTROIDS
    data = weights.read_bytes()
    tensors = load(data)
    rows = [*tensors["centroids"].tolist(), *tensors["dormant"].tolist()]
    return TopicModel(
        spec=TopicSpec(str(weights), hashlib.sha256(data).hexdigest(), facts["key"]),
        valid_from=date.fromisoformat(facts["valid_from"]),
        through=date.fromisoformat(facts["through"]),
        n_sample=facts["n_sample"],
        topics=tuple(Topic(**_topic(t), centroid=tuple(row)) for t, row in zip(facts["topics"], rows, strict=True)),
        events=tuple(
            TopicEvent(**{**e, "from_topic_ids": tuple(e["from_topic_ids"]), "to_topic_ids": tuple(e["to_topic_ids"])})
            for e in facts["events"]
        ),
        next_id=facts["next_id"],
        boundary=facts["boundary"],
        agreement=tuple((int(k), share) for k, share in facts["agreement"]),
    )


def find_model(folder: Path, key: str) -> "TopicModel | None":
    """Return the kept model of a key, whatever its embedding space; None where there is none."""
    for path in sorted(folder.glob(f"*/*/{_FACTS}")):
        if json.loads(path.read_text(encoding="utf-8"))["key"] == key:
            return read_model(path.parent)
    return None


def write_model(folder: Path, model: "TopicModel") -> Path:
    """Write a model beside its place and move it there in one step; return its folder. One that is there already stays."""
    from safetensors.numpy import save

    dimension = len(model.topics[0].centroid)
    active = [t.centroid for t in model.active]
    dormant = [t.centroid for t in model.topics if t.dormant_since is not None]
    data = save(
        {
            "centroids": np.array(active, dtype=np.float32).reshape(-1, dimension),
            "ids": np.array([t.topic_id for t in model.active], dtype=np.int64),
            "dormant": np.array(dormant, dtype=np.float32).reshape(-1, dimension),
        }
    )
    facts: dict[str, Any] = {k: v for k, v in asdict(model).items() if k != "spec"}
    for topic in facts["topics"]:
        del topic["centroid"]
    text = json.dumps(facts, sort_keys=True, default=date.isoformat, ensure_ascii=False)
    key = hashlib.sha256(data + text.encode()).hexdigest()[:16]
    place, temporary = folder / model.valid_from.isoformat(), folder / f".{model.valid_from}.{os.getpid()}"
    temporary.mkdir(parents=True)
    (temporary / _CENTROIDS).write_bytes(data)
    whole = {"key": key, **json.loads(text)}
    (temporary / _FACTS).write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    try:
        os.replace(temporary, place)
    except OSError:
        if not (place / _FACTS).exists():
            raise
        shutil.rmtree(temporary)
    return place


def _topic(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        **facts,
        "keyphrases": tuple((phrase, weight) for phrase, weight in facts["keyphrases"]),
        "first_seen": date.fromisoformat(facts["first_seen"]),
        "dormant_since": date.fromisoformat(facts["dormant_since"]) if facts["dormant_since"] else None,
    }
