"""The topic models of an output root: the first fit, refits that keep the topics' ids, and which model is in force on a night."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from pipeline.config import TopicsConfig
from pipeline.topic_clusters import (
    Places,
    Rows,
    fit_clusters,
    parents,
    spherical_kmeans,
    usual_distances,
)
from pipeline.topic_lineage import Known, TopicEvent, births, lineage
from pipeline.topic_refit import moved, resolution
from udfs.spec import TopicSpec

__all__ = [
    "Sample",
    "Topic",
    "TopicModel",
    "fit_topics",
    "load_topics",
    "refit_due",
    "refit_topics",
    "spherical_kmeans",
]


@dataclass(frozen=True)
class Topic:
    """A topic as a model knows it.

    Attributes:
        topic_id: never used for another topic.
        keyphrases: (phrase, weight), best first.
        label_fit, coherence: see `pipeline.topic_labels.TopicLabel`.
        centroid: unit vector.
        usual_distance: 1 - cosine that `topics.usual_share` of its texts keep to.
        parent_topic_id: the largest topic of its group, itself perhaps.
        first_seen: first night of the model that brought it up.
        dormant_since: first night of the model that had it no more; None for an active topic. No document has a dormant topic.
    """

    topic_id: int
    label: str
    keyphrases: tuple[tuple[str, float], ...]
    centroid: tuple[float, ...]
    first_seen: date
    label_fit: float | None = None
    coherence: float | None = None
    usual_distance: float = 2.0
    parent_topic_id: int | None = None
    dormant_since: date | None = None


@dataclass(frozen=True)
class TopicModel:
    """A fitted topic model.

    Attributes:
        spec: where its centroids lie; those of active topics only.
        valid_from: first night it is in force; another model may take over on a later night.
        through: last night of the texts it was fitted on.
        n_sample: texts it was fitted on.
        topics: the active ones, then the dormant ones.
        events: what became of the topics of the model before.
        next_id: the next id that was never used.
        boundary: see `pipeline.topic_refit.resolution`.
        agreement: see `pipeline.topic_clusters.Clusters`.
    """

    spec: TopicSpec
    valid_from: date
    through: date
    n_sample: int
    topics: tuple[Topic, ...]
    events: tuple[TopicEvent, ...] = ()
    next_id: int = 0
    boundary: float = 0.0
    agreement: tuple[tuple[int, float], ...] = ()

    @property
    def active(self) -> tuple[Topic, ...]:
        """The topics that documents can have."""
        return tuple(t for t in self.topics if t.dormant_since is None)


@dataclass(frozen=True)
class Sample:
    """What a model is fitted on, in an order that follows from the texts alone: equal samples give equal models.

    Attributes:
        embeddings: (n, d) unit rows.
        texts: n texts, perhaps cut off.
        langs: n languages, ISO 639-1 or `und`.
    """

    embeddings: Rows
    texts: Sequence[str]
    langs: Sequence[str]


def load_topics(folder: Path, name: str, on: date | None = None) -> TopicModel | None:
    """Return the model in force on a night: the latest that took force by then; for earlier nights the first one.

    Args:
        name: key of the embedding space.
        on: None for the latest of all.

    Returns:
        None before the first fit.
    """
    from pipeline.topic_files import read_model, versions

    kept = versions(folder / name)
    if not kept:
        return None
    by_then = [day for day in kept if on is None or day <= on]
    return read_model(kept[by_then[-1] if by_then else min(kept)])


def refit_due(folder: Path, name: str, model: TopicModel, night: date, config: TopicsConfig) -> bool:
    """Return whether a night should bring a new model: never before the latest one's last night, the past stays as it was."""
    latest = load_topics(folder, name)
    if latest is None or latest.valid_from != model.valid_from or not config.refit_every_nights:
        return False
    return (night - model.through).days >= config.refit_every_nights


def fit_topics(
    folder: Path, name: str, first_seen: date, sample: Sample, config: TopicsConfig, through: date | None = None
) -> TopicModel:
    """Fit the first model, in force from `first_seen` on, and keep it under `folder/name` for `load_topics`."""
    fewest = config.fewest(len(sample.texts))
    found = fit_clusters(sample.embeddings, config.n_topics, config.least_agreement, config.seed, fewest)
    ids = tuple(range(len(found.centroids)))
    boundary = resolution(sample.embeddings, found.centroids, found.assigned, config.seed)
    model = TopicModel(
        spec=TopicSpec("", "", ""),
        valid_from=first_seen,
        through=through or first_seen,
        n_sample=len(sample.texts),
        topics=_topics(sample, found.centroids, found.assigned, ids, dict.fromkeys(ids, first_seen), config),
        events=births(ids),
        next_id=len(ids),
        boundary=round(boundary, 9),
        agreement=tuple(found.agreement.items()),
    )
    return _kept(folder, name, model)


def refit_topics(
    folder: Path, name: str, model: TopicModel, night: date, sample: Sample, config: TopicsConfig
) -> TopicModel:
    """Move the topics of `model` on to a newer sample; the new model is in force from `night` on, and kept.

    A night that has a model of its own keeps it.
    """
    living = np.array([t.centroid for t in model.active], dtype=np.float32)
    found = moved(sample.embeddings, living, model.boundary, config.seed, fixed=config.n_topics is not None)
    known = Known(
        ids=tuple(t.topic_id for t in model.topics),
        centroids=np.array([t.centroid for t in model.topics], dtype=np.float32),
        usual=np.array([t.usual_distance for t in model.topics]),
        active=np.array([t.dormant_since is None for t in model.topics]),
    )
    line = lineage(sample.embeddings, known, found.centroids, found.assigned, model.next_id, config.least_overlap)
    before = {t.topic_id: t for t in model.topics}
    first_seen = {i: before[i].first_seen if i in before else night for i in line.ids}
    active = _topics(sample, found.centroids, found.assigned, line.ids, first_seen, config)
    asleep = [replace(t, dormant_since=t.dormant_since or night) for t in model.topics if t.topic_id not in line.ids]
    oldest = night - timedelta(days=config.dormant_nights)
    new = replace(
        model,
        valid_from=night,
        through=night,
        n_sample=len(sample.texts),
        topics=(*active, *(t for t in asleep if t.dormant_since and t.dormant_since > oldest)),
        events=line.events,
        next_id=line.next_id,
        agreement=(),
    )
    return _kept(folder, name, new)


def _topics(
    sample: Sample,
    centroids: Rows,
    assigned: Places,
    ids: Sequence[int],
    first_seen: dict[int, date],
    config: TopicsConfig,
) -> tuple[Topic, ...]:
    from pipeline.topic_labels import label_topics

    k = len(centroids)
    distances = 1.0 - np.einsum("nd,nd->n", sample.embeddings, centroids[assigned]).astype(np.float64)
    labels = label_topics(sample.texts, sample.langs, assigned, distances, k)
    usual = usual_distances(sample.embeddings, centroids, assigned, config.usual_share)
    above = parents(centroids, np.bincount(assigned, minlength=k))
    return tuple(
        Topic(
            topic_id=ids[i],
            label=labels[i].text(ids[i]),
            keyphrases=tuple(labels[i].keyphrases),
            centroid=tuple(centroids[i].tolist()),
            first_seen=first_seen[ids[i]],
            label_fit=labels[i].label_fit,
            coherence=labels[i].coherence,
            usual_distance=float(usual[i]),
            parent_topic_id=ids[above[i]],
        )
        for i in range(k)
    )


def _kept(folder: Path, name: str, model: TopicModel) -> TopicModel:
    from pipeline.topic_files import read_model, write_model

    return read_model(write_model(folder / name, model))
