"""Anomalies: each night against what its own history says. See `docs/patterns/movements.md`."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.fdr import with_q_values
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.movement_tables import ANOMALIES
from pipeline.patterns.series import Night, make_windows, with_windows
from udfs.patterns.calendar import Nights
from udfs.patterns.movements import MovementSpec, make_fit, make_predict, make_priors

_KEYS = (
    "run_date date, metric string, kind string, key string, topic_id bigint, group_key string, source string, "
    "lang string, phrase string, aspect string"
)
_FAMILY = (RUN_DATE, "metric", "family")
_FIT = (
    f"{_KEYS}, copies double, value double, n_texts double, n_history int, family string, expected double, weight double, "
    "spread double, size double, dispersion double, dof double, log_dispersion double, noise double"
)
_TESTS = (
    f"{_KEYS}, value double, n_texts double, n_history int, expected double, lower double, upper double, score double, "
    "p_value double, dispersion double, dof double"
)


def history_windows(nights: Sequence[Night], dates: Sequence[date], config: MovementConfig) -> tuple[Nights, ...]:
    """Return for each date the published nights before it, as far back as the configuration says.

    Of each aspect that the date knows there is one more window, of the nights that know it too.
    """
    return make_windows(nights, dates, config, lambda age: timedelta(0) < age <= timedelta(config.history_days))


def to_anomalies(
    series: DataFrame, nights: Sequence[Night], dates: Sequence[date], config: MovementConfig | None = None
) -> DataFrame:
    """Return the `anomalies` table of `dates`, `likely_cause` null; see `with_likely_cause`.

    Args:
        series: `to_series` of the dates and their history; rows of other nights are not looked at.
        nights: the published nights. A day that is not among them is not known, rather than without documents; so is, for an
            aspect, a night that did not look for it.
        dates: nights to make rows for. A date with fewer than `min_history` published nights before it gets none.
    """
    config = config or MovementConfig()
    windows = history_windows(nights, dates, config)
    spec = MovementSpec(
        windows,
        config.min_history,
        config.min_texts,
        config.min_night_texts,
        config.outlier_cut,
        config.outlier_share,
    )
    fitted = with_windows(series, windows, tonight=True).mapInPandas(make_fit(spec), _FIT)
    # one row per family on the right
    supported = fitted.join(F.broadcast(_priors(fitted, config)), on=list(_FAMILY), how="inner")
    columns = [f.split()[0] for f in f"{_FIT}, prior double, lent double".split(", ")]
    tests = supported.select(*columns).mapInPandas(make_predict(), _TESTS)
    tests = tests.withColumn("is_phrase", F.col("kind") == "phrase")
    tested = with_q_values(tests, "p_value", "q_value", RUN_DATE, share="is_phrase", count="n_tested")
    kept = tested.where((F.col("kind") != "phrase") | (F.col("q_value") <= max(config.kept_q, config.alert_q)))
    difference = F.col("value") - F.col("expected")
    rows = kept.withColumns(
        {
            "event_date": F.col(RUN_DATE),
            "n_texts": F.when(~F.isnan("n_texts"), F.col("n_texts").cast("long")),
            "direction": F.when(difference > 0, "up").when(difference < 0, "down").otherwise("same"),
            "is_alert": F.col("q_value") <= config.alert_q,
            "likely_cause": F.lit(None).cast("string"),
        }
    )
    return rows.select(RUN_DATE, *[c.name for c in ANOMALIES.columns])


def _priors(fitted: DataFrame, config: MovementConfig) -> DataFrame:
    """Return dispersion and degrees of freedom that each family lends; sums over decimals, whatever the order of rows."""
    speaks = ~F.isnan("log_dispersion") & ~F.isnan("noise")
    n = F.count_if(speaks).cast("double")

    def total(value: str) -> Column:
        return F.sum(F.when(speaks, F.expr(value).cast("decimal(28,12)"))).cast("double")

    mean = total("log_dispersion") / n
    moments = fitted.groupBy(*_FAMILY).agg(
        n.alias("n"), mean.alias("mean"),
        ((total("log_dispersion * log_dispersion") - n * mean * mean) / F.nullif(n - 1, F.lit(0.0))).alias("variance"),
        (total("noise") / n).alias("noise"),
    )  # fmt: skip
    schema = "run_date date, metric string, family string, prior double, lent double"
    return moments.mapInPandas(make_priors(config.family_series), schema)
