"""Series of given aspects: their movements, and nights that know nothing of an aspect."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from tiny_nights import STARTED, row

from pipeline import schemas
from pipeline.manifest import new_run_id
from pipeline.night_patterns import PatternRun, stage_movements
from pipeline.patterns.anomalies import to_anomalies
from pipeline.patterns.aspect_config import AspectsConfig, GivenAspect
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY
from pipeline.patterns.causes import with_likely_cause
from pipeline.patterns.config import PatternsConfig
from pipeline.patterns.drivers import to_trend_drivers
from pipeline.patterns.keyphrase_tables import PHRASE_COUNTS
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.patterns.series import Night, to_series
from pipeline.patterns.trends import to_trends
from pipeline.publish import audit, publish
from pipeline.run_schemas import MODEL_BRIDGE, RUNS
from pipeline.run_tables import with_common
from pipeline.staging import read_staged, stage_table

DAYS = [dt.date(2026, 9, 7) + dt.timedelta(days=i) for i in range(29)]
TONIGHT = DAYS[-1]
KNOWN = {
    "screen": DAYS,
    "rare": DAYS,
    "late": DAYS[-13:],
    "new": DAYS[-5:],
    "gone": DAYS[:-1],
}
"""The nights that looked for each aspect."""
NIGHTS = [Night(d, "m", frozenset(a for a, days in KNOWN.items() if d in days)) for d in DAYS]
CELLS = (
    "run_date date, aspect string, definition string, source string, group_key string, lang string, topic_id bigint, "
    "n_docs bigint, n_effective bigint, n_negative bigint"
)
Cell = tuple[dt.date, str, str, str | None, str | None, str | None, int | None, int, int, int]

pytestmark = [pytest.mark.patterns, pytest.mark.timeout(1800)]


def cells_of(rng: np.random.Generator, day: dt.date, aspect: str, mean: float, share: float) -> list[Cell]:
    """Return the aspect's cells of a night, of two groups, each text in one document; one of zeros where there is none."""
    cells: list[Cell] = []
    for group in ("A", "B"):
        n = int(rng.poisson(mean / 2))
        if n:
            negative = int(rng.binomial(n, share))
            cells.append((day, aspect, "d", "app", group, "en", 1, n, n, negative))
    return cells or [(day, aspect, "d", None, None, None, None, 0, 0, 0)]


@pytest.fixture(scope="module")
def aspects(spark: SparkSession) -> DataFrame:
    """Tonight `screen` turns negative, `rare` is there for the first time, `late` comes three times as often as usual."""
    rng = np.random.default_rng(8)
    rows: list[Cell] = []
    for aspect, days in KNOWN.items():
        for day in days:
            last = day == TONIGHT
            if aspect == "rare":
                rows += cells_of(rng, day, aspect, 16 if last else 0, 0.5)
            else:
                share = 0.85 if last and aspect == "screen" else 0.3
                rows += cells_of(rng, day, aspect, 90 if last and aspect == "late" else 30, share)
    return spark.createDataFrame(rows, CELLS).persist()


@pytest.fixture(scope="module")
def cells(spark: SparkSession) -> DataFrame:
    rows = [(d, "app", g, "en", 1, 40, 40, 40, 12, 0.0, 20.0) for d in DAYS for g in ("A", "B")]
    names = "source string, group_key string, lang string, topic_id bigint, n_docs bigint, n_effective bigint"
    sums = "n_scored bigint, n_negative bigint, score_sum double, score_squares double"
    return spark.createDataFrame(rows, f"run_date date, {names}, {sums}").persist()


@pytest.fixture(scope="module")
def anomalies(cells: DataFrame, aspects: DataFrame) -> DataFrame:
    return to_anomalies(to_series(cells, None, aspects), NIGHTS, [TONIGHT]).persist()


def of_aspects(frame: DataFrame) -> dict[tuple[str, str], Row]:
    return {(r.metric, r.aspect): r for r in frame.where("kind = 'aspect'").collect()}


