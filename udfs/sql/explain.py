"""`ai_explain`: which words of a text a sentiment or a label rests on.

The weight of a word is how much the log-odds of the label fall when the word is taken away: erasure, Li, Monroe and Jurafsky
(2016), Understanding Neural Networks through Representation Erasure, arXiv:1612.08220; the occlusion of Zeiler and Fergus (2014),
arXiv:1311.2901, for words. It asks nothing of the model but its answers, so it holds for every encoder and runtime; weights of
words that stand for each other are too small, since one remains when the other goes. It costs as many scorings as there are
words.
"""

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from udfs.sql.cache import result_key
from udfs.sql.label_sets import Classifier, classifier_of, label_key
from udfs.sql.rows import ERROR, Problem, each, models_of, problem, read_text, series, unknown_model
from udfs.sql.scorer import Scorer, run_engine, scorer_of
from udfs.sql.spec import ModelSpec, SqlSpec
from udfs.sql.texts import content_key, normalised
from udfs.sql_function import SqlFunction

EXPLAINED = (
    "STRUCT<label: STRING, probability: DOUBLE, tokens: ARRAY<STRUCT<token: STRING, start: INT, `end`: INT, weight: DOUBLE>>, "
    f"model: STRING, error: {ERROR}>"
)
SENTIMENTS = ("negative", "neutral", "positive")
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_HAN}]+|[^\W{_HAN}]+(?:['’-][^\W{_HAN}]+)*")
_LEAST = 1e-6
Span = tuple[int, int]
Answer = dict[str, Any]


def explain_functions(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the function that explains."""

    def ai_explain(text: Any, labels: Any = None, label: Any = None, model: Any = None) -> "pd.Series[Any]":
        """Return the struct `EXPLAINED` for `label`, by default the one the text has; without `labels` its sentiment."""
        values = text.tolist()
        wanted = list(zip(each(labels, len(values)), each(label, len(values)), strict=True))
        answers: list[Answer | None] = [None] * len(values)
        for named, rows in models_of(spec, model, len(values)):
            for i in rows:
                if values[i] is None:
                    continue
                answers[i] = _explained(spec, named, values[i], *wanted[i]) if named else _answer(unknown_model(spec))
        return series(answers)

    return (SqlFunction("ai_explain", ai_explain, EXPLAINED),)


def _explained(spec: SqlSpec, model: ModelSpec, value: Any, labels: Any, label: Any) -> Answer:
    scorer = scorer_of(spec)
    text, wrong = read_text(value, spec.max_text_chars)
    if text is None:
        return _answer(wrong)
    classifier = None if labels is None else classifier_of(spec, scorer, labels, model)
    if isinstance(classifier, dict):
        return _answer(classifier)
    known = classifier.labels if classifier else SENTIMENTS
    if label is not None and label not in known:
        return _answer(problem("UNKNOWN_LABEL", f"label is none of the {len(known)} labels"))
    used = classifier.model if classifier else model
    raw = value if isinstance(value, str) else str(value)
    asked = json.dumps([label_key(labels), label, spec.explain_units])
    key = result_key(scorer.model_key(used.scoring), "ai_explain", content_key(raw), asked)
    found = scorer.once(
        [key],
        scorer.cache.get_derived,
        lambda keys: _kept(scorer, keys[0], _weighed(spec, scorer, used, raw, text, classifier, label)),
        derived=True,
    )
    answer: Answer = json.loads(found[key])
    return answer


def _kept(scorer: Scorer, key: bytes, answer: Answer) -> dict[bytes, str]:
    """Keep an answer, unless the next try may do better."""
    value = json.dumps(answer, ensure_ascii=False)
    if answer["error"] is None or answer["error"]["code"] == "LANG_UNSUPPORTED":
        scorer.cache.put([], [(key, value)])
    return {key: value}


def _weighed(
    spec: SqlSpec,
    scorer: Scorer,
    model: ModelSpec,
    raw: str,
    text: str,
    classifier: Classifier | None,
    label: str | None,
) -> Answer:
    whole = scorer.scores(model.scoring, [text], "ai_explain")[0]
    if whole.error:
        return _answer(problem(whole.error))
    units = grouped(words(raw), spec.explain_units)
    variants = [normalised(raw[:start] + " " + raw[end:]) for start, end in units]
    hint = whole.lang if whole.lang and whole.lang != "und" else ""
    chances = _chances(scorer, model, [text, *variants], hint, classifier)  # (1 + units, labels)
    labels = classifier.labels if classifier else SENTIMENTS
    at = labels.index(label) if label is not None else int(chances[0].argmax())
    odds = np.log(np.clip(chances[:, at], _LEAST, 1)) - np.log(np.clip(1 - chances[:, at], _LEAST, 1))
    weights = np.round(odds[0] - odds[1:], 6).tolist()
    tokens = [
        {"token": raw[start:end], "start": start, "end": end, "weight": weight}
        for (start, end), weight in zip(units, weights, strict=True)
    ]
    name = classifier.name if classifier else whole.model
    return _answer(None, label=labels[at], probability=round(float(chances[0, at]), 6), tokens=tokens, model=name)


def _chances(
    scorer: Scorer, model: ModelSpec, texts: Sequence[str], hint: str, classifier: Classifier | None
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Score texts past the cache, which would fill with texts that nobody asks for again; a text that fails counts as uniform."""
    k = len(classifier.labels) if classifier else len(SENTIMENTS)
    found = np.full((len(texts), k), 1 / k)
    start = 0
    for columns in run_engine(model.scoring, texts, [hint] * len(texts)):
        for i, (error, vector, *sentiment) in enumerate(
            zip(
                *(
                    columns[name].to_pylist()
                    for name in ("error_code", "embedding", "sentiment", "sentiment_score", "sentiment_confidence")
                ),
                strict=True,
            )
        ):
            if error is None:
                found[start + i] = (
                    classifier.chances(np.asarray([vector], np.float32))[0] if classifier else probabilities(*sentiment)
                )
        start += len(columns["error_code"])
    scorer.cache.count(scorer.model_key(model.scoring), "ai_explain words", len(texts) - 1)
    return found


def probabilities(label: str, score: float, confidence: float) -> list[float]:
    """Return P(negative), P(neutral), P(positive) of a label, P(positive) - P(negative), and the label's probability."""
    if label == "positive":
        negative, positive = confidence - score, confidence
    elif label == "negative":
        negative, positive = confidence, confidence + score
    else:
        negative, positive = (1 - confidence - score) / 2, (1 - confidence + score) / 2
    return [negative, 1 - negative - positive, positive]


def words(text: str) -> list[Span]:
    """Return where the words of a text are, in code points; runs of Chinese or Japanese are cut by rjieba."""
    found: list[Span] = []
    for match in _WORD.finditer(text):
        start = match.start()
        for word in _segmented(match.group()):
            found.append((start, start + len(word)))
            start += len(word)
    return found


def _segmented(run: str) -> list[str]:
    if not re.match(f"[{_HAN}]", run):
        return [run]
    import rjieba

    return list(rjieba.cut(run))


def grouped(spans: Sequence[Span], most: int) -> list[Span]:
    """Join neighbours so that at most `most` spans remain, as evenly as may be."""
    if len(spans) <= most:
        return list(spans)
    edges = np.linspace(0, len(spans), most + 1).round().astype(int).tolist()
    return [(spans[a][0], spans[b - 1][1]) for a, b in pairwise(edges) if b > a]


def _answer(error: Problem | None, **fields: Any) -> Answer:
    return {name: fields.get(name) for name in ("label", "probability", "tokens", "model")} | {"error": error}
