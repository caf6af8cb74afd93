"""The pattern stages of a night: duplicates of its documents, then, from its staged documents, phrases and rules, then movements.

The history of earlier nights is read from what is published, never from documents: `phrase_counts`, `cells_daily`,
`aspect_cells_daily`, `dup_groups`. Movements come last, after the aspects (`pipeline.night_aspects`), which need the phrases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline import run_schemas, schemas
from pipeline.documents import CONTENT_KEY, DOC_ID, DUP_GROUP_ID, RUN_DATE, TEXT, counting_unit
from pipeline.history import published_nights, read_history
from pipeline.patterns.anomalies import to_anomalies
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY
from pipeline.patterns.causes import with_likely_cause
from pipeline.patterns.concept_tables import CONCEPT_GRAPH, FACTS
from pipeline.patterns.concepts import to_concept_graph
from pipeline.patterns.config import PatternsConfig
from pipeline.patterns.drivers import to_trend_drivers
from pipeline.patterns.dup_group_tables import DUP_GROUPS, Duplicates, find_duplicates
from pipeline.patterns.facts import to_facts
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY, PHRASE_COUNTS
from pipeline.patterns.keyphrases import to_keyphrases_daily, to_phrase_counts
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.patterns.rule_tables import ASSOCIATION_RULES
from pipeline.patterns.rules import to_association_rules
from pipeline.patterns.series import Night as PublishedNight
from pipeline.patterns.series import to_cells_daily, to_series
from pipeline.patterns.settled import settled
from pipeline.patterns.texts import to_distinct_texts, with_phrases
from pipeline.patterns.trends import to_trends
from pipeline.staging import read_staged, stage_table
from pipeline.table import Table


@dataclass(frozen=True)
class PatternRun:
    """What the stages know of the run. `complete` adds the columns every table has."""

    root: Path
    run_id: str
    dates: Sequence[date]
    config: PatternsConfig
    model_key: str
    complete: Callable[[DataFrame], DataFrame]

    def stage(self, frame: DataFrame, table: Table) -> None:
        """Write a table's nights where no reader looks."""
        stage_table(self.complete(frame), table, self.root, self.run_id, self.dates)

    def earlier(self) -> list[date]:
        """Return the published nights before the run's last one that it does not publish itself, as far back as is looked."""
        config = self.config
        days = max(
            config.movements.history_days, config.movements.trend_days, config.keyphrases.history_nights,
            config.near_duplicates.history_nights,
        )  # fmt: skip
        nights = published_nights(self.root, self.dates[0] - timedelta(days), self.dates[-1])
        return [night for night in nights if night not in set(self.dates)]

    def with_history(self, spark: SparkSession, table: Table) -> DataFrame:
        """Return the run's staged rows of a table and those of earlier nights."""
        staged = read_staged(spark, table, self.root, self.run_id)
        return staged.unionByName(read_history(spark, self.root, table, self.earlier()))


def duplicates(spark: SparkSession, run: PatternRun, documents: DataFrame) -> Duplicates | None:
    """Find the duplicate groups of accepted documents; None where patterns are off."""
    if not run.config.enabled:
        return None
    history = read_history(spark, run.root, DUP_GROUPS, run.earlier())
    found = find_duplicates(documents, run.dates, run.config.near_duplicates, history)
    return Duplicates(found.groups, settled(found.members))


def with_groups(documents: DataFrame, found: Duplicates | None) -> DataFrame:
    """Add `dup_group_id` to documents (run_date, doc_id, ...); null where a text stands alone."""
    if found is None:
        return documents.withColumn(DUP_GROUP_ID, F.lit(None).cast("string"))
    # (run_date, doc_id) is unique on the right
    return documents.join(found.members.select(RUN_DATE, DOC_ID, DUP_GROUP_ID), [RUN_DATE, DOC_ID], "left")


def stage_patterns(spark: SparkSession, run: PatternRun, documents: DataFrame, doc_scores: DataFrame) -> int:
    """Stage the pattern tables of the nights but those of movements; return the number of distinct texts looked at.

    Where patterns are off, all are staged, without rows.

    Args:
        documents: accepted documents with their text.
        doc_scores: the run's staged `doc_scores`.
    """
    if not run.config.enabled:
        for table in schemas.PATTERN_TABLES:
            run.stage(spark.createDataFrame([], table.struct()), table)
        return 0
    units = _units(doc_scores)
    run.stage(to_cells_daily(units), CELLS_DAILY)
    return _stage_phrases(spark, run, documents, units)


