"""Daily series: additive cells of a night, and long series of documents, texts and sentiment by segment.

What the history is made of is small: `cells_daily` of earlier nights, never their documents.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.movement_tables import KEY_COLUMNS
from udfs.patterns.calendar import Nights

CELL = ("source", "group_key", "lang", "topic_id")
KINDS = {
    "overall": (),
    "topic": ("topic_id",),
    "group": ("group_key",),
    "group_topic": ("group_key", "topic_id"),
    "source": ("source",),
    "lang": ("lang",),
}
"""Kind of segment -> the columns that make its key."""
SERIES = (RUN_DATE, "metric", "kind", "key", *KEY_COLUMNS, "n", "total", "squares")
COUNTS = ("n_docs", "n_effective")
ASPECT_COUNTS = ("n_docs", "n_effective", "n_negative")
_SUMS = ("n_docs", "n_effective", "n_scored", "n_negative")


@dataclass(frozen=True)
class Night:
    """A published night.

    Attributes:
        model_key: fingerprint of the models behind its sentiment; null where that is not known.
        aspects: given aspects that were looked for by the terms they have tonight. Of others the night knows nothing.
    """

    run_date: date
    model_key: str | None = None
    aspects: frozenset[str] = frozenset()


def make_windows(
    nights: Sequence[Night], dates: Sequence[date], config: MovementConfig, is_in: Callable[[timedelta], bool]
) -> tuple[Nights, ...]:
    """Return for each date its published nights, and for each aspect that the date knows those that know it too.

    Args:
        is_in: whether a night so long before the date is in its window.
    """
    known: dict[str | None, set[date]] = {None: {n.run_date for n in nights}}
    for night in nights:
        for aspect in night.aspects:
            known.setdefault(aspect, set()).add(night.run_date)
    return tuple(
        Nights(
            day,
            tuple(d for d in sorted({*days, day}) if is_in(day - d)),
            config.weekend,
            config.full_week_nights,
            aspect,
        )
        for aspect, days in known.items()
        for day in sorted(set(dates))
        if aspect is None or day in days
    )


def to_cells_daily(doc_scores: DataFrame) -> DataFrame:
    """Return `cells_daily`: counts per night, source, group, language and topic.

    A text is counted with its canonical document, so that cells add up. Sums of scores are taken over decimals, so that they
    do not depend on the order of rows.
    """
    is_text = F.col("is_canonical")
    is_scored = is_text & F.col("sentiment").isNotNull()
    score = F.when(is_scored, F.col("sentiment_score").cast("decimal(9,6)"))
    return doc_scores.groupBy(RUN_DATE, *CELL).agg(
        F.count("*").alias("n_docs"),
        F.count_if(is_text).alias("n_effective"),
        F.count_if(is_scored).alias("n_scored"),
        F.count_if(is_scored & (F.col("sentiment") == "negative")).alias("n_negative"),
        F.coalesce(F.sum(score).cast("double"), F.lit(0.0)).alias("score_sum"),
        F.coalesce(F.sum((score * score).cast("decimal(12,9)")).cast("double"), F.lit(0.0)).alias("score_squares"),
    )


def to_series(cells: DataFrame, phrases: DataFrame | None = None, aspects: DataFrame | None = None) -> DataFrame:
    """Return the long series: one row per night, metric and segment that has documents.

    Args:
        cells: `cells_daily` of some nights.
        phrases: run_date, phrase, n_docs, n_effective; null for none.
        aspects: `aspect_cells_daily` of these nights; null for none.

    Returns:
        run_date, metric, kind, key, the key columns, n, total, squares, value. Counts: value = total, n null, squares null but
        for n_docs: documents times documents per text, which is the sum over texts of their squared numbers of documents where
        all have the same; null where the row has no text of its own (its canonical documents are elsewhere). Sentiment: n
        scored texts, `total` and `squares` the sums of their values and of the squares; value = total / n, and no row where n
        is 0.
    """
    sums = [F.sum(c).alias(c) for c in _SUMS]
    sums += [F.sum(F.col(c).cast("decimal(24,9)")).cast("double").alias(c) for c in ("score_sum", "score_squares")]
    keyed = cells.withColumn("k", F.explode(F.array(*[_segment(kind, columns) for kind, columns in KINDS.items()])))
    whole = keyed.where(F.col("k.key").isNotNull())
    wide = whole.groupBy(RUN_DATE, F.col("k.kind").alias("kind"), F.col("k.key").alias("key"), *_key_columns()).agg(
        *sums
    )
    long = wide.withColumn("m", F.explode(F.array(*_measures())))
    series = long.select(RUN_DATE, F.col("m.metric"), "kind", "key", *KEY_COLUMNS, "m.n", "m.total", "m.squares")
    if aspects is not None:
        series = series.unionByName(_of_aspects(aspects))
    series = series.where(F.col("n").isNull() | (F.col("n") > 0))
    if phrases is not None:
        series = series.unionByName(_of_phrases(phrases))
    value = F.when(F.col("n").isNull(), F.col("total")).otherwise(F.col("total") / F.col("n"))
    return series.withColumn("value", value)


def segment_key(columns: Sequence[str]) -> Column:
    """Return the readable key of a segment: `overall`, or `group_key=Heron Router, topic_id=3`; null where a column is null."""
    if not columns:
        return F.lit("overall")
    # concat, unlike concat_ws, is null where a part is
    return reduce(
        lambda a, b: F.concat(a, F.lit(", "), b),
        [F.concat(F.lit(f"{c}="), F.col(c).cast("string")) for c in columns],
    )


def _segment(kind: str, columns: Sequence[str]) -> Column:
    """Return kind, key and key columns of a cell's segment; key is null where the cell lacks one of them."""
    named = [
        (F.col(c) if c in columns else F.lit(None)).cast("bigint" if c == "topic_id" else "string").alias(c)
        for c in KEY_COLUMNS
    ]
    return F.struct(F.lit(kind).alias("kind"), segment_key(columns).alias("key"), *named)


