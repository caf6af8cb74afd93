"""What an alert's change is made of: an exact additive decomposition, and the likely cause read from it.

Counts: a segment's distinct texts grow with the whole (`volume`) or away from it (`mix`, which adds up to 0 for texts),
each text with the documents it has there as a rule, and copies beyond these come on top (`campaign`). Shares and means:
Kitagawa's decomposition with symmetric weights (Kitagawa 1955, Components of a difference between two rates, JASA 50,
1168-1194; known too as Oaxaca's and Blinder's, 1973) into who writes (`mix`) and what they say (`within`), of which a
measured shift of a new model is taken off (`model_change`).
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.anomalies import history_windows
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.movement_tables import KEY_COLUMNS, TREND_DRIVERS
from pipeline.patterns.series import ASPECT_COUNTS, CELL, COUNTS, KINDS, Night, segment_key
from udfs.patterns.baseline import SPARSE
from udfs.patterns.calendar import Nights

_ALERT = (RUN_DATE, "metric", "kind", "key")
_SEGMENT = (*_ALERT, "dimension", "segment")
_LONGS = ("n_docs", "n_effective", "n_scored", "n_negative")
_DIMENSIONS = ("source", "group_key", "lang", "topic_id")
ALL_LANGUAGES = "*"


def to_trend_drivers(
    anomalies: DataFrame,
    cells: DataFrame,
    phrases: DataFrame | None,
    nights: Sequence[Night],
    dates: Sequence[date],
    config: MovementConfig | None = None,
    shifts: DataFrame | None = None,
    aspects: DataFrame | None = None,
) -> DataFrame:
    """Return `trend_drivers`: for each alert and dimension contributions of segments and components that add up to the change.

    The baseline is the plain mean over the published nights of the history that are of tonight's kind (weekend or not, or the
    same day of the week), outlying ones included; for shares and means all their texts together.

    Args:
        anomalies: rows of `anomalies` for `dates`; those with `is_alert` are split.
        cells: `cells_daily` of the dates and their history, as `phrases` (run_date, phrase, n_docs, n_effective) where not null.
        shifts: `model_bridge` rows of the dates and their history: run_date (first night of the new model), lang (`*` for all),
            sentiment, shift, score_shift. Of several the last one up to the night counts. Null or no row: model_change is 0.
        aspects: `aspect_cells_daily` of the dates and their history, where not null.
    """
    config = config or MovementConfig()
    alerts = anomalies.where("is_alert").select(*_ALERT, *KEY_COLUMNS)
    places = _places(cells, history_windows(nights, dates, config), shifts)
    sums = _sums(cells, phrases, aspects, alerts, places)
    parts = _contributions(_with_shifts(_with_totals(sums), shifts))
    kept = _fewer_segments(parts, config.max_segments)
    # (run_date, metric, key) is unique among alerts
    rows = kept.join(F.broadcast(alerts), on=list(_ALERT), how="inner")
    return rows.select(RUN_DATE, *[c.name for c in TREND_DRIVERS.columns])


def _places(cells: DataFrame, windows: Sequence[Nights], shifts: DataFrame | None) -> DataFrame:
    """Return the nights of each window's baseline and its own.

    Columns: window_date, aspect (empty for what is no aspect), run_date, is_tonight, date_from, n_nights, changed_on, is_old.
    """
    spark = cells.sparkSession
    rows = []
    for w in windows:
        levels, tonight = w.levels()
        days = [d for d, level in zip(w.days, levels, strict=True) if level == tonight]
        sides = [(d, False) for d in days] + [(w.run_date, True)] * bool(days)
        rows += [(w.run_date, w.aspect or "", d, is_tonight, w.days[0], len(days)) for d, is_tonight in sides]
    places = spark.createDataFrame(
        rows, "window_date date, aspect string, run_date date, is_tonight boolean, date_from date, n_nights int"
    )
    if shifts is None:
        return places.withColumns({"changed_on": F.lit(None).cast("date"), "is_old": F.lit(False)})
    changes = shifts.where(F.col("lang") == ALL_LANGUAGES).select(F.col(RUN_DATE).alias("change"))
    tonights = places.where("is_tonight").select("window_date", "aspect", "date_from")
    # one row per window
    last = (
        tonights.join(
            changes, (F.col("change") <= F.col("window_date")) & (F.col("change") > F.col("date_from")), "inner"
        )
        .groupBy("window_date", "aspect")
        .agg(F.max("change").alias("changed_on"))
    )
    joined = places.join(F.broadcast(last), on=["window_date", "aspect"], how="left")
    return joined.withColumn("is_old", F.coalesce(F.col(RUN_DATE) < F.col("changed_on"), F.lit(False)))


def _sums(
    cells: DataFrame, phrases: DataFrame | None, aspects: DataFrame | None, alerts: DataFrame, places: DataFrame
) -> DataFrame:
    """Return per alert, dimension and segment the sums over the baseline (`_0`) and of tonight (`_1`).

    `usual_copies` is the documents per distinct text of the whole corpus over the baseline; null where that has no texts.
    """
    of_all = places.where("aspect = ''").drop("aspect")
    score_sum = F.col("score_sum").cast("decimal(24,9)").alias("score_sum")
    counted = cells.select(RUN_DATE, *CELL, *_LONGS, score_sum)
    per_window = _split(counted.join(F.broadcast(of_all), on=RUN_DATE, how="inner"), CELL)
    choices = [_choice(kind, columns, d) for kind, columns in KINDS.items() for d in _DIMENSIONS if d not in columns]
    everything = _chosen(per_window, choices, CELL)
    zero = F.lit(0).cast("decimal(24,9)").alias("score_sum")
    if aspects is not None:
        found = aspects.where("n_docs > 0").select(
            RUN_DATE, "aspect", *CELL, *ASPECT_COUNTS, F.col("n_effective").alias("n_scored"), zero
        )
        columns = (*CELL, "aspect")
        parts = _split(found.join(F.broadcast(places), on=[RUN_DATE, "aspect"], how="inner"), columns)
        of_aspects = _chosen(parts, [_choice("aspect", ("aspect",), d) for d in _DIMENSIONS], columns)
        everything = everything.unionByName(of_aspects)
    if phrases is not None:
        zeros = {c: F.lit(0).cast("long") for c in ("n_scored", "n_negative")}
        filled = phrases.withColumns(zeros | {"score_sum": zero})
        found = _split(filled.join(F.broadcast(of_all), on=RUN_DATE, how="inner"), ("phrase",))
        none = {"dimension": F.lit("none"), "segment": F.lit("(all)"), "kind": F.lit("phrase")}
        everything = everything.unionByName(found.withColumns(none | {"key": segment_key(("phrase",))}).drop("phrase"))
    # the alerts of a night; (run_date, metric, kind, key) is unique
    matched = everything.join(F.broadcast(alerts.select(*_ALERT)), on=[RUN_DATE, "kind", "key"], how="inner")
    names = [f"{c}_{side}" for c in (*_LONGS, "score_sum") for side in (0, 1)] + ["n_scored_old"]
    sums = matched.groupBy(*_SEGMENT, "date_from", "n_nights", "changed_on").agg(*[F.sum(c).alias(c) for c in names])
    documents, texts = F.sum("n_docs_0"), F.sum("n_effective_0")
    usual = per_window.groupBy(RUN_DATE).agg((documents / F.nullif(texts, F.lit(0))).alias("usual_copies"))
    # one row per night
    return sums.join(F.broadcast(usual), on=RUN_DATE, how="left")


def _chosen(per_window: DataFrame, choices: Sequence[Column], columns: Sequence[str]) -> DataFrame:
    """Return each row once per choice (kind, key, dimension, segment), without the columns these are made of."""
    return per_window.withColumn("c", F.explode(F.array(*choices))).select("*", "c.*").drop("c", *columns)


def _split(joined: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Sum over the nights of each window, the baseline and tonight apart; `run_date` becomes the window's."""
    sides = {0: ~F.col("is_tonight"), 1: F.col("is_tonight")}
    sums = [
        F.sum(F.when(at, F.col(c)).otherwise(F.lit(0).cast("decimal(24,9)" if c == "score_sum" else "long"))).alias(
            f"{c}_{side}"
        )
        for c in (*_LONGS, "score_sum")
        for side, at in sides.items()
    ]
    old = F.sum(F.when(F.col("is_old") & sides[0], F.col("n_scored")).otherwise(F.lit(0))).alias("n_scored_old")
    windowed = joined.drop(RUN_DATE).withColumnRenamed("window_date", RUN_DATE)
    return windowed.groupBy(RUN_DATE, "date_from", "n_nights", "changed_on", *columns).agg(*sums, old)


