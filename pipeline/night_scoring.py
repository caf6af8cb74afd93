"""The scoring stages of a night: what the store does not know is scored, topics, cascade and change of model follow."""

import dataclasses
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from pipeline.bridge import bridge, changed_model, judged
from pipeline.cascade import escalate
from pipeline.chunks import Chunk, Outcome, cut, score_chunks
from pipeline.documents import to_texts
from pipeline.errors import PartialError
from pipeline.failpoints import failpoint
from pipeline.placement import measured
from pipeline.progress import Stage
from pipeline.scoring import scored, store_name, topics_folder, unseen
from pipeline.store import ScoreStore
from pipeline.topic_runs import TopicPlace, in_sample, recent_nights, recent_texts, refitted, sample_of
from pipeline.topics import fit_topics, refit_due
from udfs.isolation import Patience
from udfs.spec import ScoreSpec
from udfs.worker import Counters

if TYPE_CHECKING:
    from pipeline.night import Night

logger = logging.getLogger(__name__)
_IDLE = "spark.sql.execution.pyspark.udf.idleTimeoutSeconds"
_KILL = "spark.sql.execution.pyspark.udf.killOnIdleTimeout"
_FEWEST_LOST, _MOST_LOST = 3, 20


def score(spark: SparkSession, night: "Night", kept: DataFrame) -> tuple[ScoreStore, list[Path]]:
    """Score what the store does not know. Returns the store and the folders this run wrote to it.

    Before there is a topic model, a bounded sample of the texts goes first and the model is fitted on it. Refits come after all
    texts are scored.
    """
    store = ScoreStore(spark, night.root, night.spec.model_key())
    with night.stages.stage("lookup") as stage:
        texts = to_texts(kept)
        pending = unseen(texts, store, retry_errors=night.retry_errors).persist(StorageLevel.MEMORY_AND_DISK)
        stage.rows = pending.count()
    place = TopicPlace(topics_folder(night.root), night.spec.space_key())
    night.topics = place.model(night.dates[-1])
    written: list[Path] = []
    if night.topics is None:
        is_first = in_sample("content_key", texts.count(), night.config.topics.sample_size)
        written += _score_part(night, store, pending.where(is_first), 0)
        _fit_topics(night, store, texts.where(is_first), place)
        written += _score_part(night, store, pending.where(~is_first), 1)
    else:
        written += _score_part(night, store, pending, 0)
    pending.unpersist()
    _refit_topics(spark, night, store, place)
    failpoint("after_score")
    return store, written


def _score_part(night: "Night", store: ScoreStore, pending: DataFrame, part: int) -> list[Path]:
    spec = dataclasses.replace(night.spec, topics=night.topics.spec if night.topics else None)
    stage, written = score_into(night, store, pending, spec, part, "score")
    night.texts_scored += stage.rows
    night.scoring_seconds += stage.seconds
    return written


def score_into(
    night: "Night", store: ScoreStore, pending: DataFrame, spec: ScoreSpec, part: int, name: str
) -> tuple[Stage, list[Path]]:
    """Score texts into a store as the stage `name`, chunk by chunk; nothing is written where there are none.

    Raises:
        PartialError: a limit of the run was reached first; what was scored is in the store.
    """
    store.describe(spec.key_parts())
    load = measured(pending, spec)
    if load.rows == 0:
        return Stage(name), []
    context = pending.sparkSession.sparkContext
    counters = Counters(rows=context.accumulator(0), tokens=context.accumulator(0), model_loads=context.accumulator(0))
    scoring, chunks = night.config.scoring, cut(load, night.chunk_tokens)

    spark = pending.sparkSession

    def write(chunk: Chunk, is_isolated: bool) -> Path:
        # a second try must have a name of its own: of the first one a folder without results may be left
        number = chunk.number + len(chunks) if is_isolated else chunk.number
        patience = _patience(night, chunk) if is_isolated else None
        results = scored(pending.where(chunk.holds()), chunk.load, spec, counters, scoring, patience)
        # a child process has a timeout of its own
        with _hang_timeout(spark, 0) if is_isolated else nullcontext():
            return store.write(results, store_name(night.run_id, part, number))

    with (
        night.stages.stage(name, total_rows=load.rows, rows_so_far=lambda: counters.rows.value) as stage,
        _hang_timeout(spark, scoring.hang_timeout_sec),
    ):
        outcome = score_chunks(context, f"{night.run_id}-{name}-{part}", chunks, write, night.limits)
        stage.rows, stage.tokens = outcome.rows, counters.tokens.value
    night.model_loads += counters.model_loads.value
    if outcome.rows_left:
        raise _partial(night, load.rows, outcome, name)
    return stage, outcome.written