def test_alerts_name_the_aspect_and_unknown_nights_are_no_zeros(anomalies: DataFrame) -> None:
    rows = of_aspects(anomalies)
    assert {key for key, r in rows.items() if r.is_alert} == {
        ("negative_share", "screen"), ("n_docs", "rare"), ("n_effective", "rare"), ("n_docs", "late"), ("n_effective", "late"),
    }  # fmt: skip
    assert rows["negative_share", "screen"].key == "aspect=screen"
    assert rows["n_docs", "rare"].expected == 0
    assert rows["n_docs", "rare"].n_history == 28, "nights that looked for it and found nothing"
    late = rows["n_docs", "late"]
    assert late.n_history == 12
    assert 24 <= late.expected <= 36
    assert not {"new", "gone"} & {aspect for _, aspect in rows}, "too little history; not looked for any more"
    assert not anomalies.where("metric = 'mean_sentiment' AND aspect IS NOT NULL").count()
    assert {r.n_tested for r in anomalies.collect()} == {anomalies.count()}, "one family, and no row left out"


def test_drivers_of_aspects_add_up_over_nights_that_know_them(
    anomalies: DataFrame, cells: DataFrame, aspects: DataFrame
) -> None:
    drivers = to_trend_drivers(anomalies, cells, None, NIGHTS, [TONIGHT], aspects=aspects)
    parts = drivers.where("kind = 'aspect'").toPandas()
    whole = parts.groupby(["metric", "aspect", "dimension"]).agg(
        total=("contribution", "sum"), change=("change", "first")
    )
    assert np.abs(whole.total - whole.change).max() < 1e-9
    assert set(parts.dimension) == {"source", "group_key", "lang", "topic_id"}
    assert set(parts[parts.dimension == "group_key"].segment) == {"A", "B"}
    late = parts[(parts.aspect == "late") & (parts.metric == "n_docs")]
    assert late.date_from.unique().tolist() == [KNOWN["late"][0]]
    assert 24 <= late.baseline.iloc[0] <= 36
    causes = {key: r.likely_cause for key, r in of_aspects(with_likely_cause(anomalies, drivers, NIGHTS)).items()}
    assert causes["negative_share", "screen"] == "sentiment"
    assert causes["n_docs", "late"] == "volume"
    swapped = [Night(n.run_date, "old" if n.run_date < KNOWN["late"][0] else "m", n.aspects) for n in NIGHTS]
    broken = of_aspects(with_likely_cause(anomalies, drivers, swapped))
    assert broken["negative_share", "screen"].likely_cause == "model_change"


def test_trends_of_aspects_have_windows_of_their_own(cells: DataFrame, aspects: DataFrame) -> None:
    rows = of_aspects(to_trends(to_series(cells, None, aspects), NIGHTS, [TONIGHT]))
    assert {aspect for _, aspect in rows} == {"screen", "rare", "late"}
    assert rows["n_docs", "screen"].n_nights == 28
    assert (rows["n_docs", "late"].n_nights, rows["n_docs", "late"].window_start) == (13, KNOWN["late"][0])
    assert rows["n_docs", "screen"].direction == "flat"


def test_quiet_aspects_have_few_false_alerts(spark: SparkSession, cells: DataFrame) -> None:
    """Nothing happens to 200 aspects, half of them known for two weeks: p values are as rare as they say."""
    rng = np.random.default_rng(21)
    known = {f"a{i}": DAYS if i % 2 else DAYS[-15:] for i in range(200)}
    rows = [cell for aspect, days in known.items() for day in days for cell in cells_of(rng, day, aspect, 60, 0.4)]
    nights = [Night(d, "m", frozenset(a for a, days in known.items() if d in days)) for d in DAYS]
    series = to_series(cells, None, spark.createDataFrame(rows, CELLS))
    found = to_anomalies(series, nights, DAYS[-3:]).where("kind = 'aspect'").toPandas()
    for metric, tests in found.groupby("metric"):
        assert len(tests) == 600, metric
        # three standard errors of 600 tests around 0.05, and below them what discrete counts lose
        assert 0.015 <= (tests.p_value <= 0.05).mean() <= 0.077, metric
    assert found.is_alert.sum() <= 3


