"""Scoring: texts the store does not know go through the model once; documents take their scores from the store."""

from collections.abc import Mapping
from datetime import date
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from pipeline.config import ScoringConfig
from pipeline.documents import RUN_DATE, TEXT, TEXT_CHARS
from pipeline.placement import Load, placed
from pipeline.stage_profile import stage_profile
from pipeline.store import KEYS, SETTLED_ERRORS, STORED, ScoreStore
from pipeline.topics import TopicModel
from udfs.isolation import CRASH, HANG, Patience
from udfs.spec import ScoreSpec, TopicSpec
from udfs.topics import make_assign
from udfs.worker import Counters, make_score, make_score_isolated


def unseen(texts: DataFrame, store: ScoreStore, *, retry_errors: bool = False) -> DataFrame:
    """Keep the texts whose result is not in the store, or is there with an error worth another try.

    Args:
        retry_errors: try again also those that killed a worker, which costs a model load or more for each.
    """
    final = SETTLED_ERRORS if retry_errors else (*SETTLED_ERRORS, CRASH, HANG)
    return texts.join(store.settled(texts, final), on=list(KEYS), how="left_anti")


def scored(
    texts: DataFrame,
    load: Load,
    spec: ScoreSpec,
    counters: Counters,
    scoring: ScoringConfig | None = None,
    patience: Patience | None = None,
) -> DataFrame:
    """Run the fused inference stage over texts (content_key, lang_hint, text, perhaps text_chars), one row each.

    Partitions and their order follow from the texts alone, so results do not depend on the cluster.

    Args:
        load: what `pipeline.placement.measured` found in `texts`.
        scoring: size of a task, and what it asks of a cluster; by default what the configuration has by default.
        patience: score each text at the mercy of a child process; one that kills it, or makes it hang, gets an error code.

    Raises:
        ConfigError: the session cannot give what `scoring` asks for.
    """
    wanted = scoring or ScoringConfig()
    tasks = placed(texts, load, wanted.tokens_per_task)
    profile = stage_profile(wanted, texts.sparkSession)
    score = make_score(spec, counters) if patience is None else make_score_isolated(spec, counters, patience)
    return tasks.mapInArrow(score, STORED, profile=profile)


def with_topics(results: DataFrame, topics: TopicSpec | None) -> DataFrame:
    """Assign the topics of `topics` to results that were scored under another topic model, or before there was one.

    Needs the stored vectors only, no text and no model. Without a topic model all topic columns are null.
    """
    if topics is None:
        nothing = {"topic_model_key": "string", "topic_id": "bigint", "topic_distance": "double"}
        return results.withColumns({name: F.lit(None).cast(dtype) for name, dtype in nothing.items()})
    current = F.col("topic_model_key").eqNullSafe(topics.key) | F.col("embedding").isNull()
    assigned = results.where(~current).mapInArrow(make_assign(topics), results.schema)
    return results.where(current).unionByName(assigned)


def with_nightly_topics(documents: DataFrame, models: Mapping[date, TopicModel], have: date) -> DataFrame:
    """Assign the topics of each night's own model to scored documents that have those of the night `have`."""
    current = models[have].spec if models else None
    others: dict[TopicSpec, list[date]] = {}
    for night, model in models.items():
        if model.spec != current:
            others.setdefault(model.spec, []).append(night)
    parts = [documents.where(F.col(RUN_DATE).isin(nights)) for nights in others.values()]
    if not parts:
        return documents
    changed = [with_topics(part, spec) for part, spec in zip(parts, others, strict=True)]
    same = documents.where(~F.col(RUN_DATE).isin([night for nights in others.values() for night in nights]))
    return reduce(DataFrame.unionByName, changed, same)


def with_other(documents: DataFrame, models: Mapping[date, TopicModel]) -> DataFrame:
    """Add `is_other`: whether a document is farther from its topic than is usual for it; null without a topic."""
    usual = {(m.spec.key, t.topic_id): t.usual_distance for m in models.values() for t in m.active}
    rows = [(*key, distance) for key, distance in usual.items()]
    schema = "topic_model_key string, topic_id bigint, usual_distance double"
    # one row per topic of a model: small, and at most one for a document
    known = F.broadcast(documents.sparkSession.createDataFrame(rows, schema))
    joined = documents.join(known, on=["topic_model_key", "topic_id"], how="left")
    return joined.withColumn("is_other", F.col("topic_distance") > F.col("usual_distance")).drop("usual_distance")


def to_scored_documents(documents: DataFrame, results: DataFrame, fresh: DataFrame) -> DataFrame:
    """Give every document its result.

    Args:
        documents: accepted documents of the run's nights.
        results: stored results, one row per (content_key, lang_hint).
        fresh: (content_key, lang_hint) scored in this run.

    Returns:
        The documents (without text) with the result's columns, `is_canonical` (first of the night with its text) and
        `from_cache` (the text was not scored in this run for this night).
    """
    same_text = Window.partitionBy(RUN_DATE, *KEYS).orderBy("event_ts", "doc_id")
    this_text = Window.partitionBy(*KEYS)
    marked = documents.drop(TEXT, TEXT_CHARS).withColumns(
        {"is_canonical": F.row_number().over(same_text) == 1, "first_night": F.min(RUN_DATE).over(this_text)}
    )
    # both sides of these joins hold one row per key
    new = fresh.select(*KEYS, F.lit(True).alias("is_new"))
    joined = marked.join(results, on=list(KEYS), how="inner").join(new, on=list(KEYS), how="left")
    is_fresh = F.coalesce("is_new", F.lit(False)) & (F.col(RUN_DATE) == F.col("first_night"))
    return joined.withColumn("from_cache", ~is_fresh).drop("is_new", "first_night")


def store_name(run_id: str, part: int, chunk: int = 0) -> str:
    """Return the name of a store folder, unique per run, part and chunk."""
    return f"{run_id}-{part}-{chunk:04}"


def topics_folder(root: Path) -> Path:
    """Return the folder of the fitted topic models."""
    return root / "_models" / "topics"