def _choice(kind: str, columns: Sequence[str], dimension: str) -> Column:
    """Return a cell's kind, key, dimension and segment; key is null, which joins with nothing, where the cell lacks a part."""
    segment = F.coalesce(F.col(dimension).cast("string"), F.lit("(none)"))
    named = {"kind": F.lit(kind), "key": segment_key(columns), "dimension": F.lit(dimension), "segment": segment}
    return F.struct(*[column.alias(name) for name, column in named.items()])


def _with_totals(sums: DataFrame) -> DataFrame:
    """Add x (what a share or mean adds up) of the segment, and the totals of all segments of the dimension."""
    is_share = F.col("metric") == "negative_share"
    x = {f"x_{s}": F.when(is_share, F.col(f"n_negative_{s}").cast("decimal(24,9)")).otherwise(F.col(f"score_sum_{s}"))
         for s in (0, 1)}  # fmt: skip
    whole = Window.partitionBy(*_ALERT, "dimension")
    names = (
        "n_docs_0",
        "n_docs_1",
        "n_effective_0",
        "n_effective_1",
        "n_scored_0",
        "n_scored_1",
        "n_scored_old",
        "x_0",
        "x_1",
    )
    with_x = sums.withColumns(x)
    return with_x.withColumns({f"all_{c}": F.sum(c).over(whole).cast("double") for c in names}).withColumns(
        {c: F.col(c).cast("double") for c in names}
    )


