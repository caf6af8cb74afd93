"""`ai_analyze_sentiment` and `ai_sentiment`."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from udfs.aspect_terms import GIVEN, Aspect, Matcher
from udfs.aspects import AspectSpec, mentions
from udfs.language import UNDECIDED
from udfs.sql.rows import ERROR, Problem, each, models_of, problem, read_text, read_texts, series, unknown_model
from udfs.sql.scorer import Scored, scorer_of
from udfs.sql.spec import ModelSpec, SqlSpec
from udfs.sql_function import SqlFunction

SENTIMENT = (
    "STRUCT<label: STRING, score: DOUBLE, confidence: DOUBLE, "
    "aspects: ARRAY<STRUCT<name: STRING, label: STRING, score: DOUBLE, quote: STRING>>, "
    f"lang: STRING, coverage: DOUBLE, model: STRING, error: {ERROR}>"
)
MAX_ASPECTS = 50
_SENTENCE_CHARS = 400
_QUOTE_CHARS = 300
Answer = dict[str, Any]


def sentiment_functions(spec: SqlSpec) -> tuple[SqlFunction, ...]:
    """Return the functions of sentiment."""

    def ai_analyze_sentiment(text: Any) -> "pd.Series[Any]":
        """Return `positive`, `negative` or `neutral`; null also where `ai_sentiment` has an error."""
        texts = read_texts(text.tolist(), spec.max_text_chars)
        scores = scorer_of(spec).scores(spec.models[0].scoring, texts.distinct, "ai_analyze_sentiment", vectors=False)
        return series([None if place is None else scores[place].sentiment for place in texts.places])

    def ai_sentiment(text: Any, aspects: Any = None, model: Any = None) -> "pd.Series[Any]":
        """Return the struct `SENTIMENT`; null only for null text."""
        values, wanted = text.tolist(), each(aspects, len(text))
        answers: list[Answer | None] = [None] * len(values)
        for named, rows in models_of(spec, model, len(values)):
            mine, theirs = [values[i] for i in rows], [wanted[i] for i in rows]
            found = _judged(spec, named, mine, theirs) if named else _unknown(spec, mine)
            for i, answer in zip(rows, found, strict=True):
                answers[i] = answer
        return series(answers)

    return (
        SqlFunction("ai_analyze_sentiment", ai_analyze_sentiment, "STRING"),
        SqlFunction("ai_sentiment", ai_sentiment, SENTIMENT),
    )


def _unknown(spec: SqlSpec, values: Sequence[Any]) -> list[Answer | None]:
    return [None if value is None else _answer(None, unknown_model(spec)) for value in values]


def _judged(spec: SqlSpec, model: ModelSpec, values: Sequence[Any], aspects: Sequence[Any]) -> list[Answer | None]:
    texts = read_texts(values, spec.max_text_chars)
    scores = scorer_of(spec).scores(model.scoring, texts.distinct, "ai_sentiment", vectors=False)
    answers: list[Answer | None] = []
    for value, place, wrong in zip(values, texts.places, texts.problems, strict=True):
        if place is None:
            answers.append(None if value is None else _answer(None, wrong))
        else:
            code = scores[place].error
            answers.append(_answer(scores[place], problem(code) if code else None))
    _add_aspects(spec, model, texts.distinct, texts.places, aspects, answers)
    return answers


def _answer(scored: Scored | None, wrong: Problem | None) -> Answer:
    has = scored if scored is not None and wrong is None else None
    return {
        "label": has and has.sentiment,
        "score": has.score if has else None,
        "confidence": has.confidence if has else None,
        "aspects": None,
        "lang": scored and scored.lang,
        "coverage": scored.coverage if scored else None,
        "model": has and has.model,
        "error": wrong,
    }


def _add_aspects(
    spec: SqlSpec,
    model: ModelSpec,
    texts: Sequence[str],
    places: Sequence[int | None],
    aspects: Sequence[Any],
    answers: Sequence[Answer | None],
) -> None:
    """Judge the sentences that mention each aspect, in the language of the whole text."""
    waiting: list[tuple[Answer, str]] = []
    by_language: dict[str, dict[str, None]] = {}
    for place, names, answer in zip(places, aspects, answers, strict=True):
        if names is None or place is None or answer is None or answer["error"]:
            continue
        checked = _checked(names)
        if checked is None:
            answer["error"] = problem("BAD_ASPECTS", f"aspects are 1 to {MAX_ASPECTS} distinct strings, not empty")
            continue
        lang = str(answer["lang"]) if answer["lang"] not in (None, "und") else ""
        said = mentioning(texts[place], checked, lang)
        answer["aspects"] = [{"name": n, "label": "unknown", "score": None, "quote": said.get(n)} for n in checked]
        for one in answer["aspects"]:
            if one["quote"]:
                by_language.setdefault(lang, {})[one["quote"]] = None
                waiting.append((one, lang))
    scores: dict[tuple[str, str], Scored] = {}
    for lang, quotes in by_language.items():
        found = scorer_of(spec).scores(model.scoring, list(quotes), "ai_sentiment", vectors=False, hint=lang)
        scores |= {(lang, quote): scored for quote, scored in zip(quotes, found, strict=True)}
    for one, lang in waiting:
        scored = scores[lang, one["quote"]]
        one |= {"label": scored.sentiment or "unknown", "score": scored.score, "quote": one["quote"][:_QUOTE_CHARS]}


def _checked(names: Any) -> list[str] | None:
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_ASPECTS:
        return None
    read = [read_text(name, 1_000)[0] if isinstance(name, str) else None for name in names]
    found = [name for name in read if name is not None]
    return found if len(found) == len(names) and len(set(found)) == len(found) else None


def mentioning(text: str, aspects: Sequence[str], lang: str = "") -> dict[str, str]:
    """Return by aspect the sentences of a normalised text that mention it, joined by spaces; aspects no sentence mentions lack.

    Mentions are those of given aspects in the nightly job, see `udfs.aspect_terms`.
    """
    reach = AspectSpec((), {}, max_chars=len(text), max_sentences=len(text), max_sentence_chars=_SENTENCE_CHARS)
    found: dict[str, list[str]] = {}
    for aspect, (start, end), _ in mentions(text, _matcher(tuple(aspects), lang), reach, lang or UNDECIDED):
        found.setdefault(aspect.name, []).append(text[start:end])
    return {name: " ".join(sentences) for name, sentences in found.items()}


@lru_cache(maxsize=100)
def _matcher(aspects: tuple[str, ...], lang: str) -> Matcher:
    return Matcher([Aspect(name, GIVEN, (name,), place) for place, name in enumerate(aspects)], lang or UNDECIDED)
