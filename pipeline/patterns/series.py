"""Daily series: additive cells of a night, and long series of documents, texts and sentiment by segment.

What the history is made of is small: `cells_daily` of earlier nights, never their documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
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
_SUMS = ("n_docs", "n_effective", "n_scored", "n_negative")


@dataclass(frozen=True)
class Night:
    """A published night and the fingerprint of the models behind its sentiment; null where that is not known."""

    run_date: date
    model_key: str | None = None


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


def to_series(cells: DataFrame, phrases: DataFrame | None = None) -> DataFrame:
    """Return the long series: one row per night, metric and segment that has documents.

    Args:
        cells: `cells_daily` of some nights.
        phrases: run_date, phrase, n_docs, n_effective; null for none.

    Returns:
        run_date, metric, kind, key, topic_id, group_key, source, lang, phrase, n, total, squares, value. Counts: value = total,
        n null. Sentiment: n scored texts, `total` and `squares` the sums of their values and of the squares; value = total / n,
        and no row where n is 0.
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


def _measures() -> list[Column]:
    counts = [_measure(c, F.lit(None), F.col(c), F.lit(None)) for c in COUNTS]
    n, negative = F.col("n_scored"), F.col("n_negative")
    return [
        *counts,
        _measure("negative_share", n, negative, negative),
        _measure("mean_sentiment", n, F.col("score_sum"), F.col("score_squares")),
    ]


def _of_phrases(phrases: DataFrame) -> DataFrame:
    counts = F.explode(F.array(*[_measure(c, F.lit(None), F.col(c), F.lit(None)) for c in COUNTS])).alias("m")
    rows = phrases.where(F.col("phrase").isNotNull()).select(RUN_DATE, "phrase", counts)
    others = {c: F.lit(None).cast("bigint" if c == "topic_id" else "string") for c in KEY_COLUMNS if c != "phrase"}
    return rows.withColumns(others | {"kind": F.lit("phrase"), "key": segment_key(("phrase",))}).select(
        RUN_DATE, F.col("m.metric"), "kind", "key", *KEY_COLUMNS, "m.n", "m.total", "m.squares"
    )


def with_windows(series: DataFrame, windows: Sequence[Nights], *, tonight: bool) -> DataFrame:
    """Return one row per window and series: its values as sparse arrays over the window's nights.

    Args:
        windows: the nights of each window; a series without a row in a window has none here either.
        tonight: whether the night the window is about is one more place after its `days`.

    Returns:
        run_date (of the window), the series' keys, and arrays `at` (place of the night in the window), `n`, `total`, `squares`
        in the order of `at`. Nights of the window that are not in `at` had no documents.
    """
    spark = series.sparkSession
    places = [
        (w.run_date, day, place)
        for w in windows
        for place, day in enumerate((*w.days, w.run_date) if tonight else w.days)
    ]
    frame = spark.createDataFrame(places, "window_date date, run_date date, place int")
    # a night lies at most once in each window
    joined = series.join(F.broadcast(frame), on=RUN_DATE, how="inner")
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
    return rows.select(F.col("window_date").alias(RUN_DATE), "metric", "kind", "key", *KEY_COLUMNS, *arrays)
