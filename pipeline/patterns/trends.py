"""Trends: slope and change point of each series over a window of nights. See `docs/patterns/movements.md`."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.fdr import with_q_values
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.movement_tables import TRENDS
from pipeline.patterns.series import Night, make_windows, with_windows
from udfs.patterns.calendar import Nights
from udfs.patterns.movements import MovementSpec, make_trends

_ROWS = (
    "run_date date, metric string, kind string, key string, topic_id bigint, group_key string, source string, lang string, "
    "phrase string, aspect string, n_nights int, slope double, slope_low double, slope_high double, p_value double, "
    "start double, changepoint int, changepoint_step double, changepoint_p double"
)


def trend_windows(nights: Sequence[Night], dates: Sequence[date], config: MovementConfig) -> tuple[Nights, ...]:
    """Return for each date the published nights up to it, itself included, within `trend_days`; aspects have their own."""
    return make_windows(nights, dates, config, lambda age: timedelta(0) <= age < timedelta(config.trend_days))


def to_trends(
    series: DataFrame, nights: Sequence[Night], dates: Sequence[date], config: MovementConfig | None = None
) -> DataFrame:
    """Return the `trends` table of `dates`; arguments as of `to_anomalies`.

    A date with fewer than `min_trend_nights` published nights in its window gets no rows. `nights` should name the model of
    each date too: a window with two different known models is a break.
    """
    config = config or MovementConfig()
    windows = trend_windows(nights, dates, config)
    spec = MovementSpec(
        windows,
        config.min_trend_nights,
        config.min_texts,
        config.min_night_texts,
        config.outlier_cut,
        config.outlier_share,
    )
    tests = with_windows(series, windows, tonight=False).mapInPandas(make_trends(spec), _ROWS)
    tests = tests.withColumn("changepoint_p", F.when(~F.isnan("changepoint_p"), F.col("changepoint_p")))
    tests = tests.withColumn("is_phrase", F.col("kind") == "phrase")
    ranked = with_q_values(tests, "p_value", "q_value", RUN_DATE, share="is_phrase")
    ranked = with_q_values(ranked, "changepoint_p", "changepoint_q", RUN_DATE, share="is_phrase")
    limit = max(config.kept_q, config.alert_q)
    small = (F.col("q_value") <= limit) | (F.coalesce("changepoint_q", F.lit(1.0)) <= limit)
    kept = ranked.where((F.col("kind") != "phrase") | small)
    same = (F.col(RUN_DATE) == F.col("window_date")) & F.col("aspect").eqNullSafe(F.col("of_aspect"))
    # one window per date and aspect
    rows = kept.join(F.broadcast(_window_frame(series, windows, nights)), on=same, how="inner")
    span = F.date_diff("window_end", "window_start")
    # a step after a long quiet is no line: where the slope is not sure, the change point says the direction
    moved = F.when(F.col("q_value") <= config.alert_q, F.col("slope")).when(
        F.col("changepoint_q") <= config.alert_q, F.col("changepoint_step")
    )
    rows = rows.withColumn("change_abs", F.col("slope") * span).withColumns(
        {
            "change_pct": F.when(F.col("start") > 0, 100 * F.col("change_abs") / F.col("start")),
            "direction": F.when(moved > 0, "up").when(moved < 0, "down").otherwise("flat"),
            "changepoint": F.when(F.col("changepoint_q") <= config.alert_q, F.get(F.col("days"), F.col("changepoint"))),
            "changepoint_step": F.when(~F.isnan("changepoint_step"), F.col("changepoint_step")),
        }
    )
    return rows.select(RUN_DATE, *[c.name for c in TRENDS.columns])


def _window_frame(series: DataFrame, windows: Sequence[Nights], nights: Sequence[Night]) -> DataFrame:
    """Return window_date, of_aspect, window_start, window_end, days and model_break of each window."""
    models = {n.run_date: n.model_key for n in nights}
    rows = [
        (w.run_date, w.aspect, w.days[0], w.days[-1], list(w.days), len({models.get(d) for d in w.days} - {None}) > 1)
        for w in windows
    ]
    schema = (
        "window_date date, of_aspect string, window_start date, window_end date, days array<date>, model_break boolean"
    )
    return series.sparkSession.createDataFrame(rows, schema)
