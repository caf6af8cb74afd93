"""The likely cause of an alert, read from its drivers."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.documents import RUN_DATE
from pipeline.patterns.anomalies import history_windows
from pipeline.patterns.movement_config import MovementConfig
from pipeline.patterns.movement_tables import ANOMALIES
from pipeline.patterns.series import COUNTS, Night

_ALERT = (RUN_DATE, "metric", "kind", "key")


def with_likely_cause(
    anomalies: DataFrame, drivers: DataFrame, nights: Sequence[Night], config: MovementConfig | None = None
) -> DataFrame:
    """Fill `likely_cause` of alerts: the component with the largest total, in the dimension that has the largest mix.

    An alert about sentiment whose history holds another known model than tonight's, without a measured shift, is `model_change`.

    Args:
        drivers: `trend_drivers` of the same dates.
    """
    config = config or MovementConfig()
    signed = drivers.groupBy(*_ALERT, "dimension", "component").agg(
        F.round(F.abs(F.sum(F.col("contribution").cast("decimal(28,12)")).cast("double")), 9).alias("size")
    )
    sides = F.map_from_entries(F.sort_array(F.collect_list(F.struct("component", "size"))))
    by_dimension = signed.groupBy(*_ALERT, "dimension").agg(sides.alias("sizes"))
    chosen = by_dimension.groupBy(*_ALERT).agg(
        F.max_by("sizes", F.struct(F.coalesce(F.col("sizes")["mix"], F.lit(0.0)), "dimension")).alias("sizes")
    )
    entries = F.transform(F.map_entries("sizes"), lambda e: F.struct(e["value"].alias("size"), e["key"].alias("name")))
    found = chosen.select(
        *_ALERT, F.array_max(entries)["name"].alias("largest"), F.col("sizes")["model_change"].alias("m")
    )
    broken = _broken(nights, anomalies, config)
    same = (F.col(RUN_DATE) == F.col("window_date")) & F.col("aspect").eqNullSafe(F.col("of_aspect"))
    # one row per alert, and one per night and aspect
    joined = anomalies.join(F.broadcast(found), on=list(_ALERT), how="left").join(
        F.broadcast(broken), on=same, how="left"
    )
    unmeasured = ~F.col("metric").isin(*COUNTS) & F.col("is_broken") & (F.coalesce("m", F.lit(0.0)) == 0)
    cause = (
        F.when(unmeasured, "model_change").when(F.col("largest") == "within", "sentiment").otherwise(F.col("largest"))
    )
    rows = joined.withColumn("likely_cause", F.when(F.col("is_alert"), cause))
    return rows.select(RUN_DATE, *[c.name for c in ANOMALIES.columns])


def _broken(nights: Sequence[Night], anomalies: DataFrame, config: MovementConfig) -> DataFrame:
    """Return for each published night, and each aspect it knows, whether its history holds another known model than its own."""
    models = {n.run_date: n.model_key for n in nights}
    windows = history_windows(nights, sorted(models), config)
    rows = [(w.run_date, w.aspect, len({models[d] for d in (*w.days, w.run_date)} - {None}) > 1) for w in windows]
    return anomalies.sparkSession.createDataFrame(rows, "window_date date, of_aspect string, is_broken boolean")