def test_a_definition_is_of_terms_and_reading() -> None:
    def definition(**changes: object) -> str:
        given = GivenAspect(name="power", terms={"en": ("battery", "charger"), "any": ("7.2.0",)})
        return AspectsConfig(given=(given,)).model_copy(update=changes).definitions()["power"]

    reordered = GivenAspect(name="power", terms={"any": ("7.2.0",), "en": ("charger", "battery")})
    other = GivenAspect(name="power", terms={"en": ("battery",), "any": ("7.2.0",)})
    assert definition(given=(reordered,)) == definition(max_mined=3) == definition()
    assert len({definition(), definition(given=(other,)), definition(max_chars=100)}) == 3


TABLES = (CELLS_DAILY, PHRASE_COUNTS, ASPECT_CELLS_DAILY, MODEL_BRIDGE, RUNS)


def stage(
    spark: SparkSession, root: Path, cells: DataFrame, aspects: DataFrame, days: list[dt.date], run_id: str
) -> None:
    """Stage nights of the tables that movements are made of."""
    frames = {CELLS_DAILY.name: cells, ASPECT_CELLS_DAILY.name: aspects}
    runs = [row(RUNS, day, 0, run_id, "") for day in days]
    for table in schemas.TABLES:
        empty = spark.createDataFrame(runs if table is RUNS else [], table.struct())
        frame = frames.get(table.name, empty)
        rows = frame.where(frame.run_date.isin(days))
        stage_table(rows if table is RUNS else with_common(rows, run_id, STARTED), table, root, run_id, days)


def test_nights_published_without_the_table_or_by_other_terms_are_unknown(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: DataFrame, aspects: DataFrame
) -> None:
    catalog = f"aspects_{tmp_path.name}".replace("-", "_")
    changed = aspects.where("aspect = 'rare'").drop("definition").selectExpr("*", "'other' AS definition")
    together = aspects.where("aspect != 'rare'").unionByName(changed)
    before = [table for table in TABLES if table is not ASPECT_CELLS_DAILY]
    parts = [(before, DAYS[:15], aspects), (list(TABLES), DAYS[15:20], together), (list(TABLES), DAYS[20:-1], aspects)]
    for tables, days, frame in parts:
        monkeypatch.setattr(schemas, "TABLES", tuple(tables))
        run_id = new_run_id(STARTED)
        stage(spark, tmp_path, cells, frame, days, run_id)
        audits = [entry for table in tables for entry in audit(spark, table, tmp_path, run_id, days)]
        publish(spark, tmp_path, catalog, run_id, audits)
    tonight = new_run_id(STARTED)
    stage(spark, tmp_path, cells, aspects, [TONIGHT], tonight)
    run = PatternRun(tmp_path, tonight, [TONIGHT], PatternsConfig(), "m", lambda f: with_common(f, tonight, STARTED))
    n = stage_movements(spark, run)
    staged = {t.name: read_staged(spark, t, tmp_path, tonight) for t in (ANOMALIES, TRENDS, TREND_DRIVERS)}
    rows = of_aspects(staged["anomalies"])
    assert n == staged["anomalies"].count()
    assert rows["n_docs", "screen"].n_history == 13, "the table is known from night 15 on"
    assert rows["n_docs", "rare"].n_history == 8, "its terms are tonight's from night 20 on"
    assert rows["negative_share", "screen"].is_alert
    assert {r.n_history for r in staged["anomalies"].where("kind = 'overall'").collect()} == {28}
    assert of_aspects(staged["trends"])["n_docs", "screen"].n_nights == 14
    assert staged["trend_drivers"].where("aspect = 'screen'").count() > 0