def _key_columns() -> list[Column]:
    return [F.col(f"k.{c}").alias(c) for c in KEY_COLUMNS]


def _measure(metric: str, n: Column, total: Column, squares: Column) -> Column:
    return F.struct(
        F.lit(metric).alias("metric"), n.cast("long").alias("n"), total.cast("double").alias("total"),
        squares.cast("double").alias("squares"),
    )  # fmt: skip


def _counts() -> list[Column]:
    n_docs, n_texts = F.col("n_docs").cast("double"), F.nullif(F.col("n_effective"), F.lit(0))
    return [
        _measure("n_docs", F.lit(None), n_docs, n_docs * n_docs / n_texts),
        _measure("n_effective", F.lit(None), F.col("n_effective"), F.lit(None)),
    ]


def _measures() -> list[Column]:
    n, negative = F.col("n_scored"), F.col("n_negative")
    return [
        *_counts(),
        _measure("negative_share", n, negative, negative),
        _measure("mean_sentiment", n, F.col("score_sum"), F.col("score_squares")),
    ]


def _of_phrases(phrases: DataFrame) -> DataFrame:
    return _of_one(phrases.where(F.col("phrase").isNotNull()), "phrase", _counts())


def _of_aspects(aspects: DataFrame) -> DataFrame:
    sums = aspects.groupBy(RUN_DATE, "aspect").agg(*[F.sum(c).alias(c) for c in ASPECT_COUNTS])
    n, negative = F.col("n_effective"), F.col("n_negative")
    return _of_one(sums, "aspect", [*_counts(), _measure("negative_share", n, negative, negative)])


def _of_one(rows: DataFrame, kind: str, measures: Sequence[Column]) -> DataFrame:
    """Return the measures of rows whose key is the one column that is named as their kind."""
    long = rows.select(RUN_DATE, kind, F.explode(F.array(*measures)).alias("m"))
    others = {c: F.lit(None).cast("bigint" if c == "topic_id" else "string") for c in KEY_COLUMNS if c != kind}
    return long.withColumns(others | {"kind": F.lit(kind), "key": segment_key((kind,))}).select(
        RUN_DATE, F.col("m.metric"), "kind", "key", *KEY_COLUMNS, "m.n", "m.total", "m.squares"
    )


def with_windows(series: DataFrame, windows: Sequence[Nights], *, tonight: bool) -> DataFrame:
    """Return one row per window and series: its values as sparse arrays over the window's nights.

    Args:
        windows: the nights of each window; a series without a row in a window has none here either. Series of an aspect have the
            windows of that aspect, all others those without one.
        tonight: whether the night the window is about is one more place after its `days`.

    Returns:
        run_date (of the window), the series' keys, arrays `at` (place of the night in the window), `n`, `total`, `squares` in the
        order of `at`, and `copies`. Nights of the window that are not in `at` had no documents.

        copies: how many documents the text of a document has, over phrases for phrases and over segments for segments (for
        these documents per text, which is less): the median over the documents of a night, of these the median over the
        window's nights but for tonight, so that a wave sways its own night alone; 1 for other metrics than `n_docs`. A count of
        documents whose texts come by chance is a compound Poisson count with the mean of that as dispersion, and a series that
        is new cannot show it by itself.
    """
    spark = series.sparkSession
    places = [
        (w.run_date, w.aspect, day, place)
        for w in windows
        for place, day in enumerate((*w.days, w.run_date) if tonight else w.days)
    ]
    frame = spark.createDataFrame(places, "window_date date, of_aspect string, day date, place int")
    same = (F.col(RUN_DATE) == F.col("day")) & F.col("aspect").eqNullSafe(F.col("of_aspect"))
    # a night lies at most once in each window
    joined = series.join(F.broadcast(frame), on=same, how="inner")
    entry = F.struct(
        "place", *[F.coalesce(F.col(c), F.lit(0)).cast("double").alias(c) for c in ("n", "total", "squares")]
    )
    rows = joined.groupBy("window_date", "metric", "kind", "key", *KEY_COLUMNS).agg(
        F.sort_array(F.collect_list(entry)).alias("entries")
    )
    arrays = [
        F.col(f"entries.{c}").alias(a)
        for c, a in (("place", "at"), ("n", "n"), ("total", "total"), ("squares", "squares"))
    ]
    # two rows per window at most
    rows = rows.withColumn("is_phrase", F.col("kind") == "phrase").join(
        F.broadcast(_copies(joined)), on=["window_date", "is_phrase"], how="left"
    )
    copies = F.when(F.col("metric") == "n_docs", F.coalesce("copies", F.lit(1.0))).otherwise(1.0).alias("copies")
    return rows.select(F.col("window_date").alias(RUN_DATE), "metric", "kind", "key", *KEY_COLUMNS, *arrays, copies)


def _copies(joined: DataFrame) -> DataFrame:
    """Return window_date, is_phrase and copies (see `with_windows`) of series joined with the nights of their windows."""
    past = joined.where((F.col("metric") == "n_docs") & (F.col("day") < F.col("window_date")) & (F.col("total") > 0))
    each, weight = F.col("squares") / F.col("total"), F.col("total").cast("long")
    nightly = past.groupBy("window_date", (F.col("kind") == "phrase").alias("is_phrase"), "day").agg(
        F.percentile(each, 0.5, weight).alias("copies")
    )
    return nightly.groupBy("window_date", "is_phrase").agg(F.percentile("copies", 0.5).alias("copies"))
