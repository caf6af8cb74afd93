"""What a text is classified into: an array of labels, or a label set with a name; turned into a classifier over embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.sql.embed import vectors_of
from udfs.sql.rows import Problem, problem, read_text
from udfs.sql.scorer import Scored, Scorer
from udfs.sql.spec import LabelSetSpec, ModelSpec, SqlSpec

MIN_LABELS, MAX_LABELS = 2, 500
MAX_LABEL_CHARS = 1_000
TEMPLATE = "This text is about {}."
"""What a label of up to `_TEMPLATE_WORDS` Latin words is embedded as; whole phrases stand for themselves. The sentence helps an
encoder of sentences, as a prompt helps CLIP: Radford et al. (2021), arXiv:2103.00020, section 3.1.4."""
CONDITION_TEMPLATE = "about {}"
"""The same for a condition, which is asked by itself: with it the texts that it fits lie higher above the others (area under the
ROC curve, `benchmarks.sql_labels`), while among labels it chooses no better."""
_TEMPLATE_WORDS = 4
FALSE_ACCEPTANCE = 0.05
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Labels over the vectors of one model.

    Attributes:
        chances: (n, d) embeddings to (n, k) probabilities that add up to 1.
        fits: (n, d) embeddings to (n, k): how well each label fits by itself, 0 to 1, 0.5 being where 5 of 100 texts of no label
            would be.
        decide: (n, d) embeddings to (n,) positions, -1 for none of these.
    """

    labels: tuple[str, ...]
    model: ModelSpec
    name: str
    chances: Callable[[NDArray[np.float32]], Array]
    fits: Callable[[NDArray[np.float32]], Array]
    decide: Callable[[NDArray[np.float32]], NDArray[np.int64]]
    decides_none: bool


def label_key(value: Any) -> Any:
    """Return what rows with the same labels share: a name, or a tuple."""
    return tuple(str(type(v)) + str(v) for v in value) if isinstance(value, list) else str(value)


def classifier_of(spec: SqlSpec, scorer: Scorer, labels: Any, model: ModelSpec) -> Classifier | Problem:
    """Return the classifier of an argument `labels`, or what is wrong with it.

    A label set that was registered for a model reads that model's vectors, whatever the call says.
    """
    if isinstance(labels, str):
        named = spec.label_set(labels)
        if named is None:
            known = ", ".join(one.name for one in spec.label_sets) or "none"
            return problem("UNKNOWN_LABELS", f"no label set of that name; registered are {known}")
        own = spec.model(named.model or None)
        assert own is not None
        return _head_classifier(named, own) if named.head else _described(spec, scorer, named.descriptions, own)
    checked = check_labels(labels)
    if isinstance(checked, dict):
        return checked
    return _described(spec, scorer, tuple((label, (_prompt(label),)) for label in checked), model)


def condition_of(spec: SqlSpec, scorer: Scorer, condition: Any, model: ModelSpec) -> Classifier | Problem:
    """Return the classifier of one condition, whose only label it is, or what is wrong with it."""
    checked = check_labels([condition] if isinstance(condition, str) else condition, fewest=1)
    if isinstance(checked, dict):
        return checked
    return _described(spec, scorer, ((checked[0], (_prompt(checked[0], CONDITION_TEMPLATE),)),), model)


def check_labels(labels: Any, fewest: int = MIN_LABELS) -> list[str] | Problem:
    """Return the labels of an array, stripped, or what is wrong with them."""
    if not isinstance(labels, list):
        return problem("BAD_LABELS", "labels are an array of strings, or the name of a label set")
    if not fewest <= len(labels) <= MAX_LABELS:
        return problem("BAD_LABELS", f"{len(labels)} labels; give {fewest} to {MAX_LABELS}")
    read = [read_text(label, MAX_LABEL_CHARS)[0] if isinstance(label, str) else None for label in labels]
    found = [label for label in read if label is not None]
    if len(found) < len(labels):
        return problem(
            "BAD_LABELS", f"a label is null, empty, no string, or longer than {MAX_LABEL_CHARS:,} characters"
        )
    if len(set(found)) < len(found):
        return problem("BAD_LABELS", "a label is there twice")
    return labels