def _with_shifts(segments: DataFrame, shifts: DataFrame | None) -> DataFrame:
    """Add `model_shift`: what the last change of model did to the segment's share or mean; 0 where it was not measured."""
    if shifts is None:
        return segments.withColumn("model_shift", F.lit(0.0))
    metrics = F.array(
        F.struct(F.lit("negative_share").alias("metric"), F.col("shift").alias("by")),
        F.struct(F.lit("mean_sentiment").alias("metric"), F.col("score_shift").alias("by")),
    )
    measured = shifts.where(F.col("sentiment") == "negative").select(
        F.col(RUN_DATE).alias("changed_on"), F.col("lang").alias("shift_lang"), F.explode(metrics).alias("m")
    )
    flat = measured.select("changed_on", "shift_lang", F.col("m.metric").alias("metric"), F.col("m.by").alias("by"))
    of_all = flat.where(F.col("shift_lang") == ALL_LANGUAGES).select(
        "changed_on", "metric", F.col("by").alias("by_all")
    )
    of_lang = flat.where(F.col("shift_lang") != ALL_LANGUAGES).select(
        "changed_on", "metric", F.lit("lang").alias("dimension"), F.col("shift_lang").alias("segment"), "by"
    )
    # (run_date, lang, sentiment) is the key of model_bridge
    joined = segments.join(F.broadcast(of_all), on=["changed_on", "metric"], how="left").join(
        F.broadcast(of_lang), on=["changed_on", "metric", "dimension", "segment"], how="left"
    )
    # the bridge measures the sentiment of documents; what a model does to that towards an aspect it does not know
    known = F.when(F.col("kind") != "aspect", F.coalesce("by", "by_all"))
    return joined.withColumn("model_shift", F.coalesce(known, F.lit(0.0))).drop("by", "by_all")


