"""`ai_classify`, `ai_classify_full` and `ai_filter`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from udfs.sql.embed import vectors_of
from udfs.sql.label_sets import Classifier, classifier_of, condition_of, label_key
from udfs.sql.rows import ERROR, Problem, each, models_of, problem, read_texts, series, unknown_model
from udfs.sql.scorer import Scored, Scorer, scorer_of
from udfs.sql.spec import ModelSpec, SqlSpec
from udfs.sql_function import SqlFunction

CLASSIFIED = (
    "STRUCT<labels: ARRAY<STRING>, scores: MAP<STRING, DOUBLE>, confidence: DOUBLE, coverage: DOUBLE, model: STRING, "
    f"error: {ERROR}>"
)
_DEFAULT_FIT = 0.5
Answer = dict[str, Any]
Found = tuple[Classifier, Scored]
Make = Callable[[SqlSpec, Scorer, Any, ModelSpec], Classifier | Problem]


def classify_functions(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the functions that classify."""

    def ai_classify(text: Any, labels: Any) -> "pd.Series[Any]":
        """Return the label that fits best; null also where `ai_classify_full` has an error or says none of these."""
        n = len(text)
        found = _found(spec, text.tolist(), each(labels, n), None, "ai_classify")
        answers: list[str | None] = [None] * n
        for classifier, rows, scores in _by_classifier(found):
            chosen = _best(classifier, _matrix(scores), none=False)
            for i, at in zip(rows, chosen.tolist(), strict=True):
                answers[i] = classifier.labels[at] if at >= 0 else None
        return series(answers)

    def ai_classify_full(
        text: Any, labels: Any, multilabel: Any = False, threshold: Any = None, none: Any = False, model: Any = None
    ) -> "pd.Series[Any]":
        """Return the struct `CLASSIFIED`; null only for null text."""
        n = len(text)
        found = _found(spec, text.tolist(), each(labels, n), model, "ai_classify_full")
        answers: list[Answer | None] = [_answer(error=one) if isinstance(one, dict) else None for one in found]
        options = list(zip(each(multilabel, n), each(threshold, n), each(none, n), strict=True))
        for classifier, rows, scores in _by_classifier(found):
            for i, answer in zip(rows, _full(classifier, scores, [options[i] for i in rows]), strict=True):
                answers[i] = answer
        return series(answers)

    def ai_filter(text: Any, condition: Any, threshold: Any = _DEFAULT_FIT) -> "pd.Series[Any]":
        """Return whether the condition fits the text; null where either is null or has an error."""
        n = len(text)
        found = _found(spec, text.tolist(), each(condition, n), None, "ai_filter", condition_of)
        limits = each(threshold, n)
        answers: list[bool | None] = [None] * n
        for classifier, rows, scores in _by_classifier(found):
            fits = classifier.fits(_matrix(scores))[:, 0]
            for i, fit in zip(rows, fits.tolist(), strict=True):
                answers[i] = fit >= float(limits[i]) if _is_share(limits[i]) else None
        return series(answers)

    return (
        SqlFunction("ai_classify", ai_classify, "STRING"),
        SqlFunction("ai_classify_full", ai_classify_full, CLASSIFIED),
        SqlFunction("ai_filter", ai_filter, "BOOLEAN"),
    )


def _found(
    spec: SqlSpec, values: Sequence[Any], labels: Sequence[Any], model: Any, function: str, make: Make = classifier_of
) -> list[Found | Problem | None]:
    """Return classifier and score of each row, or what is wrong with it; None for null text."""
    found: list[Found | Problem | None] = [None] * len(values)
    for named, rows in models_of(spec, model, len(values)):
        if named is None:
            for i in rows:
                found[i] = None if values[i] is None else unknown_model(spec)
            continue
        by_labels: dict[Any, list[int]] = {}
        for i in rows:
            by_labels.setdefault(label_key(labels[i]), []).append(i)
        for mine in by_labels.values():
            classifier = make(spec, scorer_of(spec), labels[mine[0]], named)
            for i, one in zip(mine, _rows(spec, [values[i] for i in mine], classifier, function), strict=True):
                found[i] = one
    return found


def _rows(
    spec: SqlSpec, values: Sequence[Any], classifier: Classifier | Problem, function: str
) -> list[Found | Problem | None]:
    if isinstance(classifier, dict):
        return [None if value is None else classifier for value in values]
    texts = read_texts(values, spec.max_text_chars)
    scores = vectors_of(scorer_of(spec), classifier.model, texts.distinct, function)
    found: list[Found | Problem | None] = []
    for place, wrong in zip(texts.places, texts.problems, strict=True):
        if place is None:
            found.append(wrong)
        else:
            code = scores[place].error
            found.append(problem(code) if code else (classifier, scores[place]))
    return found


def _by_classifier(found: Sequence[Found | Problem | None]) -> list[tuple[Classifier, list[int], list[Scored]]]:
    groups: dict[int, tuple[Classifier, list[int], list[Scored]]] = {}
    for i, one in enumerate(found):
        if isinstance(one, tuple):
            group = groups.setdefault(id(one[0]), (one[0], [], []))
            group[1].append(i)
            group[2].append(one[1])
    return list(groups.values())


def _matrix(scores: Sequence[Scored]) -> Any:
    return np.stack([scored.vector for scored in scores if scored.vector is not None])


def _best(classifier: Classifier, embeddings: Any, *, none: bool) -> Any:
    """Return (n,) positions of the best labels; -1 for none of these, where the head or the call asks for that."""
    if none or classifier.decides_none:
        return classifier.decide(embeddings)
    return classifier.chances(embeddings).argmax(axis=1)


def _full(classifier: Classifier, scores: Sequence[Scored], options: Sequence[tuple[Any, Any, Any]]) -> list[Answer]:
    embeddings = _matrix(scores)
    chances, fits = classifier.chances(embeddings), classifier.fits(embeddings)
    best = {none: _best(classifier, embeddings, none=none) for none in (False, True)}
    answers = []
    for i, (multilabel, threshold, none) in enumerate(options):
        if threshold is not None and not _is_share(threshold):
            answers.append(_answer(error=problem("BAD_THRESHOLD", "threshold is a number from 0 to 1, or null")))
            continue
        values = np.round(fits[i] if multilabel else chances[i], 6)
        least = float(threshold) if threshold is not None else _DEFAULT_FIT if multilabel else 0.0
        if multilabel:
            order = np.argsort(-values, kind="stable")
            chosen = [int(k) for k in order if values[k] >= least]
        else:
            at = int(best[bool(none)][i])
            chosen = [at] if at >= 0 and values[at] >= least else []
        answers.append(
            _answer(
                labels=[classifier.labels[k] for k in chosen],
                scores=list(zip(classifier.labels, values.tolist(), strict=True)),
                confidence=float(values.max()),
                coverage=scores[i].coverage,
                model=classifier.name,
            )
        )
    return answers


def _answer(**fields: Any) -> Answer:
    names = ("labels", "scores", "confidence", "coverage", "model", "error")
    return {name: fields.get(name) for name in names}


def _is_share(value: Any) -> bool:
    try:
        return 0.0 <= float(value) <= 1.0
    except (TypeError, ValueError):
        return False
