"""Make a head from label descriptions, without labelled rows; it answers "none of these" at a stated rate.

    python jobs/zero_shot.py --config conf/jobs/zero_shot_example.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.errors import ConfigError
from pipeline.head_training import save_head
from pipeline.model_lock import encoder_identity
from pipeline.models import head_base_spec
from pipeline.session import build_session
from pipeline.zero_shot import ZeroShotConfig, make_zero_shot


def run(config: ZeroShotConfig) -> None:
    """Embed the descriptions and the background, save the head, report."""
    spec = head_base_spec(config.model, config.task)
    output = Path(config.output)
    if output.exists():
        raise ConfigError(f"output: {output} exists; a head is never overwritten, give a new output")
    spark = build_session("nightjar-zero-shot", config.spark)
    try:
        head, facts = make_zero_shot(spark, config, spec)
    finally:
        spark.stop()
    identity = encoder_identity(spec.encoder)
    save_head(head, output, config.name, config.languages, spec.encoder, identity, {}, config.task, facts)
    print(
        f"saved {output}: {len(config.labels)} labels; {config.false_acceptance:.1%} of texts like the background get one"
    )


if __name__ == "__main__":
    sys.exit(run_job(ZeroShotConfig, run, __doc__ or ""))
