"""Labels of topics: class-based TF-IDF over phrases, diversified, and checked on members they were not made from."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pipeline.topic_phrases import is_chinese, phrases

Phrases = list[tuple[str, float]]

_TOP, _CANDIDATES = 10, 60
_MAX_PHRASES = 30_000
_READ_CHARS = 1_000
_PER_TOPIC, _IN_ALL = 300, 12_000
"""Members read: at most so many of a topic, and of all topics together (but at least twenty of each)."""
_FEW = 8
_LEAST_LIFT = 1.5
_RELEVANCE, _TOGETHER = 0.7, 0.75
_COVERED = 0.8


@dataclass(frozen=True)
class TopicLabel:
    """A topic's keyphrases with their weight, best first, and how they hold on members they were not made from.

    Attributes:
        label_fit: share of the held-out members whose own topic's keyphrases match them best of all topics'; a member without
            any keyphrase counts as a miss, one of several topics that match equally as a fraction. Null without such members.
        coherence: mean NPMI (-1 to 1) of the pairs of keyphrases over the held-out members of all topics; null where no pair
            is in them.
    """

    keyphrases: Phrases
    label_fit: float | None
    coherence: float | None

    def text(self, topic_id: int) -> str:
        """Return the label as shown: the three best keyphrases."""
        return " / ".join(phrase for phrase, _ in self.keyphrases[:3]) or f"topic {topic_id}"


def label_topics(
    texts: Sequence[str],
    langs: Sequence[str],
    assigned: NDArray[np.int64],
    distances: NDArray[np.float64],
    k: int,
) -> list[TopicLabel]:
    """Label `k` topics from stratified samples of their members.

    Members are taken evenly over their distance to the centroid, so that a label is not that of the innermost texts alone. Of
    these one half makes the label, the other checks it.
    """
    made, held = _halves(assigned, distances, texts, k)
    found = {int(i): phrases(texts[i][:_READ_CHARS], langs[i]) for i in np.concatenate([made, held])}
    names, counts = _counted([found[int(i)] for i in made], 2 if len(made) > 20 else 1)
    labels = keyphrases(names, counts, assigned[made], k)
    fits = label_fit(labels, [found[int(i)] for i in held], assigned[held])
    coherences = coherence(labels, [found[int(i)] for i in held])
    return [TopicLabel(*row) for row in zip(labels, fits, coherences, strict=True)]


def keyphrases(
    names: Sequence[str], counts: "csr_matrix[np.float64]", assigned: NDArray[np.int64], k: int
) -> list[Phrases]:
    """Return for each of `k` topics up to ten phrases with their weight, best first.

    Weight of phrase t in topic c: tf(t, c) * log(1 + A / f(t)), with tf the share of the topic's phrases, f the phrase's
    count over all topics and A the mean count of phrases per topic (Grootendorst, 2022, BERTopic, arXiv:2203.05794). A text
    counts each phrase once, so that one long text does not make a label. A phrase must be at least 1.5 times as frequent in the
    topic as in all topics together: words that all texts have name none.

    Args:
        counts: (n, v) 1 where a text has the phrase of that name.
    """
    n = len(assigned)
    if not len(names):
        return [[] for _ in range(k)]
    members = csr_matrix((np.ones(n), (assigned, np.arange(n))), shape=(k, n))
    per_topic = np.asarray((members @ counts).todense(), dtype=np.float64)
    share = per_topic / np.maximum(per_topic.sum(axis=1, keepdims=True), 1.0)
    total = per_topic.sum(axis=0)
    weight = share * np.log1p(per_topic.sum(axis=1).mean() / total)
    if k > 1:
        weight[share < _LEAST_LIFT * total / total.sum()] = 0.0
    ordered = np.asarray(names, dtype=object)
    chosen = []
    for topic in range(k):
        best = np.lexsort((ordered, -weight[topic]))[:_CANDIDATES]
        best = best[weight[topic, best] > 0]
        candidates = [(names[i], float(weight[topic, i]), float(per_topic[topic, i])) for i in best]
        columns = counts[:, best]
        chosen.append(diversified(candidates, _npmi(np.asarray((columns.T @ columns).todense()) / n), _TOP))
    return chosen


def diversified(candidates: Sequence[tuple[str, float, float]], npmi: NDArray[np.float64], top: int) -> Phrases:
    """Choose phrases by maximal marginal relevance: 0.7 weight / best weight - 0.3 likeness + 0.75 mean NPMI, to those chosen.

    Carbonell and Goldstein (1998), The use of MMR, SIGIR; the NPMI term, ours, keeps words that do not meet out of one label.
    Likeness is the largest share of the shorter phrase's words that are in the other; a plural says nothing that its singular
    does not. A phrase most of whose texts (0.8) have a longer one that holds it gives way to the longer one.

    Args:
        candidates: (phrase, weight, number of texts), best first.
        npmi: (m, m) of the candidates.
    """
    left = [
        i
        for i, (name, _, n) in enumerate(candidates)
        if not any(o >= _COVERED * n and len(other) > len(name) and _holds(other, name) for other, _, o in candidates)
    ]
    chosen: list[int] = []
    while left and len(chosen) < top:
        worth = []
        for i in left:
            name, weight, _ = candidates[i]
            alike = max((_likeness(name, candidates[j][0]) for j in chosen), default=0.0)
            together = float(npmi[i, chosen].mean()) if chosen else 0.0
            worth.append(_RELEVANCE * weight / candidates[0][1] - (1 - _RELEVANCE) * alike + _TOGETHER * together)
        chosen.append(left.pop(int(np.argmax(worth))))
    return [(candidates[i][0], round(candidates[i][1], 6)) for i in chosen]


def label_fit(
    labels: Sequence[Phrases], members: Sequence[set[str]], assigned: NDArray[np.int64]
) -> list[float | None]:
    """Return per topic the share of held-out members that its keyphrases match best; see `TopicLabel.label_fit`.

    A topic matches a text by the sum of the weights of its keyphrases in the text, all its weights adding up to 1.
    """
    index: dict[str, list[tuple[int, float]]] = {}
    for topic, chosen in enumerate(labels):
        total = sum(weight for _, weight in chosen)
        for name, weight in chosen:
            index.setdefault(name, []).append((topic, weight / total))
    hits, sizes = np.zeros(len(labels)), np.zeros(len(labels))
    for own, found in zip(assigned, members, strict=True):
        match: Counter[int] = Counter()
        for name in sorted(index.keys() & found):
            for topic, weight in index[name]:
                match[topic] += weight  # type: ignore[assignment]  # typeshed knows counts as int
        best = max(match.values(), default=0.0)
        winners = [topic for topic, value in match.items() if value >= best - 1e-12]
        sizes[own] += 1
        hits[own] += (own in winners) / max(len(winners), 1)
    return [round(float(h / n), 6) if n else None for h, n in zip(hits, sizes, strict=True)]


def coherence(labels: Sequence[Sequence[tuple[str, float]]], texts: Sequence[set[str]]) -> list[float | None]:
    """Return per topic the mean normalised pointwise mutual information of the pairs of its keyphrases over texts.

    Bouma (2009), Normalized (pointwise) mutual information in collocation extraction. A pair that never meets counts -1; a phrase
    that is in no text is left out. Null where no pair is left.
    """
    wanted = {name: i for i, name in enumerate(sorted({name for chosen in labels for name, _ in chosen}))}
    where = [(row, wanted[name]) for row, found in enumerate(texts) for name in sorted(wanted.keys() & found)]
    rows, columns = (np.array(part, dtype=np.int64) for part in (zip(*where, strict=True) if where else ((), ())))
    has = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), max(len(wanted), 1)))
    values: list[float | None] = []
    for chosen in labels:
        mine = has[:, [wanted[name] for name, _ in chosen]]
        values.append(_mean_npmi(np.asarray((mine.T @ mine).todense()) / max(len(texts), 1)))
    return values


def _mean_npmi(p: NDArray[np.float64]) -> float | None:
    """Return the mean NPMI of the pairs, from the (m, m) shares of texts that hold both phrases."""
    known = np.flatnonzero(np.diag(p) > 0)
    if len(known) < 2:
        return None
    values = _npmi(p[np.ix_(known, known)])
    return round(float(values[np.triu_indices(len(known), k=1)].mean()), 6)


def _npmi(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (m, m) NPMI from the shares of texts that hold both phrases; -1 where they never meet, 1 where all texts do."""
    single = np.diag(p)
    values = np.where(p >= 1, 1.0, -1.0)
    met = (p > 0) & (p < 1)
    values[met] = np.log(p[met] / (single[:, None] * single[None])[met]) / -np.log(p[met])
    return values


