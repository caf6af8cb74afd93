"""The topic model: spherical k-means on a bounded sample of texts, fitted once and then kept, and its tables."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.config import TopicsConfig
from udfs.spec import TopicSpec

_ITERATIONS = 50


@dataclass(frozen=True)
class TopicModel:
    """A fitted topic model: where its centroids lie and what is known of each topic (`topic_id` = its position)."""

    spec: TopicSpec
    first_seen: date
    n_sample: int
    labels: tuple[str, ...]
    keyphrases: tuple[tuple[tuple[str, float], ...], ...]
    centroids: tuple[tuple[float, ...], ...]


def fit_topics(
    folder: Path,
    name: str,
    first_seen: date,
    embeddings: NDArray[np.float32],
    texts: Sequence[str],
    config: TopicsConfig,
) -> TopicModel:
    """Fit on a sample and keep the model under `folder/name`, where `load_topics` finds it from then on.

    Args:
        embeddings: (n, d) unit rows.
        texts: the n texts, for the labels.

    The caller orders the sample; equal samples give equal models.
    """
    from pipeline.topic_labels import label_topics

    n_topics = config.n_topics or max(2, round(float(np.sqrt(len(texts) / 10))))
    centroids, assigned = spherical_kmeans(embeddings, min(n_topics, len(texts)), config.seed)
    keyphrases = label_topics(texts, assigned, len(centroids))
    labels = [" / ".join(phrase for phrase, _ in phrases[:3]) or f"topic {i}" for i, phrases in enumerate(keyphrases)]
    facts = {
        "first_seen": first_seen.isoformat(),
        "n_sample": len(texts),
        "labels": labels,
        "keyphrases": keyphrases,
    }
    _save(folder, name, centroids, facts)
    model = load_topics(folder, name)
    assert model is not None
    return model


def spherical_kmeans(
    unit_rows: NDArray[np.float32], k: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cluster (n, d) unit rows by cosine; return (k, d) unit centroids, largest cluster first, and (n,) assignments.

    Dhillon and Modha (2001), Concept decompositions for large sparse text data using clustering, Machine Learning 42;
    seeded by k-means++ (Arthur and Vassilvitskii, 2007). An empty cluster takes the row farthest from its centroid.
    """
    from sklearn.cluster import kmeans_plusplus

    centroids, _ = kmeans_plusplus(unit_rows, k, random_state=seed)
    assigned = np.full(len(unit_rows), -1)
    for _ in range(_ITERATIONS):
        similarity = unit_rows @ centroids.T
        nearest = similarity.argmax(axis=1)
        if np.array_equal(nearest, assigned):
            break
        assigned = nearest
        for cluster in range(k):
            members = unit_rows[assigned == cluster]
            if len(members) == 0:
                members = unit_rows[[similarity.max(axis=1).argmin()]]
            total = members.sum(axis=0, dtype=np.float64)
            centroids[cluster] = (total / np.linalg.norm(total)).astype(np.float32)
    by_size = np.argsort(-np.bincount(assigned, minlength=k), kind="stable")
    position = np.empty(k, dtype=np.int64)
    position[by_size] = np.arange(k)
    return centroids[by_size], position[assigned]


def load_topics(folder: Path, name: str) -> TopicModel | None:
    """Return the kept topic model, or None before the first fit."""
    from safetensors.numpy import load

    path = folder / name / "topics.json"
    if not path.exists():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    weights = path.with_name("centroids.safetensors")
    data = weights.read_bytes()
    spec = TopicSpec(str(weights), hashlib.sha256(data).hexdigest(), facts["key"])
    return TopicModel(
        spec=spec,
        first_seen=date.fromisoformat(facts["first_seen"]),
        n_sample=facts["n_sample"],
        labels=tuple(facts["labels"]),
        keyphrases=tuple(tuple((p, s) for p, s in phrases) for phrases in facts["keyphrases"]),
        centroids=tuple(tuple(row) for row in load(data)["centroids"].tolist()),
    )


def _save(folder: Path, name: str, centroids: NDArray[np.float32], facts: dict[str, object]) -> None:
    """Write the model beside its place and move it there in one step."""
    from safetensors.numpy import save

    data = save({"centroids": np.ascontiguousarray(centroids, dtype=np.float32)})
    digest = hashlib.sha256(data + json.dumps(facts, sort_keys=True).encode())
    temporary = folder / f".{name}.{os.getpid()}"
    temporary.mkdir(parents=True)
    (temporary / "centroids.safetensors").write_bytes(data)
    text = json.dumps({**facts, "key": digest.hexdigest()[:16]}, ensure_ascii=False, indent=1)
    (temporary / "topics.json").write_text(text, encoding="utf-8")
    os.replace(temporary, folder / name)
