"""What became of the topics at a refit: the same topics keep their ids, and every change is an event with its overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.topic_clusters import Places, Rows

Event = Literal["born", "continued", "merged", "split", "dormant", "revived"]
_MAJORITY = 0.5


@dataclass(frozen=True)
class TopicEvent:
    """One row of `topic_lineage`.

    Attributes:
        from_topic_ids: topics of the model before; empty for a birth.
        to_topic_ids: topics of the new model; empty where the topic went dormant.
        overlap: continued and revived: Jaccard index of the two topics' texts in the refit's sample. merged: share of
            the texts of the topic that ended which were usual for it and which the other took over. split: share of the new
            topic's texts that were the old one's and within its usual distance. born: the largest Jaccard index with any topic
            before. dormant: share of the sample's texts that were the topic's. Null without a topic before.
        similarity: cosine of the two centroids (born: the largest with any topic before); null without a topic before, or after.
    """

    event: Event
    from_topic_ids: tuple[int, ...]
    to_topic_ids: tuple[int, ...]
    overlap: float | None
    similarity: float | None


@dataclass(frozen=True)
class Known:
    """Topics of the model before: ids, (m, d) unit centroids, usual distances, and whether each is active (else dormant)."""

    ids: tuple[int, ...]
    centroids: Rows
    usual: NDArray[np.float64]
    active: NDArray[np.bool_]


@dataclass(frozen=True)
class Lineage:
    """`ids` of the new clusters in their order, the events, and the next id that was never used."""

    ids: tuple[int, ...]
    events: tuple[TopicEvent, ...]
    next_id: int


def births(ids: Sequence[int]) -> tuple[TopicEvent, ...]:
    """Return the events of a first fit."""
    return tuple(TopicEvent("born", (), (i,), None, None) for i in ids)


def lineage(
    unit_rows: Rows, known: Known, centroids: Rows, assigned: Places, next_id: int, least_overlap: float
) -> Lineage:
    """Name the new clusters (k, d) after the topics before, by a common sample of (n, d) unit rows.

    Active topics and new clusters are paired one to one so that Jaccard index plus cosine is largest in sum (the assignment
    problem; Kuhn, 1955); a pair counts from `least_overlap` on, and where the cluster's centroid is within the topic's usual
    distance: texts of a new theme are nearest to some topic too. New clusters left over are paired with dormant topics
    in the same way. What is left after that gets new ids: it is a split where most of its texts were one topic's and within its
    usual distance, else a birth.

    Args:
        assigned: (n,) the rows' new clusters.
        least_overlap: least Jaccard index of a pair.
    """
    k, active = len(centroids), np.flatnonzero(known.active)
    overlap, _, before = _overlaps(unit_rows, known.centroids[active], assigned, k)
    usual = _usual(unit_rows, known.centroids[active], known.usual[active], assigned, k)
    cosine = (known.centroids @ centroids.T).astype(np.float64)
    named: dict[int, int] = {}
    events: list[TopicEvent] = []
    for row, new in _pairs(_meant(overlap, cosine[active], known.usual[active]), cosine[active], least_overlap):
        named[new] = known.ids[active[row]]
        events.append(_one("continued", named[new], named[new], overlap[row, new], cosine[active[row], new]))
    _revive(unit_rows, known, assigned, cosine, named, events, least_overlap)
    sizes = np.bincount(assigned, minlength=k)
    splits: dict[int, list[int]] = {}
    for new in (j for j in range(k) if j not in named):
        named[new], next_id = next_id, next_id + 1
        source = int(usual[:, new].argmax()) if len(active) else -1
        if len(active) and usual[source, new] > _MAJORITY * sizes[new]:
            splits.setdefault(source, []).append(new)
            continue
        best = (float(overlap[:, new].max()), float(cosine[active, new].max())) if len(active) else (None, None)
        events.append(_event("born", (), (named[new],), *best))
    living = {topic: new for new, topic in named.items()}
    for source, parts in splits.items():
        topic = known.ids[active[source]]
        stays = [topic] if topic in living else []
        part = max(parts, key=lambda j: (usual[source, j], -j))
        events.append(_event("split", (topic,), (*stays, *(named[j] for j in parts)),
                             usual[source, part] / sizes[part], cosine[active[source], part]))  # fmt: skip
    events += _gone(known, active, living, usual, before, cosine, {known.ids[active[s]] for s in splits})
    return Lineage(tuple(named[j] for j in range(k)), tuple(sorted(events, key=_order)), next_id)


def _gone(
    known: Known,
    active: NDArray[np.int64],
    living: dict[int, int],
    usual: NDArray[np.int64],
    before: NDArray[np.int64],
    cosine: NDArray[np.float64],
    split: set[int],
) -> list[TopicEvent]:
    """Return what became of the active topics that no new cluster continues."""
    events, total = [], max(int(before.sum()), 1)
    names = {new: topic for topic, new in living.items()}
    for row, place in enumerate(active):
        topic = known.ids[place]
        if topic in living or topic in split:
            continue
        into = int(usual[row].argmax())
        moved = usual[row, into] / before[row] if before[row] else 0.0
        noticeable = before[row] >= 0.1 * total / len(active)
        if noticeable and moved > _MAJORITY:
            both = (names[into], topic) if names[into] in known.ids else (topic,)
            events.append(_event("merged", both, (names[into],), moved, cosine[place, into]))
        else:
            events.append(_event("dormant", (topic,), (), before[row] / total, None))
    return events


def _revive(
    unit_rows: Rows,
    known: Known,
    assigned: Places,
    cosine: NDArray[np.float64],
    named: dict[int, int],
    events: list[TopicEvent],
    least_overlap: float,
) -> None:
    """Pair the new clusters that are not named yet with dormant topics, by the texts nearest to each of all topics before."""
    dormant = np.flatnonzero(~known.active)
    free = np.array([j for j in range(cosine.shape[1]) if j not in named], dtype=np.int64)
    if not len(dormant) or not len(free):
        return
    overlap, _, _ = _overlaps(unit_rows, known.centroids, assigned, cosine.shape[1])
    overlap = _meant(overlap, cosine, known.usual)
    for row, column in _pairs(overlap[np.ix_(dormant, free)], cosine[np.ix_(dormant, free)], least_overlap):
        place, new = int(dormant[row]), int(free[column])
        named[new] = known.ids[place]
        events.append(_one("revived", named[new], named[new], overlap[place, new], cosine[place, new]))


def _overlaps(
    unit_rows: Rows, before: Rows, assigned: Places, k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (m, k) Jaccard indices, (m, k) shared rows, (m,) rows nearest to each centroid before."""
    shared = np.zeros((len(before), k), dtype=np.int64)
    if not len(before):
        return shared.astype(np.float64), shared, shared.sum(axis=1)
    np.add.at(shared, ((unit_rows @ before.T).argmax(axis=1), assigned), 1)
    old, new = shared.sum(axis=1), shared.sum(axis=0)
    union = old[:, None] + new[None] - shared
    return shared / np.maximum(union, 1), shared, old