def _halves(
    assigned: NDArray[np.int64], distances: NDArray[np.float64], texts: Sequence[str], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the members that make labels and those that check them; equal texts are always on one side.

    Of a topic with fewer than eight members all make the label.
    """
    size = min(_PER_TOPIC, max(20, _IN_ALL // k))
    few = np.bincount(assigned, minlength=k) < _FEW
    picked = []
    for topic in range(k):
        members = np.flatnonzero(assigned == topic)
        members = members[np.lexsort((members, distances[members]))]
        picked.append(members[np.linspace(0, len(members) - 1, min(size, len(members))).round().astype(np.int64)])
    rows = np.concatenate(picked)
    first = (
        np.array([hashlib.sha256(texts[i].encode()).digest()[0] % 2 == 0 for i in rows], dtype=bool)
        | few[assigned[rows]]
    )
    return rows[first], rows[~first]


def _counted(found: Sequence[set[str]], least: int) -> tuple[list[str], "csr_matrix[np.float64]"]:
    """Return the phrases of at least `least` texts, at most the 30,000 most frequent, and (n, v) 1 where a text has one."""
    total = Counter(name for one in found for name in one)
    frequent = sorted((name for name, n in total.items() if n >= least), key=lambda name: (-total[name], name))
    place = {name: i for i, name in enumerate(frequent[:_MAX_PHRASES])}
    columns = [sorted(place[name] for name in one if name in place) for one in found]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.array([c for one in columns for c in one], dtype=np.int64)
    return list(place), csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(found), len(place)))


def _holds(longer: str, shorter: str) -> bool:
    return shorter in longer if is_chinese(shorter) else f" {shorter} " in f" {longer} "


def _likeness(one: str, other: str) -> float:
    shorter, longer = sorted((one, other), key=len)
    if _holds(longer, shorter):
        return 1.0
    a, b = _stems(shorter), _stems(longer)
    return len(a & b) / max(min(len(a), len(b)), 1)


def _stems(phrase: str) -> set[str]:
    return {word.removesuffix("s") for word in phrase.split()}