def _prompt(label: str, template: str = TEMPLATE) -> str:
    is_short = label.isascii() and len(label.split()) <= _TEMPLATE_WORDS and not label.endswith((".", "!", "?"))
    return template.format(label.replace("_", " ").strip()) if is_short else label


def _described(
    spec: SqlSpec, scorer: Scorer, descriptions: tuple[tuple[str, tuple[str, ...]], ...], model: ModelSpec
) -> Classifier | Problem:
    """Make a zero-shot classifier; see `udfs.models.zero_shot`."""
    from udfs.models.probe_texts import probe_texts
    from udfs.models.zero_shot import label_vectors, make_head

    known = _made.get((model, descriptions))
    if known is not None:
        return known
    texts = [read_text(text, MAX_LABEL_CHARS * 10)[0] or label for label, each in descriptions for text in each]
    owners = np.repeat(np.arange(len(descriptions)), [len(each) for _, each in descriptions])
    described = _embedded(scorer, model, texts, "labels")
    if any(scored.vector is None for scored in described):
        return problem("BAD_LABELS", "a label cannot be embedded: no encoder of this call covers its language")
    vectors = label_vectors(np.stack([s.vector for s in described if s.vector is not None]), owners, len(descriptions))
    probes = list(dict.fromkeys(filter(None, (read_text(text, 10**6)[0] for text in probe_texts()))))
    background = np.stack([s.vector for s in _embedded(scorer, model, probes, "background") if s.vector is not None])
    # each label by itself: where it says yes to 5 of 100 texts of no label
    edges = np.array([make_head(v[None], background, FALSE_ACCEPTANCE).none_below[0] for v in vectors])
    none_below = make_head(vectors, background, FALSE_ACCEPTANCE).none_below
    classifier = _zero_shot(
        tuple(label for label, _ in descriptions), model, vectors, edges, none_below, spec.temperature
    )
    if len(_made) >= _MADE_MAX:
        _made.clear()
    _made[model, descriptions] = classifier
    return classifier


_made: dict[tuple[ModelSpec, tuple[tuple[str, tuple[str, ...]], ...]], Classifier] = {}
_MADE_MAX = 1_000


def _zero_shot(
    labels: tuple[str, ...], model: ModelSpec, vectors: Array, edges: Array, none_below: Array, temperature: float
) -> Classifier:
    def chances(embeddings: NDArray[np.float32]) -> Array:
        scaled = embeddings.astype(np.float64) @ vectors.T / temperature
        odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def fits(embeddings: NDArray[np.float32]) -> Array:
        return np.asarray(1 / (1 + np.exp(-(embeddings.astype(np.float64) @ vectors.T - edges) / temperature)))

    def decide(embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
        cosines = embeddings.astype(np.float64) @ vectors.T
        best = cosines.argmax(axis=1)
        return np.where(cosines[np.arange(len(best)), best] >= none_below[best], best, -1)

    return Classifier(labels, model, model.scoring.encoder.name, chances, fits, decide, decides_none=False)


def _head_classifier(named: LabelSetSpec, model: ModelSpec) -> Classifier:
    """Load a trained head; it says "none of these" by itself where it was made to."""
    from udfs.models.head import load_head

    assert named.head is not None
    if named not in _heads:
        _heads[named] = load_head(named.head)
    head = _heads[named]
    return Classifier(
        head.labels,
        model,
        named.head.name,
        head.probabilities,
        head.probabilities,
        lambda embeddings: head.decide(embeddings)[0],
        decides_none=True,
    )


_heads: dict[LabelSetSpec, Any] = {}


def _embedded(scorer: Scorer, model: ModelSpec, texts: Sequence[str], function: str) -> list[Scored]:
    """Embed descriptions: those in ASCII as English, the others in the language that is identified."""
    distinct = list(dict.fromkeys(texts))
    found: dict[str, Scored] = {}
    for hint, some in (
        ("en", [t for t in distinct if t.isascii()]),
        ("", [t for t in distinct if not t.isascii()]),
    ):
        if some:
            found |= dict(zip(some, vectors_of(scorer, model, some, function, hint), strict=True))
    return [found[text] for text in texts]
