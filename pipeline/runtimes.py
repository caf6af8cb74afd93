"""Which runtime computes the encoder on this cluster: configured, or chosen by a self-test on an executor and remembered."""

import json
import logging
import os
from dataclasses import replace
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.config import ModelConfig
from pipeline.errors import ModelError
from udfs.spec import Runtime, ScoreSpec
from udfs.worker import RUNTIME_SCHEMA, make_choose_runtime

logger = logging.getLogger(__name__)


def resolve_runtime(spark: SparkSession, spec: ScoreSpec, config: ModelConfig, root: Path | None) -> ScoreSpec:
    """Return `spec` with its runtime.

    What the configuration leaves to `auto` is chosen by one task, which tries the runtimes it has; with a single one there is
    nothing to try. The outcome is kept under `<root>/_models/runtimes` and holds until the kind of executor changes, so
    that all workers of this and later runs compute alike. Delete the file to have it tried again.

    Raises:
        ModelError: nothing installed on the executors fits what the configuration asks for.
    """
    if config.runtime != "auto" and config.precision != "auto":
        return replace(spec, runtime=Runtime(config.runtime, config.precision))
    place = root / "_models" / "runtimes" / f"{spec.encoder_key()}-{spec.mode}.json" if root else None
    known = place.read_text(encoding="utf-8") if place and place.is_file() else None
    choose = make_choose_runtime(spec, config.runtime, config.precision, known)
    answer = spark.range(1, numPartitions=1).mapInArrow(choose, RUNTIME_SCHEMA).collect()  # bounded: one row
    outcome = json.loads(answer[0].outcome)
    if "problem" in outcome:
        raise ModelError(outcome["problem"])
    if outcome["chosen"] is None:
        raise ModelError(
            f"model.runtime: {config.runtime} with model.precision: {config.precision} is not to be had on {outcome['device']}; "
            f"there are: {', '.join(outcome['available'])}"
        )
    if place and answer[0].outcome != known:
        place.parent.mkdir(parents=True, exist_ok=True)
        written = place.with_suffix(f".{os.getpid()}")
        written.write_text(answer[0].outcome, encoding="utf-8")
        written.replace(place)
    runtime = Runtime(**outcome["chosen"])
    logger.info(
        f"runtime   {runtime.name} {runtime.precision} on {outcome['device']}, mode {spec.mode}",
        extra={"event": "runtime", **outcome},
    )
    return replace(spec, runtime=runtime)