def stage_cells(run: PatternRun, doc_scores: DataFrame) -> None:
    """Stage `cells_daily` alone, which needs no text."""
    run.stage(to_cells_daily(_units(doc_scores)), CELLS_DAILY)


def stage_movements(spark: SparkSession, run: PatternRun) -> int:
    """Stage anomalies, drivers and trends, cells, phrases and aspects being staged; return the number of rows of anomalies."""
    if not run.config.enabled:
        return 0
    config = run.config.movements
    cells = settled(run.with_history(spark, CELLS_DAILY))
    phrases = settled(_over_languages(run.with_history(spark, PHRASE_COUNTS)))
    aspects = settled(_same_definition(spark, run))
    nights = _published(spark, run, aspects)
    series = settled(to_series(cells, phrases, aspects))
    anomalies = settled(to_anomalies(series, nights, run.dates, config))
    shifts = read_history(spark, run.root, run_schemas.MODEL_BRIDGE, run.earlier())
    drivers = settled(to_trend_drivers(anomalies, cells, phrases, nights, run.dates, config, shifts, aspects))
    run.stage(with_likely_cause(anomalies, drivers, nights, config), ANOMALIES)
    run.stage(drivers, TREND_DRIVERS)
    run.stage(to_trends(series, nights, run.dates, config), TRENDS)
    return anomalies.count()


def _units(doc_scores: DataFrame) -> DataFrame:
    """Return `doc_scores` with near-duplicates made one: their group as content_key, its first document as the canonical one."""
    first = Window.partitionBy(RUN_DATE, counting_unit()).orderBy("event_ts", DOC_ID)
    return doc_scores.withColumn("is_canonical", F.row_number().over(first) == 1).withColumn(
        CONTENT_KEY, counting_unit()
    )


def _stage_phrases(spark: SparkSession, run: PatternRun, documents: DataFrame, units: DataFrame) -> int:
    config = run.config
    texts = settled(documents.select(RUN_DATE, DOC_ID, TEXT))
    distinct = settled(to_distinct_texts(texts, units))
    phrased = settled(with_phrases(distinct, config.keyphrases))
    counts = settled(to_phrase_counts(phrased, config.keyphrases))
    run.stage(counts.where(~F.col("is_part")), PHRASE_COUNTS)
    history = settled(run.with_history(spark, PHRASE_COUNTS))
    keyphrases = to_keyphrases_daily(counts, history, phrased, texts, run.dates, config.keyphrases)
    run.stage(keyphrases, KEYPHRASES_DAILY)
    staged = read_staged(spark, KEYPHRASES_DAILY, run.root, run.run_id)
    run.stage(to_association_rules(phrased, staged, texts, run.dates, config.rules), ASSOCIATION_RULES)
    run.stage(to_concept_graph(phrased, staged, run.dates, config.concepts), CONCEPT_GRAPH)
    run.stage(to_facts(distinct, staged, run.dates, config.concepts), FACTS)
    return phrased.count()


def _over_languages(counts: DataFrame) -> DataFrame:
    """Return run_date, phrase, n_docs, n_effective of `phrase_counts`, languages added up."""
    return counts.groupBy(RUN_DATE, "phrase").agg(
        F.sum("n_docs").alias("n_docs"), F.sum("n_effective").alias("n_effective")
    )


def _same_definition(spark: SparkSession, run: PatternRun) -> DataFrame:
    """Return the cells of the run's given aspects, tonight's and those of earlier nights that have them by the same terms."""
    tonight = read_staged(spark, ASPECT_CELLS_DAILY, run.root, run.run_id).select("aspect", "definition").distinct()
    return run.with_history(spark, ASPECT_CELLS_DAILY).join(F.broadcast(tonight), ["aspect", "definition"], "left_semi")


def _published(spark: SparkSession, run: PatternRun, aspects: DataFrame) -> list[PublishedNight]:
    """Return the nights of the history and of the run with their model keys and the aspects that have cells."""
    runs = read_history(spark, run.root, run_schemas.RUNS, run.earlier()).select(RUN_DATE, "model_key")
    known = {row[RUN_DATE]: row["model_key"] for row in runs.collect()}  # bounded: one row per night of the history
    nights = {night: known.get(night) for night in run.earlier()} | dict.fromkeys(run.dates, run.model_key)
    looked_for: dict[date, set[str]] = {}
    rows = aspects.select(RUN_DATE, "aspect").distinct()
    for row in rows.collect():  # bounded: nights of the history x given aspects, at most 100
        looked_for.setdefault(row[RUN_DATE], set()).add(row["aspect"])
    return [PublishedNight(day, key, frozenset(looked_for.get(day, ()))) for day, key in sorted(nights.items())]