def _meant(
    overlap: NDArray[np.float64], cosine: NDArray[np.float64], usual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the overlaps, 0 where the new cluster's centroid is beyond the usual distance of the topic before."""
    return np.where(1.0 - cosine <= usual[:, None], overlap, 0.0)


def _usual(unit_rows: Rows, before: Rows, usual: NDArray[np.float64], assigned: Places, k: int) -> NDArray[np.int64]:
    """Return (m, k) rows shared by a topic before and a new cluster that were within the topic's usual distance."""
    shared = np.zeros((len(before), k), dtype=np.int64)
    if len(before):
        cosine = unit_rows @ before.T
        nearest = cosine.argmax(axis=1)
        near = 1.0 - cosine.max(axis=1) <= usual[nearest]
        np.add.at(shared, (nearest[near], assigned[near]), 1)
    return shared


def _pairs(overlap: NDArray[np.float64], cosine: NDArray[np.float64], least_overlap: float) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    worth = np.where(overlap >= least_overlap, overlap + cosine, -1.0)
    rows, columns = linear_sum_assignment(-worth)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if overlap[i, j] >= least_overlap]


def _one(event: Event, source: int, target: int, overlap: float, similarity: float) -> TopicEvent:
    return _event(event, (source,), (target,), overlap, similarity)


def _event(
    event: Event, sources: tuple[int, ...], targets: tuple[int, ...], overlap: float | None, similarity: float | None
) -> TopicEvent:
    rounded = (None if value is None else round(float(value), 6) for value in (overlap, similarity))
    return TopicEvent(event, sources, targets, *rounded)


def _order(event: TopicEvent) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    return event.event, event.from_topic_ids, event.to_topic_ids
