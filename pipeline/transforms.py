"""Transforms for any DataFrame with a column of text: `reviews.transform(with_sentiment("body"))`.

Each calls a function of SQL (docs/sql_functions.md, docs/sql_text_functions.md) that the frame's session has; where it has none,
they are registered with their default configuration. Own models, label sets or a store: `pipeline.sql.register(spark, config)`
before. Nothing is computed before the frame is used, a text is never scored twice, and no row fails a query.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.errors import ConfigError
from pipeline.sql.register import register

Transform = Callable[[DataFrame], DataFrame]


def with_sentiment(text: str, aspects: Sequence[str] = (), *, into: str = "sentiment") -> Transform:
    """Add the struct of `ai_sentiment`: label, score (-1 to 1), confidence, aspects, lang, coverage, model, error.

    Args:
        text: name of the column of text.
        aspects: 1 to 50 things whose own sentiment is asked for.
        into: the new column; one of that name is replaced. Null only for a null text.
    """
    return _with("ai_sentiment", text, into, _strings(aspects))


def with_embedding(text: str, *, into: str = "embedding") -> Transform:
    """Add the unit vector of `ai_embed`, an array of float; null for a null text and for one that has no vector."""
    return _with("ai_embed", text, into)


def with_labels(
    text: str,
    labels: Sequence[str] | str,
    *,
    multilabel: bool = False,
    threshold: float | None = None,
    none: bool = False,
    into: str = "labels",
) -> Transform:
    """Add the struct of `ai_classify_full`: labels, scores of all labels, confidence, coverage, model, error.

    Args:
        labels: 2 to 500 labels, or the name of a label set that was registered.
        multilabel: every label whose own fit reaches `threshold` (0.5 by default), not the best one alone.
        none: no label for a text that fits none.
    """
    wanted = F.lit(labels) if isinstance(labels, str) else _strings(labels)
    return _with("ai_classify_full", text, into, wanted, F.lit(multilabel), F.lit(threshold), F.lit(none))


def with_language(text: str, *, into: str = "language") -> Transform:
    """Add the struct of `ai_language`: lang (ISO 639-1 or `und`), confidence, model, error."""
    return _with("ai_language", text, into)


def with_keyphrases(text: str, top_k: int = 5, *, into: str = "keyphrases") -> Transform:
    """Add the array of `ai_keyphrases`: phrase, score, error; the best first."""
    return _with("ai_keyphrases", text, into, F.lit(top_k))


def with_masked(text: str, categories: Sequence[str] = (), *, into: str = "masked") -> Transform:
    """Add the text of `ai_mask`, personal data replaced; null for a null text and for one that could not be masked.

    Args:
        categories: what is masked, such as `email` and `phone`; by default all that docs/sql_text_functions.md names. None
            covers names of people or postal addresses: they stay.
    """
    return _with("ai_mask", text, into, _strings(categories))


def with_summary(text: str, max_words: int = 60, *, into: str = "summary") -> Transform:
    """Add the text of `ai_summarize`: the sentences that stand for the text, as they are written."""
    return _with("ai_summarize", text, into, F.lit(max_words))


def to_topics(text: str, by: Sequence[str] = (), topics: int = 8) -> Transform:
    """Return the topics of each group: the columns of `by`, label, words, n, share, example, and n_rows and n_read of the group.

    A group is read by one Python process, at most `SqlConfig.agg_rows` (2,000) of its texts; for a corpus there is the nightly
    job. A group without a text that has a vector has no row.
    """

    def apply(frame: DataFrame) -> DataFrame:
        _check(frame, (text, *by))
        found = F.call_function("ai_topics_agg", F.col(_quoted(text)), F.lit(topics)).alias("found")
        groups = frame.groupBy(*map(_quoted, by)).agg(found)
        each = groups.select(
            *map(_quoted, by), "found.n_rows", "found.n_read", F.explode("found.topics").alias("topic")
        )
        return each.select(*map(_quoted, by), "topic.*", "n_rows", "n_read")

    return apply


def _with(function: str, text: str, into: str, *arguments: Column) -> Transform:
    def apply(frame: DataFrame) -> DataFrame:
        _check(frame, (text,))
        return frame.withColumn(into, F.call_function(function, F.col(_quoted(text)), *arguments))

    return apply


def _check(frame: DataFrame, columns: Sequence[str]) -> None:
    """Give the session its functions where it has none.

    Raises:
        ConfigError: the frame lacks a column.
    """
    has = {name.lower() for name in frame.columns}
    if missing := [name for name in columns if name.lower() not in has]:
        raise ConfigError(f"{', '.join(missing)}: no such column; the frame has {', '.join(frame.columns)}")
    spark: Any = frame.sparkSession
    if not spark.catalog.functionExists("ai_sentiment"):
        register(spark)


def _strings(values: Sequence[str]) -> Column:
    return F.array(*map(F.lit, values)) if values else F.lit(None)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