def _contributions(s: DataFrame) -> DataFrame:
    """Return one row per alert, dimension, segment and component: contribution, baseline, value, change."""
    is_count, is_docs = F.col("metric").isin(*COUNTS), F.col("metric") == "n_docs"
    n = F.col("n_nights").cast("double")
    usual, all_usual = F.col("n_effective_0") / n, F.col("all_n_effective_0") / n
    growth = F.col("n_effective_1") - usual
    volume = F.when(all_usual > 0, usual / F.nullif(all_usual, F.lit(0.0)) * (F.col("all_n_effective_1") - all_usual))
    volume = F.coalesce(volume, growth)
    # a segment's own copies where it had texts enough to show them, else those of the alert's key, else the corpus'
    enough = SPARSE * n
    own = F.when(F.col("n_effective_0") >= enough, F.col("n_docs_0") / F.col("n_effective_0"))
    whole = F.when(F.col("all_n_effective_0") >= enough, F.col("all_n_docs_0") / F.col("all_n_effective_0"))
    per_text = F.when(is_docs, F.coalesce(own, whole, "usual_copies", F.lit(1.0))).otherwise(1.0)
    copies = (F.col("n_docs_1") - F.col("n_docs_0") / n) - growth * per_text

    def ratio(a: str, b: str) -> Column:
        return F.col(a) / F.nullif(F.col(b), F.lit(0.0))

    w0, w1 = ratio("n_scored_0", "all_n_scored_0"), ratio("n_scored_1", "all_n_scored_1")
    rate0, rate1 = ratio("x_0", "n_scored_0"), ratio("x_1", "n_scored_1")
    # a segment that only one side has differs in nothing but its weight
    r0, r1 = F.coalesce(rate0, rate1, F.lit(0.0)), F.coalesce(rate1, rate0, F.lit(0.0))
    all0, all1 = ratio("all_x_0", "all_n_scored_0"), ratio("all_x_1", "all_n_scored_1")
    mix = (w1 - w0) * ((r0 + r1) / 2 - (all0 + all1) / 2)
    model = w1 * F.col("model_shift") * ratio("all_n_scored_old", "all_n_scored_0")
    within = (w0 + w1) / 2 * (r1 - r0) - model

    def part(component: str, value: Column) -> Column:
        return F.struct(F.lit(component).alias("component"), value.alias("contribution"))

    counts = F.array(
        part("volume", volume * per_text),
        part("mix", (growth - volume) * per_text),
        part("campaign", F.when(is_docs, copies).otherwise(0.0)),
    )
    rates = F.array(part("mix", mix), part("within", within), part("model_change", model))
    docs0, docs1 = F.col("all_n_docs_0") / n, F.col("all_n_docs_1")
    before = F.when(is_docs, docs0).when(is_count, all_usual).otherwise(all0)
    after = F.when(is_docs, docs1).when(is_count, F.col("all_n_effective_1")).otherwise(all1)
    rows = s.select(
        *_SEGMENT, "date_from", F.col(RUN_DATE).alias("date_to"), before.alias("baseline"), after.alias("value"),
        (after - before).alias("change"), F.explode(F.when(is_count, counts).otherwise(rates)).alias("p"),
    )  # fmt: skip
    return rows.where(F.col("change").isNotNull()).select("*", "p.component", "p.contribution").drop("p")


def _fewer_segments(parts: DataFrame, most: int) -> DataFrame:
    """Add up the segments of each dimension beyond the `most` with the largest contributions, as `(other)`."""
    size = F.aggregate(
        F.sort_array(F.collect_list(F.abs("contribution")).over(Window.partitionBy(*_SEGMENT))),
        F.lit(0.0),
        lambda a, b: a + b,
    )
    order = Window.partitionBy(*_ALERT, "dimension").orderBy(F.desc("size"), "segment")
    ranked = parts.withColumn("size", size).withColumn("rank", F.dense_rank().over(order))
    named = ranked.withColumn("segment", F.when(F.col("rank") <= most, F.col("segment")).otherwise("(other)"))
    grouped = named.groupBy(*_SEGMENT, "component", "date_from", "date_to", "baseline", "value", "change")
    total = F.aggregate(F.sort_array(F.collect_list("contribution")), F.lit(0.0), lambda a, b: a + b)
    return grouped.agg(total.alias("contribution"))