def _patience(night: "Night", chunk: Chunk) -> Patience:
    """Return what a task of a chunk may lose: about what the night's limit on errors allows."""
    allowed = math.ceil(night.config.quality.max_error_fraction * chunk.load.rows)
    scoring = night.config.scoring
    lost = min(_MOST_LOST, max(_FEWEST_LOST, allowed))
    return Patience(scoring.hang_timeout_sec, scoring.tokens_per_task, lost)


@contextmanager
def _hang_timeout(spark: SparkSession, seconds: int) -> Iterator[None]:
    """Have Spark kill a worker that returns nothing for so long, 0 for never, in what is run in the block."""
    wanted = {_IDLE: f"{seconds}s", _KILL: str(seconds > 0).lower()}
    before = {key: spark.conf.get(key) or "" for key in wanted}
    for key in wanted:
        spark.conf.set(key, wanted[key])
    try:
        yield
    finally:
        for key in before:
            spark.conf.set(key, before[key])


def _partial(night: "Night", rows: int, outcome: Outcome, name: str) -> PartialError:
    night.rows_left = outcome.rows_left
    return PartialError(
        f"stopped at {night.limits} in the stage {name}: {outcome.rows:,} of {rows:,} texts were scored in this run and are "
        f"kept, {outcome.rows_left:,} are left; nothing was published. Run the same nights again to score the rest"
    )


def escalated(spark: SparkSession, night: "Night", kept: DataFrame, store: ScoreStore, spec: ScoreSpec) -> DataFrame:
    """Let the full model score what the cascade gives it. Returns its results of the run's texts, one row per text."""
    full, texts = ScoreStore(spark, night.root, spec.model_key()), to_texts(kept)

    def score(pending: DataFrame, part: int) -> None:
        score_into(night, full, pending, spec, part, "cascade")

    night.cascade = escalate(store, full, texts, night.config.cascade, score)
    failpoint("after_cascade")
    return full.lookup(texts)


def compare_models(spark: SparkSession, night: "Night", kept: DataFrame) -> None:
    """Compare the model with that of the last night published before this run, where it is another.

    Raises:
        DataError: see `pipeline.bridge.judged`.
    """
    spec, config = night.deciding_spec, night.config.model_change
    old = changed_model(night.root, spec, night.dates[0])
    if old is None:
        return

    def score(store: ScoreStore, pending: DataFrame, model: ScoreSpec, part: int) -> None:
        score_into(night, store, pending, model, part, "bridge")

    stores = tuple(ScoreStore(spark, night.root, key) for key in (old.key, spec.model_key()))
    night.bridge = bridge(old, spec, (stores[0], stores[1]), to_texts(kept), config, score)
    for line in judged(night.bridge, config):
        logger.warning(f"bridge    {line}", extra={"event": "bridge"})


def _fit_topics(night: "Night", store: ScoreStore, texts: DataFrame, place: TopicPlace) -> None:
    """Fit the first topic model on the scored texts of the sample, at most `topics.sample_size` of them."""
    config = night.config.topics
    with night.stages.stage("topics") as stage:
        sample, _ = sample_of(texts, store, config.sample_size)
        stage.rows = len(sample.texts)
        if stage.rows < config.min_texts:
            logger.info(f"topics    not fitted: {stage.rows} scored texts, topics.min_texts is {config.min_texts}")
            return
        night.topics = fit_topics(place.folder, place.name, night.dates[0], sample, config, night.dates[-1])


def _refit_topics(spark: SparkSession, night: "Night", store: ScoreStore, place: TopicPlace) -> None:
    """Find each night's topic model; where a night is due for a new one, fit it on the recent nights of the corpus."""
    config = night.config.topics
    for day in night.dates:
        model = place.model(day)
        if model is None:
            return
        if refit_due(place.folder, place.name, model, day, config):
            with night.stages.stage("topics") as stage:
                nights = recent_nights(night.root, night.dates, day, config.history_nights)
                texts = recent_texts(spark, night.config.input, night.corpus, nights, config.sample_size)
                model = refitted(place, model, store, texts, day, config)
                stage.rows = model.n_sample if model.valid_from == day else 0
        night.nightly_topics[day] = model
    night.topics = night.nightly_topics[night.dates[-1]]
